import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { VerificationQueue } from '#holdfast/proof/verification-queue.js';

const busyForMs = (ms: number) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};

test('each task gets its own result, or its own error', async () => {
  const queue = new VerificationQueue();
  const [good, bad, other] = await Promise.allSettled([
    queue.run(() => true),
    queue.run(() => {
      throw new Error('openssl');
    }),
    queue.run(() => false),
  ]);
  assert.deepEqual(good, { status: 'fulfilled', value: true });
  assert.equal(bad.status, 'rejected');
  assert.deepEqual(other, { status: 'fulfilled', value: false });
});

test('nothing runs before the turn in which it came is over', async () => {
  const queue = new VerificationQueue();
  let ran = 0;
  const results = Promise.all([queue.run(() => ran++), queue.run(() => ran++)]);
  await Promise.resolve();
  assert.equal(ran, 0);
  assert.deepEqual(await results, [0, 1]);
});

test('G19: many verifications do not hold up what else there is to do', async () => {
  const queue = new VerificationQueue();
  let ran = 0;
  const slow = Array.from({ length: 5 }, () =>
    queue.run(() => {
      busyForMs(3);
      ran++;
    }),
  );
  await nextTurn();
  assert.equal(ran, 1, 'one that takes longer than a turn ends the turn');
  await queue.run(() => assert.equal(ran, 5, 'what comes later waits its turn'));
  await Promise.all(slow);
});
