import assert from 'node:assert/strict';
import test from 'node:test';
import { Fault } from '#holdfast/denial/fault.js';
import { claimProof, nothingToClaim } from '#holdfast/gate/claim.js';
import type { ClaimResult, ReplayEntry, ReplayStore } from '#holdfast/proof/replay/store.js';
import { deniedLater } from '../../support/denied.js';
import { makeClientKey, makeProof } from '../../support/proofs.js';
import { claimsAt, context, makeVerifier } from '../../support/verifier.js';

const evidence = await makeVerifier().verifier.verify([makeProof(makeClientKey(), claimsAt())], context);

const token = { issuer: 'https://as.test', clientId: 'shop' };

/** A store that gives one answer and keeps what it was asked. */
function makeStore(result: ClaimResult | Error): ReplayStore & { readonly asked: ReplayEntry[] } {
  const asked: ReplayEntry[] = [];
  const claim = async (entry: ReplayEntry) => {
    asked.push(entry);
    if (result instanceof Error) throw result;
    return result;
  };
  return { asked, claim, isUsed: () => false, size: 7, capacity: 7, close: () => {} };
}

/** As a promise, also where the store answers at once. */
const claim = async (store: ReplayStore, proof: typeof evidence) => claimProof(store, proof, token);

test('I01: the first use of a proof is claimed under its key, its jti and for its time', async () => {
  const store = makeStore('claimed');
  const claimed = await claimProof(store, evidence, token);
  assert.equal(claimed.nonceExpiresSoon, false);
  const { jkt, jti, acceptableUntilMs } = evidence;
  assert.deepEqual(store.asked, [
    { jkt, owner: 'https://as.test shop', jti, expiresAtMs: acceptableUntilMs },
  ]);
});

test('I01: a second use is refused as an invalid proof', async () => {
  const denial = await deniedLater(() => claim(makeStore('replayed'), evidence), 'proof_replayed');
  assert.equal(denial.entry.error, 'invalid_dpop_proof');
});

test('I04: a key at its quota is 429 with Retry-After, a full store is our fault', async () => {
  const { entry } = await deniedLater(() => claim(makeStore('key-full'), evidence), 'proof_quota_exceeded');
  assert.equal(entry.status, 429);
  assert.equal(entry.retryAfterSeconds, 5);
  const ofClient = await deniedLater(
    () => claim(makeStore('client-full'), evidence),
    'proof_client_quota_exceeded',
  );
  assert.deepEqual([ofClient.entry.status, ofClient.entry.retryAfterSeconds], [429, 5]);
  await assert.rejects(
    claim(makeStore('store-full'), evidence),
    (error) => error instanceof Fault && error.code === 'ERR_REPLAY_STORE_FULL' && error.entry.status === 503,
  );
});

test('I07: a store that cannot answer admits nobody', async () => {
  const outage = new Error('connection lost');
  await assert.rejects(claim(makeStore(outage), evidence), outage);
});

test('I06: without a proof there is nothing to claim, and the store is not asked', async () => {
  const store = makeStore('replayed');
  assert.equal(await claimProof(store, undefined, token), nothingToClaim);
  assert.deepEqual(store.asked, []);
});
