import assert from 'node:assert/strict';
import test from 'node:test';
import { nowSeconds } from '#holdfast/support/clock.js';

test('RFC 7519 §2: NumericDate is whole seconds, rounded down', () => {
  assert.equal(nowSeconds({ nowMs: () => 1999 }), 1);
  assert.equal(nowSeconds({ nowMs: () => 2000 }), 2);
});
