import assert from 'node:assert/strict';
import test from 'node:test';
import { SharedCache } from '#holdfast/support/shared-cache.js';

interface Value {
  readonly name: string;
  readonly expiresAtMs: number;
}

function makeCache(maxBytes: number) {
  const forgotten: string[] = [];
  const time = { nowMs: 0 };
  const cache = new SharedCache<Value>({
    maxBytes,
    nowMs: () => time.nowMs,
    expiresAtMs: ({ expiresAtMs }) => expiresAtMs,
    forgotten: ({ name }) => forgotten.push(name),
  });
  const keep = (name: string, owner: string, { bytes = 1, expiresAtMs = 1000 } = {}) =>
    cache.set(name, { value: { name, expiresAtMs }, owner, bytes });
  return { cache, forgotten, time, keep };
}

test('an owner with many entries gives way, and never one with fewer', () => {
  const { cache, keep } = makeCache(100);
  for (let i = 0; i < 10; i++) keep(`good ${i}`, `owner ${i}`);
  for (let i = 0; i < 5000; i++) keep(`flood ${i}`, 'flood');
  assert.equal(cache.size, 100);
  for (let i = 0; i < 10; i++) assert.ok(cache.get(`good ${i}`), `good ${i}`);
  assert.equal(cache.get('flood 4909'), undefined, 'the oldest went');
  assert.ok(cache.get('flood 4999'));
});

test('owners with the same number give way in the order in which they came', () => {
  const { forgotten, keep } = makeCache(3);
  for (const name of ['a', 'b', 'c', 'd', 'e']) keep(name, name);
  assert.deepEqual(forgotten, ['a', 'b']);
});

test('what has expired goes first, whoever has it', () => {
  const { cache, time, keep } = makeCache(50);
  for (let i = 0; i < 40; i++) keep(`old ${i}`, `owner ${i}`, { expiresAtMs: 10 });
  time.nowMs = 10;
  for (let i = 0; i < 40; i++) keep(`new ${i}`, 'one');
  for (let i = 0; i < 40; i++) assert.ok(cache.get(`new ${i}`), `new ${i}`);
  assert.equal(cache.size, 50);
});

test('expired entries are found behind many that have not expired', () => {
  const { cache, time, keep } = makeCache(30);
  for (let i = 0; i < 20; i++) keep(`live ${i}`, `owner ${i}`);
  for (let i = 0; i < 10; i++) keep(`dead ${i}`, 'dead', { expiresAtMs: 1 });
  time.nowMs = 1;
  for (let i = 0; i < 10; i++) keep(`new ${i}`, `newcomer ${i}`);
  for (let i = 0; i < 20; i++) assert.ok(cache.get(`live ${i}`));
});

test('bytes are bounded, and what is larger than all is not kept', () => {
  const { cache, keep } = makeCache(10);
  keep('a', 'x', { bytes: 6 });
  keep('b', 'y', { bytes: 6 });
  assert.deepEqual([cache.get('a')?.name, cache.get('b')?.name], [undefined, 'b']);
  keep('c', 'z', { bytes: 11 });
  assert.deepEqual([cache.get('b')?.name, cache.get('c')?.name], ['b', undefined]);
});

test('a name that is kept again, or deleted, counts once and not at all', () => {
  const { cache, forgotten, keep } = makeCache(2);
  for (let i = 0; i < 5; i++) keep('a', i % 2 === 0 ? 'x' : 'y');
  keep('b', 'x');
  assert.equal(cache.size, 2);
  cache.delete('a');
  cache.delete('a');
  keep('c', 'z');
  assert.deepEqual([cache.get('b')?.name, cache.get('c')?.name], ['b', 'c']);
  assert.deepEqual(forgotten, ['a', 'a', 'a', 'a', 'a']);
});
