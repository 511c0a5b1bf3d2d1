import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Denial } from '#holdfast/denial/denial.js';
import { Fault } from '#holdfast/denial/fault.js';
import { answerJson, makeSigningKey, TestIssuer } from '../../../support/issuer.js';
import { asker, Bench } from '../bench.js';

const hour = 3_600_000;

/** The on-demand fetch that a token with an unknown kid asks for, whatever comes of the token. */
async function askAgain(bench: Bench): Promise<void> {
  const before = bench.refreshed.length;
  bench.clock.advance(60_000);
  await bench.verify(bench.issuer.mint({ key: makeSigningKey() })).catch(() => {});
  await bench.refreshes(before + 1);
}

test('P03, trap jose: an empty set: a failed fetch never replaces the last good set', async (t) => {
  const bench = await Bench.start(t);
  const answers = {
    500: (r: ServerResponse) => r.writeHead(500).end(),
    'an empty set': (r: ServerResponse) => answerJson(r, { keys: [] }),
    'no set': (r: ServerResponse) => answerJson(r, { error: 'x' }),
    'a set without usable keys': (r: ServerResponse) =>
      answerJson(r, { keys: [null, { kty: 'oct', k: 'AAAA' }] }),
    'a set of 101 keys': (r: ServerResponse) =>
      answerJson(r, { keys: Array.from({ length: 101 }, () => bench.issuer.key.jwk) }),
  };
  for (const [name, answer] of Object.entries(answers)) {
    await t.test(name, async () => {
      bench.issuer.respond('/jwks', (_, response) => answer(response));
      await askAgain(bench);
      assert.equal(bench.refreshed.at(-1), 'error');
      assert.equal(bench.state.ready, true);
      assert.equal(bench.state.keys, 1);
      assert.equal(typeof bench.state.lastError, 'string');
      await bench.accepts(bench.issuer.mint());
    });
  }
  bench.issuer.respond('/jwks', undefined);
  await askAgain(bench);
  assert.deepEqual([bench.state.lastError, bench.state.ageSeconds], [undefined, 0]);
});

test('P03, trap jose: no stale-if-error: a set serves for 24 hours without the issuer, then nobody can tell any more', async (t) => {
  const bench = await Bench.start(t);
  const cached = bench.issuer.mint({ claims: { exp: bench.clock.nowMs() / 1000 + 1e6 } });
  await bench.accepts(cached);
  bench.issuer.switchOff();
  bench.clock.advance(24 * hour);
  await bench.accepts(bench.issuer.mint());
  await bench.accepts(cached);
  assert.equal(bench.state.ageSeconds, 86_400);
  bench.clock.advance(1);
  await bench.cannotTell(bench.issuer.mint());
  await bench.cannotTell(cached);
  assert.equal(bench.state.ready, false);
});

/** The issuer answers for its keys when the test says so. */
function holdKeys(bench: Bench): () => void {
  const held: (() => void)[] = [];
  bench.issuer.respond('/jwks', (_, response) => held.push(() => answerJson(response, bench.issuer.keySet)));
  return () => {
    bench.issuer.respond('/jwks', undefined);
    for (const answer of held) answer();
  };
}

test('D25: 500 tokens with unknown keys cost one fetch per pause, and hold 100 requests at most', async (t) => {
  const bench = await Bench.start(t);
  const flood = async (): Promise<Record<string, number>> => {
    const release = holdKeys(bench);
    const before = bench.issuer.requests();
    const counts: Record<string, number> = {};
    const settled = Array.from({ length: 500 }, (_, n) =>
      bench
        .verify(bench.issuer.mint({ header: { kid: `unknown-${n}-${bench.clock.nowMs()}` } }))
        .catch((error: unknown) => {
          const name = error instanceof Fault ? error.code : String((error as Denial).reason);
          counts[name] = (counts[name] ?? 0) + 1;
        }),
    );
    await bench.issuer.requested(before + 1);
    release();
    await Promise.all(settled);
    return counts;
  };
  const expected = { ERR_ISSUER_KEY_PENDING: 499, token_key_unknown: 1 };
  assert.deepEqual(await flood(), expected);
  assert.equal(bench.issuer.requests(), 2, 'one at the start, one on demand');
  await bench.accepts(bench.issuer.mint());
  bench.clock.advance(5_000);
  assert.deepEqual(await flood(), expected);
  assert.equal(bench.issuer.requests(), 3);
});

test('D25: nobody is told that a key is unknown before the issuer was asked after the token came', async (t) => {
  const bench = await Bench.start(t);
  await bench.refuses(bench.issuer.mint({ header: { kid: 'made-up-1' } }), 'token_key_unknown');
  bench.issuer.rotate();
  const good = bench.issuer.mint();
  const fault = await bench.cannotTell(good, 'ERR_ISSUER_KEY_PENDING');
  assert.equal(fault.retryAfterSeconds, 5);
  // A stranger does not keep the pause running: his tokens within it count for nothing.
  for (let second = 1; second < 5; second++) {
    bench.clock.advance(1_000);
    await bench.cannotTell(
      bench.issuer.mint({ header: { kid: `noise-${second}` } }),
      'ERR_ISSUER_KEY_PENDING',
    );
  }
  assert.equal(bench.issuer.requests(), 2);
  bench.clock.advance(1_000);
  await bench.accepts(good);
  assert.equal(bench.issuer.requests(), 3);
});

test('D25: a key that came after the fetch under way began is asked for again', async (t) => {
  const bench = await Bench.start(t);
  const before = bench.issuer.requests();
  let answerOld = (): void => assert.fail('not asked');
  const old = bench.issuer.keySet;
  bench.issuer.respond('/jwks', (_, response) => {
    answerOld = () => answerJson(response, old);
  });
  // The regular fetch is under way, with the key set as it was.
  const regular = bench.verifier.start();
  await bench.issuer.requested(before + 1);
  bench.issuer.rotate();
  const verified = bench.accepts(bench.issuer.mint());
  bench.issuer.respond('/jwks', undefined);
  answerOld();
  await regular;
  await verified;
  assert.equal(bench.issuer.requests(), before + 2);
});

test('D25: a token without kid after a rotation is treated the same way', async (t) => {
  const bench = await Bench.start(t);
  const nameless = makeSigningKey('ES256', null);
  await bench.refuses(bench.issuer.mint({ key: nameless }), 'token_signature_invalid');
  bench.issuer.extraKeys.push(nameless.jwk);
  await bench.cannotTell(bench.issuer.mint({ key: nameless }), 'ERR_ISSUER_KEY_PENDING');
  bench.clock.advance(5_000);
  await bench.accepts(bench.issuer.mint({ key: nameless }));
});

test('D25: the pause goes by the steady clock, and a clock that is set back for good does not stretch it', async (t) => {
  const bench = await Bench.start(t);
  const unknown = bench.issuer.mint({ header: { kid: 'new' } });
  await bench.refuses(unknown, 'token_key_unknown');
  bench.clock.advance(-1_000);
  await bench.refuses(bench.issuer.mint({ header: { kid: 'new' } }), 'token_key_unknown');
});

test('P04: while the issuer is down an unknown key is a 503, a known one works', async (t) => {
  const bench = await Bench.start(t);
  bench.issuer.switchOff();
  const unknown = bench.issuer.mint({ header: { kid: 'new' } });
  await bench.cannotTell(unknown);
  const fault = await bench.cannotTell(unknown, 'ERR_ISSUER_KEY_PENDING');
  assert.equal(fault.retryAfterSeconds, 5);
  await bench.accepts(bench.issuer.mint());
  bench.issuer.switchOn();
  bench.clock.advance(5_000);
  await bench.refuses(unknown, 'token_key_unknown');
});

test('P04: a known key that is not for the algorithm is refused without a fetch', async (t) => {
  const bench = await Bench.start(t);
  const { kid } = bench.issuer.key;
  const key = makeSigningKey('EdDSA', kid ?? null);
  const before = bench.issuer.requests();
  await bench.refuses(bench.issuer.mint({ key }), 'token_key_unknown');
  assert.equal(bench.issuer.requests(), before);
  await bench.accepts(bench.issuer.mint());
});

test('P05, trap jose: a fetch for each request: 200 requests before the issuer is up cost none of their own', async (t) => {
  const bench = await Bench.start(t, { prepare: (issuer) => issuer.switchOff() });
  const token = bench.issuer.mint();
  assert.deepEqual([bench.state.ready, bench.state.keys, bench.state.ageSeconds], [false, 0, undefined]);
  const fetches = bench.refreshed.length;
  await Promise.all(Array.from({ length: 200 }, () => bench.cannotTell(token)));
  await setImmediate();
  assert.equal(bench.refreshed.length, fetches);
});

test('P05: a cold start is retried with back-off until the keys are there', async (t) => {
  const bench = await Bench.start(t, { prepare: (issuer) => issuer.switchOff(), times: { retryMs: 10 } });
  await bench.refreshes(3);
  bench.issuer.switchOn();
  while (!bench.state.ready) await bench.refreshes(bench.refreshed.length + 1);
  await bench.accepts(bench.issuer.mint());
});

test('P05: requests share the fetch that is under way', async (t) => {
  const bench = await Bench.start(t, { prepare: (issuer) => issuer.switchOff() });
  const verifier = bench.verifierOf([bench.issuer.settings]);
  t.after(() => verifier.close());
  bench.issuer.switchOn();
  const started = Promise.all([verifier.start(), verifier.start()]);
  const token = bench.issuer.mint();
  const verified = await Promise.all(
    Array.from({ length: 20 }, () => verifier.verify({ scheme: 'Bearer', token, digest: token }, asker)),
  );
  await started;
  assert.equal(verified.length, 20);
  assert.equal(bench.issuer.requests(), 1);
});

test('P06: after a rotation both keys work while both are published, then only the new one', async (t) => {
  const bench = await Bench.start(t);
  const oldKey = bench.issuer.key;
  const oldToken = bench.issuer.mint();
  const cachedOldToken = bench.issuer.mint();
  await bench.accepts(cachedOldToken);

  bench.issuer.rotate({ keepOld: true });
  await bench.accepts(bench.issuer.mint());
  await bench.accepts(oldToken);
  await bench.accepts(cachedOldToken);
  assert.equal(bench.cache.at(-1), 'hit', 'an unchanged key is the same key after a refresh');

  bench.issuer.rotate();
  bench.clock.advance(40_000);
  await bench.accepts(bench.issuer.mint());
  bench.clock.advance(40_000);
  await bench.refuses(cachedOldToken, 'token_key_unknown');
  assert.equal(bench.cache.at(-1), 'stale');
  bench.clock.advance(5_000);
  await bench.refuses(bench.issuer.mint({ key: oldKey }), 'token_key_unknown');
});

test('P06: a kid that comes back with another key does not vouch for tokens of the first', async (t) => {
  const bench = await Bench.start(t);
  const { key } = bench.issuer;
  const token = bench.issuer.mint();
  await bench.accepts(token);
  const other = makeSigningKey('ES256', key.kid ?? null);
  bench.issuer.respond('/jwks', (_, response) => answerJson(response, { keys: [other.jwk] }));
  await askAgain(bench);
  await bench.refuses(token, 'token_signature_invalid');
  await bench.accepts(bench.issuer.mint({ key: other }));
});

test('P06: keys are fetched anew in the background', async (t) => {
  const bench = await Bench.start(t, { times: { refreshMs: 20 } });
  const old = bench.issuer.mint();
  await bench.accepts(old);
  bench.issuer.rotate();
  // The one that may be under way already, and one that started after the rotation.
  await bench.refreshes(bench.refreshed.length + 2);
  await bench.refuses(old, 'token_key_unknown');
});

test('P06: nothing is fetched after close', async (t) => {
  const bench = await Bench.start(t, { times: { refreshMs: 1, timeoutMs: 60_000 } });
  bench.issuer.respond('/jwks', () => {}); // never answers
  await bench.issuer.requested(bench.issuer.requests() + 1);
  const before = bench.refreshed.length;
  bench.verifier.close();
  await setImmediate();
  await setImmediate();
  assert.equal(bench.refreshed.length, before, 'the abandoned fetch is not reported');
  const requests = bench.issuer.requests();
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(bench.issuer.requests(), requests);
});

test('P01: keys from a URL and from a file, the file read anew at each refresh', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-keys-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'jwks.json');
  const issuer = await TestIssuer.start();
  t.after(() => issuer.stop());
  await writeFile(file, JSON.stringify(issuer.keySet));
  const bench = await Bench.start(t, { settings: { keys: { file } } });
  assert.equal(bench.state.ready, true);
  await bench.accepts(bench.issuer.mint({ key: issuer.key }));

  await rm(file);
  await askAgain(bench);
  assert.equal(bench.refreshed.at(-1), 'error');
  await bench.accepts(bench.issuer.mint({ key: issuer.key }));

  await writeFile(file, JSON.stringify({ keys: [{ ...issuer.key.jwk, use: 'enc' }] }));
  await askAgain(bench);
  assert.match(bench.state.lastError ?? '', /no usable key/);
  await bench.accepts(bench.issuer.mint({ key: issuer.key }));

  await writeFile(file, JSON.stringify(bench.issuer.keySet));
  await askAgain(bench);
  await bench.accepts(bench.issuer.mint());
  bench.clock.advance(5_000);
  await bench.refuses(bench.issuer.mint({ key: issuer.key }), 'token_key_unknown');
  assert.equal(bench.issuer.requests(), 0);

  const byUrl = bench.verifierOf([
    { ...bench.issuer.settings, keys: { url: `${bench.issuer.origin}/jwks` } },
  ]);
  t.after(() => byUrl.close());
  await byUrl.start();
  assert.equal(byUrl.state()[0]?.ready, true);
  assert.equal(bench.issuer.requests('/.well-known/oauth-authorization-server'), 0);
});
