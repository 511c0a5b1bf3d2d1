import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Guarded, until } from '../support/guarded.js';

let guarded: Guarded;
before(async () => {
  guarded = await Guarded.start();
});
after(() => guarded.stop());
beforeEach(() => guarded.service.reset());

const body = 'Content-Length: 2\r\n\r\nok';

const invalid: readonly { title: string; answer: string }[] = [
  { title: 'B10, trap H4: status 099', answer: `HTTP/1.1 099 X\r\n${body}` },
  { title: 'B10: status 000', answer: `HTTP/1.1 000 X\r\n${body}` },
  { title: 'B10: status 600', answer: `HTTP/1.1 600 X\r\n${body}` },
  { title: 'B10: status 999', answer: `HTTP/1.1 999 X\r\n${body}` },
  { title: 'B10: status 1000', answer: `HTTP/1.1 1000 X\r\n${body}` },
  { title: 'B10: no status', answer: `HTTP/1.1\r\n${body}` },
  { title: 'B10: no HTTP at all', answer: 'hello\r\n\r\n' },
  { title: 'B10: HTTP/2.0', answer: `HTTP/2.0 200 OK\r\n${body}` },
  { title: 'B10, trap Node: HTTP/0.9', answer: `HTTP/0.9 200 OK\r\n${body}` },
  {
    title: 'B10: Transfer-Encoding and Content-Length',
    answer: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n',
  },
  {
    title: 'B10: a transfer coding in HTTP/1.0 (RFC 9112 §6.1)',
    answer:
      'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
  },
  {
    title: 'B10: another transfer coding',
    answer: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
  },
  {
    title: 'B10: chunked twice',
    answer:
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
  },
  {
    title: 'B10: two lengths',
    answer: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok',
  },
  { title: 'B10: a length that is no number', answer: 'HTTP/1.1 200 OK\r\nContent-Length: 2x\r\n\r\nok' },
  { title: 'B10: white space before a colon', answer: `HTTP/1.1 200 OK\r\nX-A : b\r\n${body}` },
  { title: 'B10: NUL in a field', answer: `HTTP/1.1 200 OK\r\nX-A: b\0\r\n${body}` },
  { title: 'B10: a bare CR in a field', answer: `HTTP/1.1 200 OK\r\nX-A: b\rX-B: c\r\n${body}` },
  { title: 'B10: fields of 200 KiB', answer: `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(200 * 1024)}\r\n${body}` },
  {
    title: 'A25, trap H7: an unsolicited 101',
    answer: 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  },
  { title: 'A25: 101 without Upgrade', answer: 'HTTP/1.1 101 Switching Protocols\r\n\r\n' },
];

/** Holds when the client gets our 502 and nothing of the answer, and the process goes on. */
async function isOurs502(script: (socket: Socket) => string | undefined): Promise<void> {
  guarded.service.script = (_, socket) => script(socket);
  const wire = await guarded.open();
  wire.send(guarded.proven({ target: '/a' }));
  const response = await wire.response();
  assert.equal(response.status, 502, response.body);
  assert.deepEqual(response.all('x-a'), []);
  assert.equal(JSON.parse(response.body).request_id, response.one('x-request-id'));
  assert.equal((await guarded.sidecar.logged(response)).reason, 'ERR_UPSTREAM_RESPONSE_INVALID');
  guarded.service.reset();
  wire.send(guarded.proven({ target: '/next' }));
  assert.equal((await wire.response()).status, 200);
  wire.close();
  await guarded.serves();
}

describe('an answer that cannot be passed on', () => {
  for (const { title, answer } of invalid) test(title, () => isOurs502(() => answer));

  test('A25: the connection of an unsolicited 101 is destroyed', async () => {
    let closed = false;
    await isOurs502((socket) => {
      socket.once('close', () => {
        closed = true;
      });
      return 'HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';
    });
    await until(() => closed, 'connection of the 101 closed');
  });

  test('B11: a service that closes without an answer', () =>
    isOurs502((socket) => {
      socket.end();
      return undefined;
    }));
  test('B11: a service that resets without an answer', () =>
    isOurs502((socket) => {
      socket.resetAndDestroy();
      return undefined;
    }));
  test('B11: a service that closes within the head', () =>
    isOurs502((socket) => {
      socket.end('HTTP/1.1 200 OK\r\nX-A');
      return undefined;
    }));
});

describe('B11, trap H6: a body that breaks off', () => {
  const heads = {
    'a length': 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf',
    chunks: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
    'chunks, within one': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf',
    'a bad chunk': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n',
  };
  for (const [title, head] of Object.entries(heads)) {
    for (const how of ['end', 'resetAndDestroy'] as const) {
      test(`${title}, ${how}: the client's connection ends without a valid end`, async () => {
        const wire = await guarded.open();
        guarded.service.script = (_, socket) => {
          socket.write(
            head,
            () => void until(() => wire.unread.includes('half'), 'first half').finally(() => socket[how]()),
          );
          return undefined;
        };
        const started = performance.now();
        wire.send(guarded.proven({ target: '/a' }));
        const received = await wire.closed();
        assert.ok(performance.now() - started < 5000, 'closed at once');
        assert.match(received, /^HTTP\/1\.1 200 OK\r\n/);
        assert.ok(!received.includes('0\r\n\r\n'), 'no last chunk');
        assert.equal(received.split('HTTP/1.1').length, 2, 'one response');
        guarded.service.reset();
        await guarded.serves();
      });
    }
  }

  test('twin: a body that ends with its connection is passed on whole', async () => {
    guarded.service.script = (_, socket) => {
      socket.end('HTTP/1.1 200 OK\r\n\r\nall of it');
      return undefined;
    };
    const response = await guarded.send({ target: '/a' });
    assert.equal(response.body, 'all of it');
  });
});

describe('what a good answer keeps and loses', () => {
  test('B03, trap H8, trap H9: hop-by-hop and nominated fields are lost, and no Connection is echoed', async () => {
    guarded.service.script = () =>
      [
        'HTTP/1.1 200 OK',
        'Connection: close, X-Foo',
        'X-Foo: 1',
        'Keep-Alive: timeout=9',
        'Close: 1',
        'Proxy-Authenticate: Basic',
        'Trailer: X-T',
        'TE: x',
        'Upgrade: h2c',
        'Proxy-Connection: close',
        'X-Auth-Subject: root',
        'X-Request-Id: theirs',
        'Client-Cert: :AA:',
        'DPoP-Nonce: theirs',
        'Set-Cookie: a=1',
        'Set-Cookie: b=2',
        'x-bar: 2',
        body,
      ].join('\r\n');
    const wire = await guarded.open();
    wire.send(guarded.proven({ target: '/a', headers: ['Connection: X-Bar, close'] }));
    const response = await wire.response();
    assert.equal(response.status, 200);
    const names = response.headers.map(([name]) => name.toLowerCase());
    assert.deepEqual(names.sort(), [
      'connection',
      'content-length',
      'date',
      'set-cookie',
      'set-cookie',
      'x-bar',
      'x-request-id',
    ]);
    assert.equal(response.one('connection'), 'close');
    assert.deepEqual(response.all('set-cookie'), ['a=1', 'b=2']);
    assert.notEqual(response.one('x-request-id'), 'theirs');
    await wire.closed();
  });

  test('B03, trap Node: of very many fields none is lost, nor what Connection says at their end', async () => {
    const many = Array.from({ length: 1400 }, (_, index) => `A${index}: b\r\n`).join('');
    guarded.service.script = () =>
      `HTTP/1.1 200 OK\r\n${many}Set-Cookie: a=1\r\nConnection: X-Foo\r\nX-Foo: 1\r\n${body}`;
    const response = await guarded.send({ target: '/a' });
    assert.equal(response.status, 200);
    assert.equal(response.headers.filter(([name]) => /^A\d/.test(name)).length, 1400);
    assert.equal(response.one('set-cookie'), 'a=1');
    assert.equal(response.one('x-foo'), undefined);
  });

  test('B03: the Connection of a kept-alive client is our own', async () => {
    const response = await guarded.send({ target: '/a', headers: ['Connection: keep-alive, X-Bar'] });
    assert.equal(response.one('connection'), 'keep-alive');
  });

  test('B10, trap H4: the reason phrase is ours', async () => {
    for (const reason of ['Fine', '', 'b\x01c', '\xe4']) {
      guarded.service.script = () => `HTTP/1.1 200 ${reason}\r\n${body}`;
      const wire = await guarded.open();
      wire.send(guarded.proven({ target: '/a' }));
      await until(() => wire.unread.includes('\r\n'), 'a status line');
      assert.match(wire.unread, /^HTTP\/1\.1 (?:200 OK|502 Bad Gateway)\r\n/);
      wire.close();
    }
    guarded.service.reset();
    await guarded.serves();
  });

  test('B15: a redirect is passed on and not followed', async () => {
    guarded.service.script = () =>
      `HTTP/1.1 302 Found\r\nLocation: ${guarded.service.url}/other\r\nContent-Length: 0\r\n\r\n`;
    const response = await guarded.send({ target: '/a' });
    assert.equal(response.status, 302);
    assert.equal(response.one('location'), `${guarded.service.url}/other`);
    assert.equal(guarded.service.requests.length, 1);
  });

  test('A25, trap H16: 103 and 102 are dropped, the final answer is passed on', async () => {
    guarded.service.script = () =>
      `HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n${body}`;
    const response = await guarded.send({ target: '/a' });
    assert.equal(response.status, 200);
    assert.equal(response.body, 'ok');
  });

  test('A25: a 100 of the service that nobody waits for is dropped', async () => {
    guarded.service.script = () => `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n${body}`;
    assert.equal((await guarded.send({ target: '/a' })).status, 200);
  });

  test('trap H16: trailers of the service are dropped', async () => {
    guarded.service.script = () =>
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n';
    const wire = await guarded.open();
    wire.send(guarded.proven({ target: '/a' }));
    await until(() => wire.unread.endsWith('0\r\n\r\n'), 'the last chunk');
    assert.ok(!wire.unread.includes('X-T'));
    wire.close();
  });

  const bodiless: readonly { title: string; method: string; answer: string; length: string | undefined }[] = [
    {
      title: 'B13, trap H15: 204 with a length and a body',
      method: 'GET',
      answer: `HTTP/1.1 204 No Content\r\n${body}`,
      length: undefined,
    },
    {
      title: 'B13: 304 with a length',
      method: 'GET',
      answer: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\nETag: "x"\r\n\r\n',
      length: '2',
    },
    {
      title: 'B13: HEAD keeps the length',
      method: 'HEAD',
      answer: 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n',
      length: '1000',
    },
    {
      title: 'B13: HEAD answered with a body',
      method: 'HEAD',
      answer: `HTTP/1.1 200 OK\r\n${body}`,
      length: '2',
    },
    {
      title: 'B13: 205',
      method: 'GET',
      answer: 'HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n',
      length: '0',
    },
  ];
  for (const { title, method, answer, length } of bodiless) {
    test(`${title}: the next answer is not confused with it`, async () => {
      guarded.service.script = () => answer;
      const wire = await guarded.open();
      wire.send(guarded.proven({ method, target: '/a' }));
      const response = await wire.response({ head: true });
      assert.equal(response.status, Number(answer.slice(9, 12)));
      assert.equal(response.one('content-length'), length);
      guarded.service.reset();
      wire.send(guarded.proven({ target: '/next' }));
      const next = await wire.response();
      assert.equal(next.status, 200);
      assert.equal(next.body, 'ok');
      wire.close();
    });
  }

  test('an answer without a body of known length reaches an HTTP/1.0 client', async () => {
    guarded.service.script = () =>
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n';
    const wire = await guarded.open();
    wire.send(guarded.proven({ target: '/a' }).replace('HTTP/1.1', 'HTTP/1.0'));
    const text = await wire.closed();
    assert.ok(!/transfer-encoding/i.test(text));
    assert.ok(text.endsWith('\r\n\r\nok'));
  });

  test("a service that says more than one answer: the second is nobody's", async () => {
    guarded.service.script = () => `HTTP/1.1 200 OK\r\n${body}HTTP/1.1 200 OK\r\nX-A: injected\r\n${body}`;
    const wire = await guarded.open();
    wire.send(guarded.proven({ target: '/a' }));
    assert.equal((await wire.response()).status, 200);
    guarded.service.reset();
    wire.send(guarded.proven({ target: '/next' }));
    const next = await wire.response();
    assert.deepEqual(next.all('x-a'), []);
    assert.equal(guarded.service.last.line, 'GET /next HTTP/1.1');
    wire.close();
  });
});

test('trap H20, trap H23: nothing of all this was an uncaught error or a warning of Node', () => {
  assert.equal(guarded.sidecar.child.text, '');
  assert.deepEqual(
    guarded.sidecar.child.events.filter(({ event }) => event === 'uncaught'),
    [],
  );
});
