import type { Grant } from '../policy/authorize.js';
import type { RequestFacts } from '../request/facts.js';
import type { Claimed } from './claim.js';

let seal: (contents: AdmissionContents) => Admission;

interface AdmissionContents {
  readonly facts: RequestFacts;
  readonly grant: Grant;
  readonly claimed: Claimed;
}

/**
 * The permission to forward one request. `forward/` accepts nothing else, and only `sealAdmission` makes one, from a
 * grant of the policy and the outcome of the replay claim.
 */
export class Admission {
  readonly #contents: AdmissionContents;

  private constructor(contents: AdmissionContents) {
    this.#contents = contents;
  }

  static {
    seal = (contents) => new Admission(contents);
  }

  get facts(): RequestFacts {
    return this.#contents.facts;
  }

  get grant(): Grant {
    return this.#contents.grant;
  }

  /** the client should get a new nonce with its answer. @see RFC 9449 §8.2 */
  get nonceExpiresSoon(): boolean {
    return this.#contents.claimed.nonceExpiresSoon;
  }
}

export function sealAdmission(facts: RequestFacts, grant: Grant, claimed: Claimed): Admission {
  return seal({ facts, grant, claimed });
}
