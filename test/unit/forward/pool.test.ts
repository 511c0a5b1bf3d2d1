import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import test from 'node:test';
import { Fault } from '#holdfast/denial/fault.js';
import { Pool } from '#holdfast/forward/pool.js';

const longMs = 60_000;
const client = () => new EventEmitter();
const isBusy = (error: unknown) =>
  error instanceof Fault && error.code === 'ERR_UPSTREAM_BUSY' && error.entry.status === 503;
/** Whether the promise has an answer by now: every continuation that is due has run. */
const isSettled = async (promise: Promise<unknown>) => {
  let settled = false;
  promise.then(
    () => (settled = true),
    () => (settled = true),
  );
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
};

/** As a promise, also where the pool has a place at once. */
const enter = async (pool: Pool, waiting: EventEmitter) => pool.enter(waiting);

test('S09: as many as there are connections enter at once, the next ones wait in order', async () => {
  const pool = new Pool({ connections: 2, queueLength: 2, queueWaitMs: longMs });
  const leave = [await enter(pool, client()), await enter(pool, client())];
  const third = enter(pool, client());
  const fourth = enter(pool, client());
  assert.equal(await isSettled(third), false);
  leave[0]?.();
  assert.equal(await isSettled(third), true);
  assert.equal(await isSettled(fourth), false);
  (await third)();
  (await fourth)();
  leave[1]?.();
});

test('S09: beyond the queue the answer is 503 at once', async () => {
  const pool = new Pool({ connections: 1, queueLength: 1, queueWaitMs: longMs });
  const leave = await enter(pool, client());
  const waiting = enter(pool, client());
  await assert.rejects(enter(pool, client()), isBusy);
  leave();
  (await waiting)();
  (await enter(pool, client()))();
});

test('S09: nobody waits longer than the limit, and the place is not lost', async () => {
  const pool = new Pool({ connections: 1, queueLength: 1, queueWaitMs: 1 });
  const leave = await enter(pool, client());
  await assert.rejects(enter(pool, client()), isBusy);
  leave();
  (await enter(pool, client()))();
});

test('trap H5b: a client that leaves while it waits gives its place in the queue up', async () => {
  const pool = new Pool({ connections: 1, queueLength: 1, queueWaitMs: longMs });
  const leave = await enter(pool, client());
  const gone = client();
  const waiting = enter(pool, gone);
  gone.emit('close');
  await assert.rejects(waiting, isBusy);
  assert.equal(gone.listenerCount('close'), 0);
  const next = enter(pool, client());
  leave();
  (await next)();
});

test('S09: a place that is given back twice is one place', async () => {
  const pool = new Pool({ connections: 1, queueLength: 1, queueWaitMs: longMs });
  const leave = await enter(pool, client());
  leave();
  leave();
  const second = await enter(pool, client());
  const third = enter(pool, client());
  assert.equal(await isSettled(third), false, 'still one connection, not two');
  second();
  (await third)();
});

test('S09: whoever was served leaves no listener on its client', async () => {
  const pool = new Pool({ connections: 1, queueLength: 1, queueWaitMs: longMs });
  const leave = await enter(pool, client());
  const one = client();
  const waiting = enter(pool, one);
  leave();
  (await waiting)();
  assert.equal(one.listenerCount('close'), 0);
});
