import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { Guarded, until } from '../support/guarded.js';
import { growthBy, megabyte } from '../support/memory.js';
import { request } from '../support/sidecar.js';
import type { Wire } from '../support/wire.js';

// Without these bounds they take 350 to 800 MB, and as much again with twice as many connections.
const boundBytes = 250 * megabyte;
const pieces = 10_000;
const inChunksOfOne = '1\r\na\r\n'.repeat(pieces);
const chunked = 'Transfer-Encoding: chunked';

let guarded: Guarded;
before(async () => {
  guarded = await Guarded.start({
    config: { routes: [{ path: '/public/**', proof: 'none' }, { path: '/**' }] },
  });
});
beforeEach(() => guarded.service.reset());
after(() => guarded.stop());

/** On so many connections. */
async function openAll(count: number): Promise<Wire[]> {
  return Promise.all(Array.from({ length: count }, () => guarded.open()));
}

async function grows(bytes: number): Promise<void> {
  assert.ok(bytes < boundBytes, `${bytes} bytes more`);
  await guarded.serves();
}

test('S09: requests sent ahead, beyond those that are served', async () => {
  const wires = await openAll(100);
  const bytes = await growthBy(guarded.sidecar, async () => {
    // As many as come with one read from a connection.
    for (const wire of wires) wire.send('GET / HTTP/1.1\r\nHost:x\r\n\r\n'.repeat(2500));
    for (const wire of wires)
      for (let at = 0; at < 64; at++) assert.equal((await wire.response()).status, 421);
    for (const wire of wires) assert.equal(await wire.closed(), '');
  });
  await grows(bytes);
});

test('S09, A15: bodies in chunks of one byte, of requests that are refused', async () => {
  const wires = await openAll(100);
  const bytes = await growthBy(guarded.sidecar, async () => {
    for (const wire of wires) wire.send(request({ method: 'POST', headers: [chunked], body: inChunksOfOne }));
    for (const wire of wires) assert.equal((await wire.response()).status, 401);
  });
  for (const wire of wires) wire.close();
  await grows(bytes);
});

test('S09, A15: the same for a service that is slow to read, to which they arrive whole', async () => {
  const wires = await openAll(50);
  const target = '/public/upload';
  const bytes = await growthBy(guarded.sidecar, async () => {
    for (const wire of wires)
      wire.send(request({ method: 'POST', target, headers: [chunked], body: `${inChunksOfOne}0\r\n\r\n` }));
    for (const wire of wires) assert.equal((await wire.response()).status, 200);
  });
  for (const wire of wires) wire.close();
  assert.equal(guarded.service.requests.length, wires.length);
  for (const { body } of guarded.service.requests) assert.equal(body, 'a'.repeat(pieces));
  await grows(bytes);
});

test('twin: answers in chunks of one byte arrive whole, in few chunks', async () => {
  guarded.service.script = () => `HTTP/1.1 200 OK\r\n${chunked}\r\n\r\n${inChunksOfOne}0\r\n\r\n`;
  const wire = await guarded.open();
  wire.send(request({ target: '/public/download' }));
  await until(() => wire.unread.endsWith('\r\n0\r\n\r\n'), 'the end of the answer');
  assert.ok(wire.unread.length < pieces * 1.5, `${wire.unread.length} bytes`);
  assert.equal((await wire.response()).body, 'a'.repeat(pieces));
  wire.close();
});
