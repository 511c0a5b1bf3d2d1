import type { KeyObject } from 'node:crypto';
import type { PublishedKey } from '../../jws/published-key.js';
import { importPublishedKey, readPublishedSet } from '../../jws/published-set.js';
import { isSignedWith, type JwsAlgorithm } from '../../jws/signature.js';
import type { JsonObject } from '../../jws/strict-json.js';

/** What a key was used for, by whatever names it is published. */
interface KeyUse {
  /** of the first token that it verified */
  algorithm: JwsAlgorithm | undefined;
}

/**
 * One key of an issuer. Stays the same object over refreshes for as long as the issuer publishes it unchanged.
 *
 * Serves one algorithm only. Where the entry does not say which (an RSA key without `alg`), it is that of the first token
 * that the key verifies, until the issuer withdraws the key or the process ends.
 * @see RFC 8725 §3.1; REQUIREMENTS D05
 */
export class IssuerKey {
  readonly kid: string | undefined;
  readonly #algorithms: readonly JwsAlgorithm[];
  readonly #key: KeyObject;
  readonly #use: KeyUse;

  constructor(published: PublishedKey, use: KeyUse) {
    this.kid = published.kid;
    this.#algorithms = published.algorithms;
    this.#key = importPublishedKey(published);
    this.#use = use;
  }

  serves(algorithm: JwsAlgorithm): boolean {
    if (!this.#algorithms.includes(algorithm)) return false;
    return this.#algorithms.length === 1 || (this.#use.algorithm ?? algorithm) === algorithm;
  }

  /** Whether it serves the algorithm and has signed this. From then on it serves no other one. */
  hasSigned(algorithm: JwsAlgorithm, signed: { data: Buffer; signature: Buffer }): boolean {
    // Asked again, for the token has waited for its turn behind others of the same key.
    if (!this.serves(algorithm) || !isSignedWith(this.#key, algorithm, signed)) return false;
    this.#use.algorithm ??= algorithm;
    return true;
  }
}

export interface KeySetRules {
  readonly algorithms: readonly JwsAlgorithm[];
  /** the set in force until now, whose unchanged keys are taken over */
  readonly previous: KeySet | undefined;
  /** told about each entry that is left out */
  readonly ignored: (why: string) => void;
}

/** The usable keys of an issuer at one time. Immutable, but for what its keys learn of themselves. */
export class KeySet {
  /** by everything that makes a key what it is here: the same text, the same key */
  readonly #byIdentity: ReadonlyMap<string, IssuerKey>;
  /** by the numbers of the key, for they may be published more than once */
  readonly #uses: ReadonlyMap<string, KeyUse>;
  readonly #members: ReadonlySet<IssuerKey>;
  readonly #byKid = new Map<string, IssuerKey[]>();

  private constructor(byIdentity: ReadonlyMap<string, IssuerKey>, uses: ReadonlyMap<string, KeyUse>) {
    this.#byIdentity = byIdentity;
    this.#uses = uses;
    this.#members = new Set(byIdentity.values());
    for (const key of this.#members) {
      if (key.kid === undefined) continue;
      const sameKid = this.#byKid.get(key.kid);
      if (sameKid === undefined) this.#byKid.set(key.kid, [key]);
      else sameKid.push(key);
    }
  }

  /**
   * Imports a JWK set, and takes over the keys that have not changed.
   *
   * Fails closed, and so that the caller keeps the set it has: a set without a usable key is no set.
   *
   * @throws Error when the document is no JWK set, has more than 100 entries, or no usable one
   * @see RFC 7517 §5; REQUIREMENTS P02, P03, P07
   */
  static import(document: JsonObject, { algorithms, previous, ignored }: KeySetRules): KeySet {
    const unchanged = previous === undefined ? undefined : previous.#byIdentity;
    const usesBefore = previous === undefined ? undefined : previous.#uses;
    const uses = new Map<string, KeyUse>();
    const keep = (published: PublishedKey): [string, IssuerKey] => {
      const numbers = JSON.stringify(published.members);
      const use = uses.get(numbers) ?? usesBefore?.get(numbers) ?? { algorithm: undefined };
      const identity = JSON.stringify([published.kid, published.algorithms, published.members]);
      const key = unchanged?.get(identity) ?? new IssuerKey(published, use);
      uses.set(numbers, use);
      return [identity, key];
    };
    const keys = new Map(readPublishedSet(document, { algorithms, keep, ignored }));
    return new KeySet(keys, uses);
  }

  get size(): number {
    return this.#members.size;
  }

  has(key: IssuerKey): boolean {
    return this.#members.has(key);
  }

  /** Whether the issuer knows this key at all, for whatever algorithm. */
  hasKid(kid: string): boolean {
    return this.#byKid.has(kid);
  }

  /**
   * The keys that a token may have been signed with: of this `kid` (a repeated one is not an error), or any when the
   * token has none, and for this algorithm.
   * @see RFC 7517 §4.5; REQUIREMENTS P08
   */
  candidates(kid: string | undefined, algorithm: JwsAlgorithm): readonly IssuerKey[] {
    const keys = kid === undefined ? [...this.#members] : (this.#byKid.get(kid) ?? []);
    return keys.filter((key) => key.serves(algorithm));
  }
}
