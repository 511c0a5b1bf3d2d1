import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entryBytes } from '#holdfast/token/cache.js';
import { Bench } from './bench.js';

test('D16: the cache is bounded by bytes and forgets the oldest', async (t) => {
  const probe = entryBytes(600);
  const bench = await Bench.start(t, { parts: { cacheBytes: 2.5 * probe } });
  const [a, b, c] = [bench.issuer.mint(), bench.issuer.mint(), bench.issuer.mint()];
  for (const token of [a, b, a, c]) await bench.accepts(token);
  assert.deepEqual(bench.cache, ['miss', 'miss', 'hit', 'miss']);
  await bench.accepts(b);
  assert.equal(bench.cache.at(-1), 'hit');
  await bench.accepts(a);
  assert.equal(bench.cache.at(-1), 'miss');
});

test('S13: one client with many tokens pushes no token of another out', async (t) => {
  const bench = await Bench.start(t, { parts: { cacheBytes: 5 * entryBytes(700) } });
  const good = bench.issuer.mint({ claims: { client_id: 'good' } });
  await bench.accepts(good);
  for (let i = 0; i < 20; i++) await bench.accepts(bench.issuer.mint({ claims: { client_id: 'flood' } }));
  await bench.accepts(good);
  assert.equal(bench.cache.at(-1), 'hit');
});

test('D16: a cache too small for a token still lets it be verified', async (t) => {
  const bench = await Bench.start(t, { parts: { cacheBytes: 1 } });
  const token = bench.issuer.mint();
  await bench.accepts(token);
  await bench.accepts(token);
  assert.deepEqual(bench.cache, ['miss', 'miss']);
});
