import { Denial } from '../denial/denial.js';
import { Fault } from '../denial/fault.js';
import type { DpopEvidence, UnprovenDpop } from '../proof/dpop.js';
import type { ClaimResult, NamedProof, ReplayOwner, ReplayStore } from '../proof/replay/store.js';
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

/** A proof that is good, and that the store did not remember when it was looked at. */
export interface UnclaimedProof {
  readonly named: NamedProof;
  readonly evidence: DpopEvidence;
}

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
  unclaimed: UnclaimedProof | undefined,
  token: ReplayOwner,
): Claimed | Promise<Claimed> {
  if (unclaimed === undefined) return nothingToClaim;
  const { named, evidence } = unclaimed;
  const result = store.claim({ proof: named, owner: token, expiresAtMs: evidence.acceptableUntilMs });
  return result instanceof Promise
    ? result.then((settled) => judgeClaim(settled, evidence, store))
    : judgeClaim(result, evidence, store);
}

/**
 * A proof that was used is refused before its signature costs anything: a copy of it can be sent at will. Nothing is claimed
 * here, so a proof with a bad signature uses nothing up. On the wire both look alike; who gets to here has a good token and
 * a public key that goes with it, and would learn by the time it takes that a `jti` he knows was used.
 * @returns the proof by its name in the store, for `claimProof`
 * @throws Denial proof_replayed
 */
export function checkUnused(store: ReplayStore, { jkt, jti }: UnprovenDpop, progress: Progress): NamedProof {
  const named = store.nameOf(jkt, jti);
  if (!store.isUsed(named)) return named;
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
