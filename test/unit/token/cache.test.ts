import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entryBytes } from '#holdfast/token/cache.js';
import { Bench } from './bench.js';

test('D16: the cache is bounded by bytes and forgets the least recently used', async (t) => {
  const probe = entryBytes(600);
  const bench = await Bench.start(t, { parts: { cacheBytes: 2.5 * probe } });
  const [a, b, c] = [bench.issuer.mint(), bench.issuer.mint(), bench.issuer.mint()];
  for (const token of [a, b, a, c]) await bench.accepts(token);
  assert.deepEqual(bench.cache, ['miss', 'miss', 'hit', 'miss']);
  await bench.accepts(a);
  assert.equal(bench.cache.at(-1), 'hit');
  await bench.accepts(b);
  assert.equal(bench.cache.at(-1), 'miss');
});

test('D16: a cache too small for a token still lets it be verified', async (t) => {
  const bench = await Bench.start(t, { parts: { cacheBytes: 1 } });
  const token = bench.issuer.mint();
  await bench.accepts(token);
  await bench.accepts(token);
  assert.deepEqual(bench.cache, ['miss', 'miss']);
});
