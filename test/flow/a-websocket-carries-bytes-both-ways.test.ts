import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Guarded, until } from '../support/guarded.js';
import type { SeenRequest } from '../support/recording-service.js';
import { request } from '../support/sidecar.js';
import { handshake, switching, websocketAccept } from '../support/websocket.js';
import type { Wire, WireResponse } from '../support/wire.js';

const silent = () => undefined;

let guarded: Guarded;
before(async () => {
  guarded = await Guarded.start({
    config: {
      upstream: {
        streamIdleTimeout: '2s',
        idleTimeout: '1s',
        connections: 6, // of which one client may hold four
        queue: { length: 0, wait: '0s' },
      },
      routes: [{ path: '/**', websocket: true }],
    },
  });
});
beforeEach(() => guarded.service.reset());
after(() => guarded.stop());

interface Opened {
  readonly wire: Wire;
  /** the service's end */
  readonly socket: Socket;
  readonly response: WireResponse;
  /** what came to the service behind the handshake */
  received(): string;
}

/** Opens a WebSocket. @param ahead - sent with the request @param behind - sent with the 101 */
async function open({ ahead = '', behind = '', fields = [] as string[] } = {}): Promise<Opened> {
  let socket: Socket | undefined;
  const chunks: Buffer[] = [];
  guarded.service.script = (seen, one) => {
    socket = one;
    one.on('data', (chunk: Buffer) => chunks.push(chunk));
    return switching(seen, ...fields) + behind;
  };
  const wire = await guarded.open();
  wire.send(guarded.proven({ target: '/ws', headers: handshake }) + ahead);
  const response = await wire.response();
  assert.equal(response.status, 101, response.body);
  assert.ok(socket !== undefined);
  return { wire, socket, response, received: () => Buffer.concat(chunks).toString('latin1') };
}

describe('A23: the 101', () => {
  test('B03, B10: holds what is the service’s to say, and nothing that is ours', async () => {
    const fields = [
      'Sec-WebSocket-Protocol: chat',
      'Set-Cookie: a=1',
      'Set-Cookie: b=2',
      'X-Auth-Subject: forged',
      'Client-Cert: :AAAA:',
      'X-Request-Id: forged',
      'Keep-Alive: timeout=5',
      'DPoP-Nonce: forged',
      'X-Hop: 1',
      'Connection: X-Hop',
    ];
    const { wire, response } = await open({ fields });
    const names = response.headers.map(([name]) => name.toLowerCase()).toSorted();
    assert.deepEqual(names, [
      'connection',
      'date',
      'sec-websocket-accept',
      'sec-websocket-protocol',
      'set-cookie',
      'set-cookie',
      'upgrade',
      'x-request-id',
    ]);
    assert.equal(response.one('connection'), 'Upgrade');
    assert.equal(response.one('upgrade'), 'websocket');
    assert.equal(response.one('sec-websocket-accept'), websocketAccept);
    assert.match(response.one('x-request-id') ?? '', /^[0-9a-f-]{36}$/);
    wire.close();
  });

  const wrong: readonly (readonly [string, (good: string) => string])[] = [
    ['a wrong Sec-WebSocket-Accept', (good) => good.replace(/Accept: ./, 'Accept: x')],
    ['no Sec-WebSocket-Accept', (good) => good.replace(/Sec-WebSocket-Accept: .*\r\n/, '')],
    ['two of them', (good) => good.replace(/(Sec-WebSocket-Accept: .*\r\n)/, '$1$1')],
    [
      'one that Connection nominates',
      (good) => good.replace('n: Upgrade', 'n: Upgrade, sec-websocket-accept'),
    ],
    ['another protocol', (good) => good.replace('websocket', 'h2c')],
    ['two protocols', (good) => good.replace('websocket', 'websocket, h2c')],
    ['no Upgrade', (good) => good.replace(/Upgrade: .*\r\n/, '')],
    ['no Connection', (good) => good.replace(/Connection: .*\r\n/, '')],
    ['Connection without upgrade', (good) => good.replace('n: Upgrade', 'n: keep-alive')],
    ['Transfer-Encoding', (good) => good.replace('Upgrade:', 'Transfer-Encoding: chunked\r\nUpgrade:')],
    ['Content-Length', (good) => good.replace('Upgrade:', 'Content-Length: 5\r\nUpgrade:')],
    ['HTTP/1.0', (good) => good.replace('HTTP/1.1', 'HTTP/1.0')],
  ];
  for (const [title, change] of wrong)
    test(`trap H17: with ${title}: 502, and what the client sent ahead goes nowhere`, async () => {
      guarded.service.script = (seen) => `${change(switching(seen))}unwanted`;
      const wire = await guarded.open();
      wire.send(`${guarded.proven({ target: '/ws', headers: handshake })}frames`);
      const response = await wire.response();
      assert.equal(response.status, 502);
      assert.equal((await guarded.sidecar.logged(response)).reason, 'ERR_UPSTREAM_RESPONSE_INVALID');
      wire.send('more frames');
      assert.equal(await wire.closed(), '');
      await until(() => guarded.service.unfinished.length === 0, 'the service is let go');
      assert.equal(guarded.service.requests.length, 1);
      await serves();
    });
});

/** A good request is served, and nothing stray came before it. */
async function serves(): Promise<void> {
  guarded.service.reset();
  await guarded.serves();
}

describe('A23: bytes', () => {
  test('go both ways as they are', async () => {
    const { wire, socket, received } = await open();
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, at) => at));
    wire.send(bytes);
    await until(() => received().length === 256, 'the bytes arrive');
    assert.equal(received(), bytes.toString('latin1'));
    socket.write(bytes);
    await until(() => wire.unread.length === 256, 'the answer arrives');
    assert.equal(wire.unread, bytes.toString('latin1'));
    wire.close();
  });

  test('a request in the tunnel is bytes to the service, and no request of ours', async () => {
    const { wire, received } = await open();
    const bytes = guarded.proven({ target: '/tunnelled' });
    wire.send(bytes);
    await until(() => received().length === bytes.length, 'the bytes arrive');
    assert.equal(received(), bytes);
    wire.close();
    // Without a token, so that no service is asked: what is logged behind it would be in front of it.
    await guarded.sidecar.send(request({ target: '/behind-the-tunnel' }));
    const logged = (path: string) => guarded.sidecar.child.events.some((event) => event.path === path);
    await until(() => logged('/behind-the-tunnel'), 'the event');
    assert.ok(!logged('/tunnelled'));
  });

  test('the handshake reaches the service in the order in which it was sent', async () => {
    const sent = [...handshake.slice(2), 'X-B: 1', 'x-a: 1', 'X-A: 2', 'Cookie: c=d', 'X-B: 2'];
    guarded.service.script = (seen) => switching(seen);
    const wire = await guarded.open();
    wire.send(guarded.proven({ target: '/ws', headers: [...handshake.slice(0, 2), ...sent] }));
    assert.equal((await wire.response()).status, 101);
    const lines = guarded.service.last.headers.map(([name, value]) => `${name}: ${value}`);
    assert.equal(lines[0], 'Host: api.test');
    // Lines of one name stand together, in its first spelling.
    const passed = [...handshake.slice(2), 'X-B: 1', 'X-B: 2', 'x-a: 1', 'x-a: 2', 'Cookie: c=d'];
    assert.deepEqual(lines.slice(1, 1 + passed.length), passed);
    wire.close();
  });

  test('trap H17: what was sent ahead waits for the 101, and is not lost', async () => {
    let answer = () => {};
    const chunks: Buffer[] = [];
    guarded.service.script = (seen, socket) => {
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer = () => void socket.write(switching(seen));
      return undefined;
    };
    const wire = await guarded.open();
    wire.send(`${guarded.proven({ target: '/ws', headers: handshake })}with the head `);
    await until(() => guarded.service.requests.length === 1, 'the request arrives');
    const { bytes } = guarded.service;
    wire.send('behind it ');
    // A round trip through the process, so that it has seen what was sent before.
    await guarded.sidecar.admin('/livez');
    assert.equal(guarded.service.bytes, bytes, 'nothing before the 101');
    answer();
    assert.equal((await wire.response()).status, 101);
    wire.send('after it');
    const whole = 'with the head behind it after it';
    await until(() => Buffer.concat(chunks).length >= whole.length, 'everything arrives');
    assert.equal(Buffer.concat(chunks).toString(), whole);
    wire.close();
  });

  test('what came with the 101 is not lost', async () => {
    const { wire } = await open({ behind: 'first frame' });
    await until(() => wire.unread.length >= 11, 'the frame arrives');
    assert.equal(wire.unread, 'first frame');
    wire.close();
  });

  describe('trap H17: more than is kept is sent ahead', () => {
    /** The service's answer comes when everything has been sent, which is more than fits into the buffers on the way. */
    const flood = async (answer: (seen: SeenRequest) => string) => {
      let reply = () => {};
      let socket: Socket | undefined;
      guarded.service.script = (seen, one) => {
        socket = one;
        reply = () => void one.write(answer(seen));
        return undefined;
      };
      const wire = await guarded.open();
      wire.send(guarded.proven({ target: '/ws', headers: handshake }));
      await until(() => socket !== undefined, 'the request arrives');
      const { bytes } = guarded.service;
      await new Promise((resolve) => wire.socket.write(Buffer.alloc(32 * 1024 * 1024), resolve));
      reply();
      return { wire, socket, nothingCame: () => assert.equal(guarded.service.bytes, bytes) };
    };

    test('a service that agrees gets none of it, and both connections end', async () => {
      const { wire, socket, nothingCame } = await flood((seen) => switching(seen));
      await wire.closed();
      await until(() => socket?.destroyed === true, 'the service is let go');
      nothingCame();
      await serves();
    });

    test('twin: the refusal of a service arrives', async () => {
      const { wire, nothingCame } = await flood(() => 'HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno');
      assert.equal((await wire.response()).status, 403);
      assert.equal(await wire.closed(), '');
      nothingCame();
      await serves();
    });

    test('twin: as much as is kept, in many pieces, arrives whole', async () => {
      let answer: (() => void) | undefined;
      const chunks: Buffer[] = [];
      guarded.service.script = (seen, socket) => {
        socket.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer = () => void socket.write(switching(seen));
        return undefined;
      };
      const wire = await guarded.open();
      wire.socket.setNoDelay(true);
      wire.send(guarded.proven({ target: '/ws', headers: handshake }));
      await until(() => answer !== undefined, 'the request arrives');
      const ahead = Buffer.from(Array.from({ length: 64 * 1024 }, (_, at) => at % 251));
      for (let at = 0; at < ahead.length; at += 128) {
        await new Promise((resolve) => wire.socket.write(ahead.subarray(at, at + 128), resolve));
        // A turn of the other process, for which this is a piece of its own.
        if (at % 1024 === 0) await guarded.sidecar.admin('/livez');
      }
      answer?.();
      assert.equal((await wire.response()).status, 101);
      await until(() => Buffer.concat(chunks).length >= ahead.length, 'everything arrives');
      assert.ok(Buffer.concat(chunks).equals(ahead));
      wire.close();
    });
  });

  for (const from of ['client', 'service'] as const)
    test(`S08: a slow reader slows the ${from}`, async () => {
      const { wire, socket } = await open();
      const [fast, slow] = from === 'client' ? [wire.socket, socket] : [socket, wire.socket];
      slow.pause();
      const chunk = Buffer.alloc(256 * 1024);
      let written = 0;
      let read = 0;
      // As much as fits into the buffers on the way, which is not 256 MiB.
      while (written < 1024) {
        written++;
        if (!fast.write(chunk) && !(await drains(fast))) break;
      }
      assert.ok(written < 1024, `${written} chunks are on the way`);
      slow.on('data', (data: Buffer) => {
        read += data.length;
      });
      slow.resume();
      await until(() => read === written * chunk.length, 'everything arrives');
      wire.close();
    });
});

/** Whether the buffer empties within half a second. */
async function drains(socket: Socket): Promise<boolean> {
  const signal = AbortSignal.timeout(500);
  try {
    await once(socket, 'drain', { signal });
    return true;
  } catch {
    return false;
  }
}

describe('A23: the end', () => {
  const logged = (response: WireResponse) => guarded.sidecar.logged(response);

  test('the client ends: the service may still say goodbye', async () => {
    const { wire, socket, response } = await open();
    socket.allowHalfOpen = true;
    wire.socket.end('bye');
    await once(socket, 'end');
    socket.end('good bye');
    assert.equal(await wire.closed(), 'good bye');
    const event = await logged(response);
    assert.deepEqual([event.status, event.outcome, event.reason], [101, 'forwarded', undefined]);
  });

  test('the service ends its side: the client may still say goodbye', async () => {
    const { wire, socket, response } = await open();
    socket.allowHalfOpen = true;
    wire.socket.allowHalfOpen = true;
    const heard: string[] = [];
    socket.on('data', (bytes) => void heard.push(bytes.toString('latin1')));
    socket.end('bye');
    await once(wire.socket, 'end');
    wire.socket.end('good bye');
    await once(socket, 'end');
    assert.equal(heard.join(''), 'good bye');
    assert.equal(wire.unread, 'bye');
    const event = await logged(response);
    assert.deepEqual([event.status, event.outcome, event.reason], [101, 'forwarded', undefined]);
  });

  test('the service ends: the client gets everything, and the end', async () => {
    const { wire, socket, response } = await open();
    socket.end('good bye');
    assert.equal(await wire.closed(), 'good bye');
    assert.equal((await logged(response)).outcome, 'forwarded');
  });

  test('trap H20: the client resets: the service’s connection is closed', async () => {
    const { wire, socket, response } = await open();
    wire.socket.resetAndDestroy();
    await once(socket, 'close');
    assert.equal((await logged(response)).outcome, 'forwarded');
    await serves();
  });

  test('trap H20: the service resets: the client’s connection is closed', async () => {
    const { wire, socket, response } = await open();
    socket.resetAndDestroy();
    await wire.closed();
    const event = await logged(response);
    assert.deepEqual([event.outcome, event.reason], ['failed', 'ERR_UPSTREAM_RESPONSE_INVALID']);
    await serves();
  });

  test('S08: silence in both directions ends it', async () => {
    const { wire, socket, response } = await open();
    await Promise.all([wire.closed(), once(socket, 'close')]);
    const event = await logged(response);
    assert.deepEqual([event.status, event.outcome, event.reason], [101, 'forwarded', 'websocket_idle']);
  });

  test('S08: it is counted', async () => {
    const series = 'holdfast_streams_ended_total{route="/**",reason="websocket_idle"}';
    const before = await guarded.sidecar.metric(series);
    const { wire, response } = await open();
    await wire.closed();
    await logged(response);
    assert.equal(await guarded.sidecar.metric(series), before + 1);
  });

  test('S08: twin: one direction keeps it open', async () => {
    const { wire, socket } = await open();
    const started = performance.now();
    const timer = setInterval(() => socket.write('.'), 100);
    await until(() => performance.now() - started > 3500, 'more than the limit has passed');
    assert.ok(wire.unread.length > 10);
    wire.send('x');
    assert.equal(socket.destroyed, false);
    clearInterval(timer);
    wire.close();
  });

  describe('S08: one that was sent ahead, behind another request, is no idle connection', () => {
    let guarded: Guarded;
    before(async () => {
      guarded = await Guarded.start({
        config: {
          listen: { limits: { idleTimeout: '100ms' } },
          upstream: { streamIdleTimeout: '4s', responseTimeout: '4s' },
          routes: [{ path: '/**', websocket: true }],
        },
      });
    });
    after(() => guarded.stop());

    const second = async (script: (seen: SeenRequest) => string | undefined) => {
      guarded.service.script = (seen) =>
        seen.line.includes('/ws') ? script(seen) : 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
      const wire = await guarded.open();
      wire.send(guarded.proven({ target: '/first' }) + guarded.proven({ target: '/ws', headers: handshake }));
      assert.equal((await wire.response()).status, 200);
      const response = await wire.response();
      assert.equal(await wire.closed(), '');
      return { response, event: await guarded.sidecar.logged(response) };
    };

    test('open, it ends when it has been silent for as long as any', async () => {
      const { response, event } = await second((seen) => switching(seen));
      assert.equal(response.status, 101);
      assert.equal(event.reason, 'websocket_idle');
    });

    test('still waiting for the service, it ends with the answer that is due', async () => {
      const { response, event } = await second(silent);
      assert.equal(response.status, 504);
      assert.equal(event.reason, 'ERR_UPSTREAM_TIMEOUT');
    });
  });

  test('S08: a client that has ended does not keep a silent service', async () => {
    const { wire, socket, response } = await open();
    socket.allowHalfOpen = true;
    wire.socket.end();
    await once(socket, 'end');
    await wire.closed();
    assert.equal((await logged(response)).outcome, 'forwarded');
    socket.destroy();
  });

  test('S09: an open WebSocket holds a place at the service', async () => {
    const all = [await open(), await open(), await open(), await open()];
    guarded.service.reset();
    const refused = await guarded.send();
    assert.equal(refused.status, 503);
    assert.equal((await logged(refused)).reason, 'ERR_UPSTREAM_BUSY');
    for (const { wire } of all) wire.close();
    for (const { response } of all) await logged(response);
    await serves();
  });
});

describe('H17: a service that does not switch', () => {
  const send = async (answer: string, more = '') => {
    guarded.service.script = () => answer;
    const wire = await guarded.open();
    wire.send(guarded.proven({ target: '/ws', headers: handshake }) + more);
    return { wire, response: await wire.response() };
  };

  for (const [title, answer, body] of [
    [
      '403 with a length',
      'HTTP/1.1 403 Odd Reason\r\nContent-Length: 2\r\nX-Auth-Subject: x\r\n\r\nno',
      'no',
    ],
    [
      '404 in chunks',
      'HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nn\r\n1\r\no\r\n0\r\n\r\n',
      'no',
    ],
    ['401 with a challenge', 'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n', ''],
    ['200', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', 'ok'],
    ['204', 'HTTP/1.1 204 OK\r\n\r\n', ''],
    ['426', 'HTTP/1.1 426 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 0\r\n\r\n', ''],
    ['302', 'HTTP/1.1 302 x\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n', ''],
  ] as const)
    test(`trap H17: ${title} reaches the client, what follows reaches nobody`, async () => {
      const { wire, response } = await send(answer, guarded.proven({ target: '/smuggled' }));
      assert.equal(response.status, Number(answer.slice(9, 12)));
      assert.equal(response.body, body);
      assert.equal(response.one('connection'), 'close');
      assert.deepEqual(response.all('x-auth-subject'), []);
      assert.deepEqual(response.all('upgrade'), []);
      assert.match(response.one('x-request-id') ?? '', /^[0-9a-f-]{36}$/);
      wire.send(guarded.proven({ target: '/smuggled' }));
      assert.equal(await wire.closed(), '');
      assert.equal((await guarded.sidecar.logged(response)).outcome, 'forwarded');
      assert.equal(guarded.service.requests.length, 1);
      await serves();
    });

  test('B11: a refusal that breaks off has no valid end', async () => {
    const wire = await guarded.open();
    guarded.service.script = (_, socket) => {
      socket.end('HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n');
      return undefined;
    };
    wire.send(guarded.proven({ target: '/ws', headers: handshake }));
    assert.doesNotMatch(await wire.closed(), /\r\n0\r\n/);
  });

  test('B14: a long one arrives whole', async () => {
    const body = 'x'.repeat(8 * 1024 * 1024);
    const { wire, response } = await send(`HTTP/1.1 403 No\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    assert.equal(response.body.length, body.length);
    assert.equal(await wire.closed(), '');
  });

  test('B10: what is no answer: 502', async () => {
    for (const answer of ['HTTP/1.1 099 x\r\n\r\n', 'garbage\r\n\r\n']) {
      const { response } = await send(answer);
      assert.equal(response.status, 502);
    }
  });

  test('A25: one that closes: 502', async () => {
    guarded.service.script = (_, socket) => {
      socket.destroy();
      return undefined;
    };
    const response = await guarded.send({ target: '/ws', headers: handshake });
    assert.equal(response.status, 502);
  });
});

describe('H5, H5b: a client that leaves while its upgrade is decided on', () => {
  for (const [how, leave] of [
    ['ends', (wire: Wire) => void wire.socket.end()],
    ['closes', (wire: Wire) => wire.close()],
    ['resets', (wire: Wire) => void wire.socket.resetAndDestroy()],
    ['sends ahead and closes', (wire: Wire) => void wire.socket.end('frames')],
    [
      'sends ahead more than is kept and resets',
      (wire: Wire) => void wire.socket.write(Buffer.alloc(200_000), () => wire.socket.resetAndDestroy()),
    ],
  ] as const)
    test(`one that ${how}: the service’s connection is closed, and it is logged as that`, async () => {
      let socket: Socket | undefined;
      guarded.service.script = (_, one) => {
        socket = one;
        return undefined;
      };
      const wire = await guarded.open();
      wire.send(guarded.proven({ target: `/ws/${how.replaceAll(' ', '-')}`, headers: handshake }));
      await until(() => socket !== undefined, 'the request arrives');
      leave(wire);
      if (socket !== undefined && !socket.destroyed) await once(socket, 'close');
      const event = await guarded.sidecar.child.event(
        ({ event, path }) => event === 'request' && path === `/ws/${how.replaceAll(' ', '-')}`,
      );
      assert.deepEqual([event.outcome, event.status, event.reason], ['aborted', 0, undefined]);
      await serves();
    });

  test('S11: leaving at any moment, whatever the service does, costs nothing that lasts', async () => {
    const scripts = [
      silent,
      (seen: SeenRequest) => `${switching(seen)}frames`,
      () => 'HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno',
      () => 'HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n',
      (seen: SeenRequest) => switching(seen).replace('Accept: ', 'Accept: x'),
      (_: SeenRequest, socket: Socket) => void socket.resetAndDestroy(),
      (seen: SeenRequest, socket: Socket) =>
        void socket.write(switching(seen), () => socket.resetAndDestroy()),
    ];
    const leaves = [
      (wire: Wire) => wire.close(),
      (wire: Wire) => void wire.socket.resetAndDestroy(),
      (wire: Wire) => void wire.socket.end('frames'),
    ];
    for (let round = 0; round < 210; round++) {
      const script = scripts[round % scripts.length];
      const leave = leaves[round % leaves.length];
      if (script !== undefined) guarded.service.script = script;
      const wire = await guarded.open();
      wire.send(`${guarded.proven({ target: '/ws', headers: handshake })}frames`);
      // 0 to 6 turns through the process: before, during and after the decision and the 101.
      for (let turn = 0; turn < Math.floor(round / 21) % 7; turn++)
        await new Promise((resolve) => setImmediate(resolve));
      leave?.(wire);
      await wire.closed();
    }
    await until(
      async () => (await guarded.sidecar.metric('holdfast_connections{listener="public"}')) === 0,
      'no connection is left',
    );
    // A place each: none was lost.
    const all = [await open(), await open(), await open(), await open()];
    for (const { wire } of all) wire.close();
    for (const { response } of all) await guarded.sidecar.logged(response);
    await serves();
  });

  test('many of them at once cost nothing that lasts', async () => {
    guarded.service.script = silent;
    const wires = await Promise.all(Array.from({ length: 100 }, () => guarded.open()));
    for (const wire of wires) wire.send(guarded.proven({ target: '/ws', headers: handshake }));
    // Until each of the others has its refusal: whichever were still to be decided would get the places set free.
    const busy = () => wires.filter(({ unread }) => unread.startsWith('HTTP/1.1 503 ')).length;
    await until(() => busy() === wires.length - 4, 'all are refused but as many as there are places');
    assert.equal(guarded.service.requests.length, 4);
    for (const [at, wire] of wires.entries()) {
      if (at % 2 === 0) wire.close();
      else wire.socket.resetAndDestroy();
    }
    await until(() => guarded.service.open === 0, 'the service is let go');
    await serves();
    await until(
      async () => (await guarded.sidecar.metric('holdfast_connections{listener="public"}')) === 0,
      'no connection is left',
    );
  });
});
