import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import test from 'node:test';
import { Fault } from '#holdfast/denial/fault.js';
import type { Requester } from '#holdfast/forward/callers.js';
import { Pool } from '#holdfast/forward/pool.js';
import { makeFacts } from '../../support/facts.js';
import { makeAdmission, makeGrant, makePublicGrant } from '../../support/grants.js';

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

const clientOf = (clientId: string, issuer = 'https://login.example'): Requester =>
  makeAdmission(makeFacts(), makeGrant({ clientId, issuer }));
const strangerAt = (remoteAddress: string): Requester =>
  makeAdmission({ ...makeFacts(), remoteAddress }, makePublicGrant());

/** As a promise, also where the pool has a place at once. */
const enter = async (pool: Pool, waiting: EventEmitter, requester = clientOf('app')) =>
  pool.enter(requester, waiting);

test('S09: as many as there are connections enter at once, the next ones wait in order', async () => {
  const pool = new Pool({ connections: 2, queueLength: 2, queueWaitMs: longMs });
  const enterAs = (clientId: string) => enter(pool, client(), clientOf(clientId));
  const leave = [await enterAs('a'), await enterAs('b')];
  const third = enterAs('c');
  const fourth = enterAs('d');
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

test('S14: strangers of one address wait for a share, and a client passes them', async () => {
  const refused: string[] = [];
  const pool = new Pool({
    ...{ connections: 16, queueLength: 16, queueWaitMs: longMs },
    refused: (kind, cause) => refused.push(`${kind} ${cause}`),
  });
  const held = await Promise.all([1, 2, 3, 4].map(() => enter(pool, client(), strangerAt('2001:db8::1'))));
  const waiting = [1, 2, 3, 4].map(() => enter(pool, client(), strangerAt('2001:db8::2')));
  assert.equal(await isSettled(Promise.race(waiting)), false, 'the same /64');
  await assert.rejects(enter(pool, client(), strangerAt('2001:db8::3')), isBusy);
  assert.deepEqual(refused, ['stranger queue_full']);
  assert.deepEqual([pool.inFlight('stranger'), pool.waiting('stranger')], [4, 4]);

  const leaveClient = await enter(pool, client());
  const other = await enter(pool, client(), strangerAt('2001:db8:0:1::1'));
  leaveClient();
  assert.equal(await isSettled(Promise.race(waiting)), false, 'nobody else gave a place back');
  other();
  for (const leave of held) leave();
  for (const leave of await Promise.all(waiting)) leave();
  assert.deepEqual([pool.inFlight('stranger'), pool.waiting('stranger'), pool.callerCount], [0, 0, 0]);
});

test('S14: a client of that name of another issuer is another client', async () => {
  const pool = new Pool({ connections: 16, queueLength: 16, queueWaitMs: longMs });
  const flood = Array.from({ length: 12 }, () => pool.enter(clientOf('app'), client()));
  const leaving = client();
  const beyond = enter(pool, leaving, clientOf('app'));
  assert.ok(flood.every((one) => typeof one === 'function'));
  assert.equal(await isSettled(beyond), false);
  const other = pool.enter(clientOf('app', 'https://other.example'), client());
  assert.ok(typeof other === 'function', 'at once');
  leaving.emit('close');
  await assert.rejects(beyond, isBusy);
});

test('S14: callers that wait take turns, whatever each of them has waiting', async () => {
  const pool = new Pool({ connections: 1, queueLength: 64, queueWaitMs: longMs });
  const leave = await enter(pool, client());
  const served: string[] = [];
  const wait = async (name: string, requester: Requester) => {
    const done = await enter(pool, client(), requester);
    served.push(name);
    done();
  };
  const all = [
    ...[1, 2, 3].map(() => wait('a', clientOf('a'))),
    wait('b', clientOf('b')),
    ...[1, 2].map(() => wait('s', strangerAt('192.0.2.1'))),
    wait('t', strangerAt('192.0.2.2')),
  ];
  leave();
  await Promise.all(all);
  // By kind in turn, and of each kind by caller in turn.
  assert.deepEqual(served, ['a', 's', 'b', 't', 'a', 's', 'a']);
  assert.equal(pool.callerCount, 0);
});

test('S14: nothing is kept of callers who were refused or have gone', async () => {
  const pool = new Pool({ connections: 1, queueLength: 1, queueWaitMs: 1 });
  const leave = await enter(pool, client());
  const gone = client();
  const waiting = enter(pool, gone, clientOf('b'));
  await assert.rejects(enter(pool, client(), clientOf('c')), isBusy);
  gone.emit('close');
  await assert.rejects(waiting, isBusy);
  await assert.rejects(enter(pool, client(), clientOf('d')), isBusy);
  leave();
  assert.equal(pool.callerCount, 0);
});
