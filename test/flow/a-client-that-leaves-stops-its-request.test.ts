import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { Guarded, until } from '../support/guarded.js';

/** As many as one client gets of `connections`: no more than three times what it leaves (S14). */
const places = 20;
const connections = 27;
let guarded: Guarded;
before(async () => {
  guarded = await Guarded.start({ config: { upstream: { connections, responseTimeout: '60s' } } });
});
after(() => guarded.stop());
beforeEach(() => guarded.service.reset());

function openAtService(count: number): Promise<void> {
  return until(() => guarded.service.open === count, `${count} requests open at the service`);
}

async function leave(count: number, target: string): Promise<(() => void)[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const wire = await guarded.open();
      wire.send(guarded.proven({ target }));
      return () => wire.close();
    }),
  );
}

test('B12, trap H5: 20 clients that leave before an answer end 20 requests at the service', async () => {
  guarded.service.script = () => undefined;
  const clients = await leave(places, '/waits');
  await openAtService(places);
  for (const close of clients) close();
  await openAtService(0);
  guarded.service.reset();
  await guarded.serves();
});

test('B12: 20 clients that leave in the middle of an answer end 20 answers', async () => {
  guarded.service.script = (_, socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
    return undefined;
  };
  const wires = await Promise.all(Array.from({ length: places }, () => guarded.open()));
  for (const wire of wires) wire.send(guarded.proven({ target: '/half' }));
  await Promise.all(wires.map((wire) => until(() => wire.unread.endsWith('half'), 'half an answer')));
  await openAtService(places);
  for (const wire of wires) wire.close();
  await openAtService(0);
  guarded.service.reset();
  await guarded.serves();
});

test('B12: a client that leaves in the middle of its body ends the request', async () => {
  const { connections } = guarded.service;
  const wire = await guarded.open();
  const before = guarded.service.bytes;
  wire.send(guarded.proven({ method: 'POST', target: '/a', headers: ['Content-Length: 100'], body: 'half' }));
  await until(() => guarded.service.bytes > before, 'the beginning of the request');
  wire.close();
  await until(
    async () => (await guarded.sidecar.metric('holdfast_connections{listener="public"}')) === 0,
    'no connection left',
  );
  assert.deepEqual(guarded.service.requests, [], 'never a whole request');
  await guarded.serves();
  assert.ok(
    guarded.service.connections > connections,
    'the connection of the broken request is not used again',
  );
});

test('B12, B14: a request that was given up on a pooled connection is not taken for a stale one', async () => {
  await guarded.serves();
  const { connections } = guarded.service;
  guarded.service.reset();
  guarded.service.script = () => undefined;
  const [close] = await leave(1, '/given-up');
  await openAtService(1);
  assert.equal(guarded.service.connections, connections, 'it came over a pooled connection');
  close?.();
  await openAtService(0);
  guarded.service.script = () => 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
  await guarded.serves();
  assert.equal(guarded.service.requests.length, 2, 'the request that was given up, and the good one');
});

test('trap H5b: of clients that leave while they wait for a place, the service sees nothing', async () => {
  const held: Socket[] = [];
  guarded.service.script = (_, socket) => {
    held.push(socket);
    return undefined;
  };
  const holding = await leave(places, '/holds');
  await openAtService(places);
  const waiting = await leave(36, '/queued');
  await until(
    async () => (await guarded.sidecar.metric('holdfast_connections{listener="public"}')) === places + 36,
    'all are connected',
  );
  for (const close of waiting) close();
  await until(
    async () => (await guarded.sidecar.metric('holdfast_connections{listener="public"}')) === places,
    'those that waited are gone',
  );
  guarded.service.script = () => 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
  for (const socket of held) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  await guarded.serves();
  assert.deepEqual(
    guarded.service.requests.filter(({ line }) => line.includes('/queued')),
    [],
  );
  for (const close of holding) close();
});

test('each of them left one event in the log', async () => {
  const paths = ['/waits', '/half', '/queued'];
  const count = (path: string) =>
    guarded.sidecar.child.events.filter((event) => event.event === 'request' && event.path === path).length;
  await until(() => count('/waits') === places && count('/half') === places, 'the events');
  for (const path of paths) {
    for (const { outcome } of guarded.sidecar.child.events.filter((event) => event.path === path)) {
      assert.equal(outcome, 'aborted', path);
    }
  }
});

test('B12: a client that ends its sending side in the middle of the next request has gone', async () => {
  guarded.service.script = (_, socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n');
    return undefined;
  };
  const wire = await guarded.open();
  wire.send(`${guarded.proven({ target: '/stream' })}GET /next HTTP/1.1\r\nHost: api.te`);
  await until(() => wire.unread.includes('data: 1'), 'the first event');
  wire.socket.end();
  await openAtService(0);
  const event = await guarded.sidecar.child.event(({ path }) => path === '/stream');
  assert.equal(event.outcome, 'aborted');
});
