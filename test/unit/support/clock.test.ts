import assert from 'node:assert/strict';
import test from 'node:test';
import { monotonicClock, nowSeconds } from '#holdfast/support/clock.js';

test('I09: a step back of the wall clock does not turn time back by more than a second', () => {
  let wallMs = 1_000_000_000;
  const steps: number[] = [];
  const clock = monotonicClock(
    () => wallMs,
    (ms) => steps.push(ms),
  );
  assert.equal(clock.nowMs(), 1_000_000_000);

  wallMs -= 120_000;
  assert.equal(clock.nowMs(), 1_000_000_000 - 1000);
  wallMs += 60_000;
  assert.equal(clock.nowMs(), 1_000_000_000 - 1000, 'time stands still until the wall clock has caught up');
  assert.deepEqual(steps, [120_000, 60_000]);

  wallMs = 1_000_000_001;
  assert.equal(clock.nowMs(), 1_000_000_001);
});

test('I09: a step back of up to a second is ordinary jitter and raises no alarm', () => {
  let wallMs = 5_000_000;
  let alarms = 0;
  const clock = monotonicClock(
    () => wallMs,
    () => alarms++,
  );
  clock.nowMs();
  wallMs -= 1000;
  assert.equal(clock.nowMs(), 4_999_000);
  assert.equal(alarms, 0);
  wallMs -= 1;
  assert.equal(clock.nowMs(), 4_999_000);
  assert.equal(alarms, 1);
});

test('RFC 7519 §2: NumericDate is whole seconds, rounded down', () => {
  assert.equal(nowSeconds({ nowMs: () => 1999 }), 1);
  assert.equal(nowSeconds({ nowMs: () => 2000 }), 2);
});
