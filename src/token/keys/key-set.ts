import type { KeyObject } from 'node:crypto';
import type { PublishedKey } from '../../jws/published-key.js';
import { importPublishedKey, readPublishedSet } from '../../jws/published-set.js';
import type { JwsAlgorithm } from '../../jws/signature.js';
import type { JsonObject } from '../../jws/strict-json.js';

/** One key of an issuer. Stays the same object over refreshes for as long as the issuer publishes it unchanged. */
export interface IssuerKey {
  readonly kid: string | undefined;
  /** that it serves */
  readonly algorithms: readonly JwsAlgorithm[];
  readonly key: KeyObject;
}

export interface KeySetRules {
  readonly algorithms: readonly JwsAlgorithm[];
  /** the set in force until now, whose unchanged keys are taken over */
  readonly previous: KeySet | undefined;
  /** told about each entry that is left out */
  readonly ignored: (why: string) => void;
}

/** The usable keys of an issuer at one time. Immutable. */
export class KeySet {
  /** by everything that makes a key what it is here: the same text, the same key */
  readonly #byIdentity: ReadonlyMap<string, IssuerKey>;
  readonly #members: ReadonlySet<IssuerKey>;
  readonly #byKid = new Map<string, IssuerKey[]>();

  private constructor(byIdentity: ReadonlyMap<string, IssuerKey>) {
    this.#byIdentity = byIdentity;
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
    const keep = (published: PublishedKey): [string, IssuerKey] => {
      const identity = JSON.stringify([published.kid, published.algorithms, published.members]);
      return [identity, unchanged?.get(identity) ?? importKey(published)];
    };
    return new KeySet(new Map(readPublishedSet(document, { algorithms, keep, ignored })));
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
    return keys.filter(({ algorithms }) => algorithms.includes(algorithm));
  }
}

function importKey(published: PublishedKey): IssuerKey {
  const { kid, algorithms } = published;
  return { kid, algorithms, key: importPublishedKey(published) };
}
