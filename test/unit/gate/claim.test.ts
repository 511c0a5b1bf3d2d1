import assert from 'node:assert/strict';
import test from 'node:test';
import { Fault } from '#holdfast/denial/fault.js';
import { claimProof, nothingToClaim } from '#holdfast/gate/claim.js';
import type { ClaimResult, ReplayEntry, ReplayStore } from '#holdfast/proof/replay/store.js';
import { deniedLater } from '../../support/denied.js';
import { makeClientKey, makeProof } from '../../support/proofs.js';
import { claimsAt, context, makeVerifier } from '../../support/verifier.js';

const evidence = await makeVerifier().verifier.verify([makeProof(makeClientKey(), claimsAt())], context);

const named = { jkt: evidence.jkt, name: 'as the store has it' };
const token = { issuer: 'https://as.test', clientId: 'shop' };

/** A store that gives one answer and keeps what it was asked. */
function makeStore(result: ClaimResult | Error): ReplayStore & { readonly asked: ReplayEntry[] } {
  const asked: ReplayEntry[] = [];
  const claim = async (entry: ReplayEntry) => {
    asked.push(entry);
    if (result instanceof Error) throw result;
    return result;
  };
  const fixed = { nameOf: () => named, isUsed: () => false, size: 7, capacity: 7, close: () => {} };
  return { asked, claim, ...fixed };
}

/** As a promise, also where the store answers at once. */
const claim = async (store: ReplayStore) => claimProof(store, { named, evidence }, token);

test('I01: the first use of a proof is claimed by its name, for its client and for its time', async () => {
  const store = makeStore('claimed');
  const claimed = await claim(store);
  assert.equal(claimed.nonceExpiresSoon, false);
  assert.deepEqual(store.asked, [{ proof: named, owner: token, expiresAtMs: evidence.acceptableUntilMs }]);
  assert.equal(store.asked[0]?.owner, token, 'the same object with each request of a token');
});

test('I01: a second use is refused as an invalid proof', async () => {
  const denial = await deniedLater(() => claim(makeStore('replayed')), 'proof_replayed');
  assert.equal(denial.entry.error, 'invalid_dpop_proof');
});

test('I04: a key at its quota is 429 with Retry-After, a full store is our fault', async () => {
  const { entry } = await deniedLater(() => claim(makeStore('key-full')), 'proof_quota_exceeded');
  assert.equal(entry.status, 429);
  assert.equal(entry.retryAfterSeconds, 5);
  const ofClient = await deniedLater(() => claim(makeStore('client-full')), 'proof_client_quota_exceeded');
  assert.deepEqual([ofClient.entry.status, ofClient.entry.retryAfterSeconds], [429, 5]);
  await assert.rejects(
    claim(makeStore('store-full')),
    (error) => error instanceof Fault && error.code === 'ERR_REPLAY_STORE_FULL' && error.entry.status === 503,
  );
});

test('I07: a store that cannot answer admits nobody', async () => {
  const outage = new Error('connection lost');
  await assert.rejects(claim(makeStore(outage)), outage);
});

test('I06: without a proof there is nothing to claim, and the store is not asked', async () => {
  const store = makeStore('replayed');
  assert.equal(await claimProof(store, undefined, token), nothingToClaim);
  assert.deepEqual(store.asked, []);
});
