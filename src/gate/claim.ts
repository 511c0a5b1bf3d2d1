import { Denial } from '../denial/denial.js';
import { Fault } from '../denial/fault.js';
import type { DpopEvidence, UnprovenDpop } from '../proof/dpop.js';
import type { ClaimResult, ReplayStore } from '../proof/replay/store.js';
import type { VerifiedToken } from '../token/verified-token.js';
import type { Progress } from './refusal.js';

let sealClaimed: (nonceExpiresSoon: boolean) => Claimed;

/** This request is the first and only one with its proof; or it has no proof to use up. */
export class Claimed {
  readonly #nonceExpiresSoon: boolean;

  private constructor(nonceExpiresSoon: boolean) {
    this.#nonceExpiresSoon = nonceExpiresSoon;
  }

  static {
    sealClaimed = (nonceExpiresSoon) => new Claimed(nonceExpiresSoon);
  }

  get nonceExpiresSoon(): boolean {
    return this.#nonceExpiresSoon;
  }
}

/** For what carries no DPoP proof: a certificate is proven by its connection and can be shown any number of times. */
export const nothingToClaim: Claimed = sealClaimed(false);

/**
 * Uses the proof up. Last of all checks of the caller, so that a request which the gate refuses never burns its
 * `jti` and nobody without a good token can put anything into the store. Only what comes of the token's own claims
 * (identity_*, forward/identity.ts) is found later, and would be found again.
 *
 * Fails closed: a full store refuses, and whatever the store throws becomes a Fault in the gate.
 * @throws Denial proof_replayed, proof_quota_exceeded, proof_client_quota_exceeded; Fault ERR_REPLAY_STORE_FULL (also as a rejection)
 * @see RFC 9449 §11.1; REQUIREMENTS G19, I01, I04, I06, I14
 */
export function claimProof(
  store: ReplayStore,
  evidence: DpopEvidence | undefined,
  { issuer, clientId }: Pick<VerifiedToken, 'issuer' | 'clientId'>,
): Claimed | Promise<Claimed> {
  if (evidence === undefined) return nothingToClaim;
  const { jkt, jti, acceptableUntilMs } = evidence;
  const result = store.claim({ jkt, owner: `${issuer} ${clientId}`, jti, expiresAtMs: acceptableUntilMs });
  return result instanceof Promise
    ? result.then((settled) => judgeClaim(settled, evidence, store))
    : judgeClaim(result, evidence, store);
}

/**
 * A proof that was used is refused before its signature costs anything: a copy of it can be sent at will. Nothing is claimed
 * here, so a proof with a bad signature uses nothing up. On the wire both look alike; who gets to here has a good token and
 * a public key that goes with it, and would learn by the time it takes that a `jti` he knows was used.
 * @throws Denial proof_replayed
 */
export function checkUnused(store: ReplayStore, { jkt, jti }: UnprovenDpop, progress: Progress): void {
  if (!store.isUsed(jkt, jti)) return;
  // Proven when the proof was used; what is known of it since is the key's.
  progress.key = jkt;
  throw new Denial('proof_replayed', `key ${jkt}`);
}

function judgeClaim(
  result: ClaimResult,
  { jkt, nonceExpiresSoon }: DpopEvidence,
  store: ReplayStore,
): Claimed {
  switch (result) {
    case 'claimed':
      return sealClaimed(nonceExpiresSoon);
    case 'replayed':
      throw new Denial('proof_replayed', `key ${jkt}`);
    case 'key-full':
      throw new Denial('proof_quota_exceeded', `key ${jkt}`);
    case 'client-full':
      throw new Denial('proof_client_quota_exceeded', `key ${jkt}`);
    case 'store-full':
      throw new Fault('ERR_REPLAY_STORE_FULL', { detail: `${store.size} live proofs`, retryAfterSeconds: 5 });
  }
}
