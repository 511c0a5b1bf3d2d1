import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as net from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { makeCa } from '../support/certificates.js';
import { makeDpopKey } from '../support/dpop.js';
import { Guarded, until } from '../support/guarded.js';
import { findFreePort } from '../support/ports.js';
import { RecordingService } from '../support/recording-service.js';
import { request, Sidecar } from '../support/sidecar.js';

let guarded: Guarded;
before(async () => {
  guarded = await Guarded.start({
    config: {
      listen: { limits: { headersTimeout: '300ms', requestTimeout: '2s', idleTimeout: '1s' } },
      upstream: { responseTimeout: '500ms', idleTimeout: '500ms', streamIdleTimeout: '5s' },
    },
  });
});
after(() => guarded.stop());
beforeEach(() => guarded.service.reset());

describe('S08: a client that is slow', () => {
  test('keeps its connection with empty lines: it ends as if it were silent', async () => {
    const wire = await guarded.open();
    wire.send(request());
    assert.equal((await wire.response()).status, 401);
    const trickle = setInterval(() => wire.socket.write('\r\n'), 100);
    wire.socket.on('error', () => {});
    await wire.closed();
    clearInterval(trickle);
  });

  const slow: readonly { title: string; bytes: string }[] = [
    { title: 'sends nothing', bytes: '' },
    { title: 'stops in the request line', bytes: 'GET /a' },
    { title: 'stops in the head', bytes: 'GET /a HTTP/1.1\r\nHost: api.test\r\nX-A:' },
  ];
  for (const { title, bytes } of slow) {
    test(`${title}: 408 or nothing, and the connection ends`, async () => {
      const wire = await guarded.open();
      wire.send(bytes);
      const received = await wire.closed();
      if (bytes !== '') {
        assert.match(received, /^HTTP\/1\.1 408 /);
        assert.match(received, /\r\nX-Request-Id: [0-9a-f-]{36}\r\n/);
        assert.match(received, /\r\nConnection: close\r\n/i);
        const id = /X-Request-Id: (\S+)/.exec(received)?.[1];
        const event = await guarded.sidecar.child.event(({ request_id }) => request_id === id);
        assert.equal(event.reason, 'request_timeout');
      }
      assert.equal(guarded.service.bytes, 0);
      await guarded.serves();
    });
  }

  test('drips its head byte by byte: 408, and the connection ends', async () => {
    const wire = await guarded.open();
    const timer = setInterval(() => wire.send('a'), 50);
    wire.send('GET /a HTTP/1.1\r\nHost: api.test\r\nX-A: ');
    assert.match(await wire.closed(), /^HTTP\/1\.1 408 /);
    clearInterval(timer);
    assert.equal(guarded.service.bytes, 0);
    await guarded.serves();
  });

  for (const [framing, field, half] of [
    ['length', 'Content-Length: 10', 'half'],
    ['chunks', 'Transfer-Encoding: chunked', '4\r\nhalf\r\n'],
  ] as const)
    test(`stops in the body: 408, the connection ends, the service gets no whole request: ${framing}`, async () => {
      const wire = await guarded.open();
      wire.send(guarded.proven({ method: 'POST', target: '/a', headers: [field], body: half }));
      const response = await wire.response();
      assert.equal(response.status, 408);
      assert.equal(response.one('connection'), 'close');
      await wire.closed();
      const { outcome, reason } = await guarded.sidecar.logged(response);
      assert.deepEqual([outcome, reason], ['refused', 'request_timeout']);
      assert.deepEqual(guarded.service.requests, []);
      await guarded.serves();
    });

  test('twin: it is the service that stops reading: 504', async () => {
    const deaf = net.createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    await once(deaf, 'listening');
    const { port } = deaf.address() as net.AddressInfo;
    const sockets: net.Socket[] = [];
    deaf.on('connection', (socket) => void sockets.push(socket.on('error', () => {})));
    const other = await Guarded.start({
      config: { upstream: { url: `http://127.0.0.1:${port}`, responseTimeout: '500ms' } },
    });
    try {
      const wire = await other.open();
      const body = Buffer.alloc(32 * 1024 * 1024, 'x');
      wire.send(
        other.proven({ method: 'POST', target: '/a', headers: [`Content-Length: ${body.length + 1}`] }),
      );
      wire.send(body);
      const response = await wire.response();
      assert.equal(response.status, 504);
      assert.equal((await other.sidecar.logged(response)).reason, 'ERR_UPSTREAM_TIMEOUT');
      wire.close();
    } finally {
      await other.stop();
      for (const socket of sockets) socket.destroy();
      deaf.close();
    }
  });

  test('drips its body byte by byte: 408 or 504, the connection ends, the service gets no whole request', async () => {
    guarded.service.script = () => undefined;
    const wire = await guarded.open();
    wire.send(guarded.proven({ method: 'POST', target: '/a', headers: ['Content-Length: 1000'] }));
    const timer = setInterval(() => wire.send('a'), 50);
    const response = await wire.response();
    assert.ok([408, 504].includes(response.status), String(response.status));
    await wire.closed();
    clearInterval(timer);
    assert.deepEqual(guarded.service.requests, []);
    guarded.service.reset();
    await guarded.serves();
  });

  test('keeps a connection without a request: it ends without a word', async () => {
    const wire = await guarded.open();
    wire.send(guarded.proven({ target: '/a' }));
    assert.equal((await wire.response()).status, 200);
    assert.equal(await wire.closed(), '');
  });

  test('twin: sends its head in two parts in time', async () => {
    const bytes = guarded.proven({ target: '/a' });
    const wire = await guarded.open();
    wire.send(bytes.slice(0, 20));
    await new Promise((resolve) => setImmediate(resolve));
    wire.send(bytes.slice(20));
    assert.equal((await wire.response()).status, 200);
    wire.close();
  });
});

describe('S08, trap H18: a service that is slow', () => {
  test('says nothing: 504', async () => {
    guarded.service.script = () => undefined;
    const response = await guarded.send({ target: '/a' });
    assert.equal(response.status, 504);
    assert.equal((await guarded.sidecar.logged(response)).reason, 'ERR_UPSTREAM_TIMEOUT');
    await until(() => guarded.service.open === 0, 'the request at the service is ended');
    guarded.service.reset();
    await guarded.serves();
  });

  test('says nothing but 102 for ever: 504', async () => {
    let timer: NodeJS.Timeout | undefined;
    guarded.service.script = (_, socket) => {
      timer = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'), 100);
      socket.once('close', () => clearInterval(timer));
      return undefined;
    };
    const response = await guarded.send({ target: '/a' });
    clearInterval(timer);
    assert.equal(response.status, 504);
  });

  test('drips the head of its answer: 504', async () => {
    guarded.service.script = (_, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nX-A: ');
      const timer = setInterval(() => socket.write('a'), 100);
      socket.once('close', () => clearInterval(timer));
      return undefined;
    };
    const response = await guarded.send({ target: '/a' });
    assert.equal(response.status, 504);
  });

  test('falls silent in the middle of a body: the client sees it broken off', async () => {
    guarded.service.script = (_, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n');
      return undefined;
    };
    const wire = await guarded.open();
    wire.send(guarded.proven({ target: '/a' }));
    const received = await wire.closed();
    assert.match(received, /half/);
    assert.ok(!received.includes('0\r\n\r\n'));
    await until(() => guarded.service.open === 0, 'the request at the service is ended');
    guarded.service.reset();
    await guarded.serves();
  });

  test('twin: an event stream may be silent for longer', async () => {
    guarded.service.script = (_, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream\r\n\r\ndata: 1\n\n');
      setTimeout(() => socket.end('data: 2\n\n'), 1500); // three times upstream.idleTimeout
      return undefined;
    };
    const response = await guarded.send({ target: '/a' });
    assert.equal(response.body, 'data: 1\n\ndata: 2\n\n');
  });
});

describe('S08: a service that cannot be reached', () => {
  const publicRoute = {
    routes: [{ path: '/**', proof: 'none' }],
    issuers: [{ issuer: 'https://as.test', audience: 'x', keys: { file: 'jwks.json' } }],
  };
  const keySet = JSON.stringify({ keys: [{ ...makeDpopKey().jwk, kid: 'k1', alg: 'ES256', use: 'sig' }] });
  async function answer(upstream: unknown, files: Record<string, string> = {}) {
    const sidecar = await Sidecar.start({
      config: { ...publicRoute, upstream },
      files: { 'jwks.json': keySet, ...files },
    });
    try {
      const response = await sidecar.send(request());
      return { status: response.status, reason: (await sidecar.logged(response)).reason };
    } finally {
      await sidecar.stop();
    }
  }

  test('nobody listens: 502', async () => {
    const port = await findFreePort();
    assert.deepEqual(await answer(`http://127.0.0.1:${port}`), {
      status: 502,
      reason: 'ERR_UPSTREAM_UNREACHABLE',
    });
  });
  test('no unix socket: 502', async () => {
    assert.deepEqual(await answer('unix:/nowhere/to/be.sock'), {
      status: 502,
      reason: 'ERR_UPSTREAM_UNREACHABLE',
    });
  });
  test('a TLS handshake that does not end: 504 after connectTimeout', async () => {
    const silent = await RecordingService.start();
    const ca = await makeCa();
    try {
      const upstream = {
        url: `https://127.0.0.1:${silent.port}`,
        connectTimeout: '300ms',
        tls: { ca: 'ca.pem' },
      };
      assert.deepEqual(await answer(upstream, { 'ca.pem': ca.certPem }), {
        status: 504,
        reason: 'ERR_UPSTREAM_TIMEOUT',
      });
    } finally {
      await silent.stop();
    }
  });
});
