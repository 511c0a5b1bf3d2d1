import assert from 'node:assert/strict';
import { test } from 'node:test';
import { none } from '#holdfast/proof/replay/digest-table.js';
import { ExpiryWheel } from '#holdfast/proof/replay/expiry-wheel.js';

const start = 1_800_000_000;

function takeAll(wheel: ExpiryWheel, beforeSecond: number): number[] {
  const taken = [];
  for (let slot = wheel.take(beforeSecond); slot !== none; slot = wheel.take(beforeSecond)) taken.push(slot);
  return taken.sort();
}

test('I03: a slot comes up when its second is over, once, and not before', () => {
  const wheel = new ExpiryWheel(4, start);
  wheel.put(1, start);
  wheel.put(2, start + 1);
  wheel.put(3, start + 1);
  wheel.put(4, start + 1023);
  assert.deepEqual(takeAll(wheel, start), []);
  assert.deepEqual(takeAll(wheel, start + 1), [1]);
  assert.deepEqual(takeAll(wheel, start + 1), []);
  assert.deepEqual(takeAll(wheel, start + 1023), [2, 3]);
  assert.deepEqual(takeAll(wheel, start + 1024), [4]);
});

test('I03: a second beyond the turn comes up early, one in the past is not lost', () => {
  const wheel = new ExpiryWheel(2, start);
  wheel.put(1, start + 100_000);
  wheel.put(2, start - 100_000);
  assert.deepEqual(takeAll(wheel, start + 1), [2]);
  assert.deepEqual(takeAll(wheel, start + 1024), [1]);
});

test('I03: after a long sleep everything comes up', () => {
  const wheel = new ExpiryWheel(3, start);
  for (const slot of [1, 2, 3]) wheel.put(slot, start + slot * 300);
  assert.deepEqual(takeAll(wheel, start + 1_000_000), [1, 2, 3]);
  wheel.put(1, start + 1_000_500);
  assert.deepEqual(takeAll(wheel, start + 1_000_500), []);
  assert.deepEqual(takeAll(wheel, start + 1_000_501), [1]);
});

test('I03: a clock that is set at last, decades ahead, costs no more than a turn', () => {
  const wheel = new ExpiryWheel(1, 0);
  wheel.put(1, 1);
  const before = process.cpuUsage();
  assert.deepEqual(takeAll(wheel, start), [1]);
  const { user, system } = process.cpuUsage(before);
  assert.ok(user + system < 1_000_000, `${user + system} µs of processor time`);
});

test('I03: a slot that is put back while its list is taken out is not met again', () => {
  const wheel = new ExpiryWheel(2, start);
  wheel.put(1, start);
  wheel.put(2, start);
  const first = wheel.take(start + 1);
  wheel.put(first, start + 1024);
  assert.deepEqual(takeAll(wheel, start + 1), [3 - first]);
  assert.deepEqual(takeAll(wheel, start + 1025), [first]);
});
