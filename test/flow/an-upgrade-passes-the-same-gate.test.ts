import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Guarded } from '../support/guarded.js';
import { request } from '../support/sidecar.js';
import { handshake, handshakeWith, switching, websocketAccept } from '../support/websocket.js';

let guarded: Guarded;
before(async () => {
  guarded = await Guarded.start({
    config: {
      routes: [
        { path: '/ws/**', websocket: true },
        { path: '/open/**', websocket: true, proof: 'none' },
        { path: '/**' },
      ],
    },
  });
});
after(() => guarded.stop());

const answer200 = () => 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const smuggled = () => guarded.proven({ target: '/smuggled' });

/** Opens a WebSocket, and holds when the service got one clean request and the client its 101. */
async function opens(bytes: string): Promise<void> {
  guarded.service.reset();
  guarded.service.script = (seen) => switching(seen);
  const wire = await guarded.open();
  try {
    wire.send(bytes);
    const response = await wire.response();
    assert.equal(response.status, 101, response.body);
    assert.equal(response.one('sec-websocket-accept'), websocketAccept);
    assert.equal(guarded.service.requests.length, 1);
  } finally {
    wire.close();
    guarded.service.script = answer200;
  }
}

describe('A23: a WebSocket is opened', () => {
  test('with a proof, on a route that allows it', () =>
    opens(guarded.proven({ target: '/ws/a', headers: handshake })));

  test('twin: in other letter case, beside other options of Connection', () =>
    opens(
      guarded.proven({
        target: '/ws/a',
        headers: handshakeWith(
          ['connection', 'upgrade'],
          'connection: keep-alive, uPGRADE',
          'upgrade: WebSocket',
        ),
      }),
    ));

  test('without a proof, on a public route that allows it', () =>
    opens(request({ target: '/open/a', headers: handshake })));
});

describe('A23, trap H17: the gate of an upgrade is that of any request', () => {
  const refused = (
    title: string,
    make: () => { bytes: string; status: number; reason: string; closes?: boolean },
  ) =>
    test(title, async () => {
      const { bytes, ...rest } = make();
      await guarded.refuses({ closes: true, ...rest, bytes: bytes + smuggled() });
    });

  refused('without credentials: 401', () => ({
    bytes: request({ target: '/ws/a', headers: handshake }),
    status: 401,
    reason: 'credentials_missing',
  }));
  refused('with a proof for another URL: 401', () => ({
    bytes: guarded.proven({ target: '/ws/a', path: '/ws/b', headers: handshake }),
    status: 401,
    reason: 'dpop_htu_mismatch',
  }));
  refused('G08: with a proof for the ws: URL: 401', () => ({
    bytes: guarded
      .proven({ target: '/ws/a', headers: handshake })
      .replace(/DPoP: [^\r]+/, guarded.credentials('GET', '/ws/a', 'ws://api.test')[1] ?? ''),
    status: 401,
    reason: 'dpop_htu_mismatch',
  }));
  refused('C05: with the token in the query: 400', () => ({
    bytes: guarded.proven({ target: '/ws/a?access_token=t', headers: handshake }),
    status: 400,
    reason: 'token_in_query',
  }));
  refused('on a route that does not allow it: 400', () => ({
    bytes: guarded.proven({ target: '/a', headers: handshake }),
    status: 400,
    reason: 'upgrade_not_allowed',
  }));
  refused('on an ambiguous path: 400', () => ({
    bytes: guarded.proven({ target: '/ws/%2e%2e/a', headers: handshake }),
    status: 400,
    reason: 'path_ambiguous',
  }));
  refused('to another authority: 421', () => ({
    bytes: guarded.proven({ target: '/ws/a', headers: handshake }).replace('Host: api.test', 'Host: b.test'),
    status: 421,
    reason: 'host_not_served',
  }));

  test('G19: with a proof that was used: 401', async () => {
    const bytes = guarded.proven({ target: '/ws/a', headers: handshake });
    await opens(bytes);
    await guarded.refuses({ bytes: bytes + smuggled(), status: 401, reason: 'proof_replayed', closes: true });
  });

  test('B13: the metadata document switches to nothing', async () => {
    const before = guarded.service.bytes;
    const wire = await guarded.open();
    wire.send(request({ target: '/.well-known/oauth-protected-resource', headers: handshake }) + smuggled());
    const response = await wire.response();
    assert.equal(response.status, 200);
    assert.equal(response.one('connection'), 'close');
    assert.equal(await wire.closed(), '');
    assert.equal(guarded.service.bytes, before);
  });
});

describe('A23: what is no opening handshake in its plain form is refused', () => {
  const cases: readonly (readonly [
    title: string,
    status: number,
    reason: string,
    headers: readonly string[],
  ])[] = [
    ['h2c', 501, 'upgrade_unsupported', handshakeWith(['upgrade'], 'Upgrade: h2c')],
    ['a list', 400, 'upgrade_invalid', handshakeWith(['upgrade'], 'Upgrade: websocket, h2c')],
    ['two lines', 400, 'upgrade_invalid', [...handshake, 'Upgrade: websocket']],
    ['an empty protocol', 501, 'upgrade_unsupported', handshakeWith(['upgrade'], 'Upgrade:')],
    ['no key', 400, 'upgrade_invalid', handshakeWith(['sec-websocket-key'])],
    ['two keys', 400, 'upgrade_invalid', [...handshake, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']],
    ...['', 'x', 'dGhlIHNhbXBsZSBub25jZQ', 'dGhlIHNhbXBsZSBub25jZR==', 'dGhlIHNhbXBsZSBub25jZT09=='].map(
      (key) =>
        [
          `the key ${key}`,
          400,
          'upgrade_invalid',
          handshakeWith(['sec-websocket-key'], `Sec-WebSocket-Key: ${key}`),
        ] as const,
    ),
    ['no version', 400, 'upgrade_invalid', handshakeWith(['sec-websocket-version'])],
    ['two versions', 400, 'upgrade_invalid', [...handshake, 'Sec-WebSocket-Version: 13']],
    ['Content-Length', 400, 'upgrade_invalid', [...handshake, 'Content-Length: 5']],
    ['Content-Length: 0', 400, 'upgrade_invalid', [...handshake, 'Content-Length: 0']],
    ['Transfer-Encoding', 400, 'upgrade_invalid', [...handshake, 'Transfer-Encoding: chunked']],
    ['Expect', 400, 'upgrade_invalid', [...handshake, 'Expect: 100-continue']],
  ];
  for (const [title, status, reason, headers] of cases)
    test(`${title}: ${status}`, () =>
      guarded
        .refuses({
          bytes: guarded.proven({ target: '/ws/a', headers }) + smuggled(),
          status,
          reason,
          closes: true,
        })
        .then(() => undefined));

  for (const method of ['POST', 'PUT', 'OPTIONS', 'HEAD'])
    test(`${method}: 400`, () =>
      guarded
        .refuses({
          bytes: guarded.proven({ method, target: '/ws/a', headers: handshake }),
          status: 400,
          reason: 'upgrade_invalid',
          closes: true,
        })
        .then(() => undefined));

  test('HTTP/1.0: 400', () =>
    guarded
      .refuses({
        bytes: guarded.proven({ target: '/ws/a', headers: handshake }).replace('HTTP/1.1', 'HTTP/1.0'),
        status: 400,
        reason: 'upgrade_invalid',
        closes: true,
      })
      .then(() => undefined));

  test('another version: 426 with the one that is spoken', async () => {
    const before = guarded.service.bytes;
    const wire = await guarded.open();
    const headers = handshakeWith(['sec-websocket-version'], 'Sec-WebSocket-Version: 12');
    wire.send(guarded.proven({ target: '/ws/a', headers }) + smuggled());
    const response = await wire.response();
    assert.equal(response.status, 426);
    assert.equal((await guarded.sidecar.logged(response)).reason, 'upgrade_version_unsupported');
    assert.equal(response.one('sec-websocket-version'), '13');
    assert.equal(response.one('upgrade'), 'websocket');
    assert.equal(response.one('connection'), 'Upgrade, close');
    assert.equal(await wire.closed(), '');
    assert.equal(guarded.service.bytes, before);
  });
});

describe('A18, A19: what follows an upgrade is never a request', () => {
  test('requests in front of an upgrade are answered first, then it is', async () => {
    guarded.service.reset();
    guarded.service.script = (seen) =>
      seen.line.includes('/ws/') ? switching(seen) : 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
    const wire = await guarded.open();
    wire.send(
      guarded.proven({ target: '/first' }) +
        guarded.proven({ target: '/second' }) +
        guarded.proven({ target: '/ws/a', headers: handshake }),
    );
    assert.deepEqual(
      [(await wire.response()).status, (await wire.response()).status, (await wire.response()).status],
      [200, 200, 101],
    );
    assert.deepEqual(
      guarded.service.requests.map(({ line }) => line.split(' ')[1]),
      ['/first', '/second', '/ws/a'],
    );
    wire.close();
    guarded.service.reset();
  });

  test('what we answer ourselves in front of an upgrade is given first', async () => {
    guarded.service.reset();
    guarded.service.script = (seen) => switching(seen);
    const wire = await guarded.open();
    wire.send(
      guarded.proven({ method: 'OPTIONS', target: '/a', headers: ['Max-Forwards: 0'] }) +
        request({ target: '/a' }) +
        request({ target: '/.well-known/oauth-protected-resource' }) +
        guarded.proven({ method: 'OPTIONS', target: '/a', headers: ['Max-Forwards: 0'] }) +
        guarded.proven({ target: '/ws/a', headers: handshake }),
    );
    const statuses = [];
    for (let at = 0; at < 5; at++) statuses.push((await wire.response()).status);
    assert.deepEqual(statuses, [204, 401, 200, 204, 101]);
    wire.close();
    guarded.service.reset();
  });

  test('B14: a long answer in front of an upgrade arrives whole', async () => {
    guarded.service.reset();
    const body = 'x'.repeat(8 * 1024 * 1024);
    guarded.service.script = (seen) =>
      seen.line.includes('/ws/')
        ? switching(seen)
        : `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const wire = await guarded.open();
    wire.send(guarded.proven({ target: '/long' }) + guarded.proven({ target: '/ws/a', headers: handshake }));
    assert.equal((await wire.response()).body.length, body.length);
    assert.equal((await wire.response()).status, 101);
    wire.close();
    guarded.service.reset();
  });

  test('B14: a long answer in front of a CONNECT arrives whole', async () => {
    guarded.service.reset();
    const body = 'x'.repeat(8 * 1024 * 1024);
    guarded.service.script = () => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const wire = await guarded.open();
    wire.send(
      `${guarded.proven({ target: '/long' })}CONNECT b.test:443 HTTP/1.1\r\nHost: b.test:443\r\n\r\n`,
    );
    assert.equal((await wire.response()).body.length, body.length);
    assert.equal((await wire.response()).status, 405);
    assert.equal(await wire.closed(), '');
    guarded.service.reset();
  });

  test('an upgrade behind a request that said close is dropped', async () => {
    guarded.service.reset();
    const wire = await guarded.open();
    wire.send(
      guarded.proven({ target: '/first', headers: ['Connection: close'] }) +
        guarded.proven({ target: '/ws/a', headers: handshake }),
    );
    assert.equal((await wire.response()).status, 200);
    assert.equal(await wire.closed(), '');
    assert.equal(guarded.service.requests.length, 1);
  });

  test('an upgrade behind a refusal that closes is dropped', async () => {
    guarded.service.reset();
    const wire = await guarded.open();
    wire.send(request({ target: '/%' }) + guarded.proven({ target: '/ws/a', headers: handshake }));
    assert.equal((await wire.response()).status, 400);
    assert.equal(await wire.closed(), '');
    assert.deepEqual(guarded.service.requests, []);
  });
});

describe('L01, L02, trap H17: only clean fields reach the service', () => {
  for (const [where, make] of [
    ['a guarded route', (headers: string[]) => guarded.proven({ target: '/ws/a', headers })],
    ['a public route', (headers: string[]) => request({ target: '/open/a', headers })],
  ] as const)
    test(`forged fields on ${where}`, async () => {
      await opens(
        make([
          ...handshake,
          'X-Auth-Subject: root',
          'x-AUTH-subject: root',
          'X-Forwarded-For: 1.2.3.4',
          'Client-Cert: :AAAA:',
          'Proxy-Authorization: x',
          'Keep-Alive: 5',
          'TE: trailers',
          'Sec-WebSocket-Protocol: chat',
          'Sec-WebSocket-Extensions: permessage-deflate',
          'Origin: https://app.test',
        ]),
      );
      const { last } = guarded.service;
      assert.deepEqual(last.all('x-auth-subject'), where === 'a public route' ? [] : ['alice']);
      assert.deepEqual(last.all('x-forwarded-for'), ['127.0.0.1']);
      for (const name of ['client-cert', 'proxy-authorization', 'keep-alive', 'te', 'authorization', 'dpop'])
        assert.deepEqual(last.all(name), [], name);
      assert.deepEqual(last.all('connection'), ['Upgrade']);
      assert.deepEqual(last.all('upgrade'), ['websocket']);
      assert.deepEqual(last.all('sec-websocket-protocol'), ['chat']);
      assert.deepEqual(last.all('sec-websocket-extensions'), ['permessage-deflate']);
      assert.deepEqual(last.all('origin'), ['https://app.test']);
    });

  test('B04: what Connection nominates does not take the identity away', async () => {
    await opens(
      guarded.proven({
        target: '/ws/a',
        headers: handshakeWith(['connection'], 'Connection: Upgrade, X-Auth-Subject, X-Mine', 'X-Mine: 1'),
      }),
    );
    assert.deepEqual(guarded.service.last.all('x-auth-subject'), ['alice']);
    assert.deepEqual(guarded.service.last.all('x-mine'), []);
    assert.deepEqual(guarded.service.last.all('connection'), ['Upgrade']);
  });

  test('H10: the service gets the path bytes that were decided on', async () => {
    await opens(guarded.proven({ target: '/ws//a/%7Eb?q=//x', path: '/ws//a/%7Eb', headers: handshake }));
    assert.equal(guarded.service.last.line, 'GET /ws//a/%7Eb?q=//x HTTP/1.1');
  });
});
