import assert from 'node:assert/strict';
import test from 'node:test';
import { AheadBudget, waitingBytes } from '#holdfast/listener/ahead.js';

test('S15: the budget is never exceeded, and what is given back is given out again', () => {
  const budget = new AheadBudget(10);
  assert.equal(budget.take(6), true);
  assert.equal(budget.take(5), false);
  assert.equal(budget.take(4), true);
  assert.equal(budget.take(1), false);
  budget.giveBack(6);
  assert.equal(budget.take(6), true);
});

test('S15: a request counts with its target, its fields and what its objects take', () => {
  const bare = waitingBytes({ url: '', rawHeaders: [] });
  assert.ok(bare >= 4096);
  assert.equal(waitingBytes({ url: '/abc', rawHeaders: ['Host', 'api.test'] }), bare + 16);
});
