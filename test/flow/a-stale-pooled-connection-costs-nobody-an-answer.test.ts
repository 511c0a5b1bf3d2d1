import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { Guarded, until } from '../support/guarded.js';

let guarded: Guarded;
before(async () => {
  guarded = await Guarded.start({ config: { upstream: { poolIdleTimeout: '30s' } } });
});
after(() => guarded.stop());

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
let used: WeakSet<Socket>;
/** The service closes a connection the moment it is used again: the race that idle connections lose. */
beforeEach(() => {
  used = new WeakSet();
  guarded.service.reset();
  guarded.service.script = (_, socket) => {
    if (used.has(socket)) {
      socket.destroy();
      return undefined;
    }
    used.add(socket);
    return ok;
  };
});

test('B14, trap H19: 100 GETs over connections that go stale: no 502', async () => {
  const wire = await guarded.open();
  for (let i = 0; i < 100; i++) {
    wire.send(guarded.proven({ target: '/a' }));
    assert.equal((await wire.response()).status, 200, `request ${i}`);
  }
  wire.close();
});

test('B14: many idle connections that are all stale: still no 502', async () => {
  const held: Socket[] = [];
  const { script } = guarded.service;
  guarded.service.script = (_, socket) => {
    used.add(socket);
    held.push(socket);
    return undefined;
  };
  const wires = await Promise.all(Array.from({ length: 8 }, () => guarded.open()));
  for (const wire of wires) wire.send(guarded.proven({ target: '/fill' }));
  await until(() => held.length === wires.length, 'eight connections in use');
  guarded.service.script = script;
  for (const socket of held) socket.write(ok);
  for (const wire of wires) {
    assert.equal((await wire.response()).status, 200);
    wire.close();
  }
  for (let i = 0; i < wires.length; i++) assert.equal((await guarded.send({ target: '/a' })).status, 200);
});

for (const [method, body] of [
  ['POST', 'hi'],
  ['POST', ''],
  ['PATCH', ''],
  ['PUT', 'hi'],
  ['PROPFIND', 'hi'],
] as const) {
  test(`B14: ${method} ${body === '' ? 'without' : 'with'} a body is never sent twice`, async () => {
    assert.equal((await guarded.send({ target: '/warm' })).status, 200);
    const headers = body === '' ? [] : [`Content-Length: ${body.length}`];
    const response = await guarded.send({ method, target: '/once', headers, body });
    assert.equal(response.status, 502);
    assert.equal((await guarded.sidecar.logged(response)).reason, 'ERR_UPSTREAM_RESPONSE_INVALID');
    assert.equal(guarded.service.requests.filter(({ line }) => line.includes('/once')).length, 1);
    assert.equal((await guarded.send({ target: '/after' })).status, 200);
  });
}

for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']) {
  test(`B14: ${method} without a body is sent once more, on a fresh connection`, async () => {
    assert.equal((await guarded.send({ target: '/warm' })).status, 200);
    const { connections } = guarded.service;
    assert.equal((await guarded.send({ method, target: '/twice' })).status, 200);
    assert.equal(guarded.service.connections, connections + 1);
  });
}

test('B14: a request that a fresh connection broke is not repeated', async () => {
  guarded.service.script = (_, socket) => {
    socket.destroy();
    return undefined;
  };
  await until(async () => (await guarded.send({ target: '/a' })).status === 502, 'a 502');
  guarded.service.reset();
  guarded.service.script = (_, socket) => {
    socket.destroy();
    return undefined;
  };
  assert.equal((await guarded.send({ target: '/fresh' })).status, 502);
  assert.equal(guarded.service.requests.length, 1);
});

test('B14: an answer that had begun is not repeated', async () => {
  guarded.service.reset();
  await guarded.serves();
  guarded.service.reset();
  guarded.service.script = (_, socket) => {
    socket.end('HTTP/1.1 200 OK\r\nX-A');
    return undefined;
  };
  assert.equal((await guarded.send({ target: '/begun' })).status, 502);
  assert.equal(guarded.service.requests.length, 1);
});

test('trap H18: connections to the service are reused', async () => {
  guarded.service.reset();
  await guarded.serves();
  const { connections } = guarded.service;
  for (let i = 0; i < 10; i++) await guarded.serves();
  assert.equal(guarded.service.connections, connections);
});
