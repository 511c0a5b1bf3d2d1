import { type CryptoKey, importJWK } from 'jose';
import type { JsonObject } from '../../jws/strict-json.js';
import type { TokenAlgorithm } from '../algorithms.js';
import { IgnoredKey, type PublishedKey, parsePublishedKey } from './published-key.js';

/** One key of an issuer. Stays the same object over refreshes for as long as the issuer publishes it unchanged. */
export interface IssuerKey {
  readonly kid: string | undefined;
  /** ready to verify with, by algorithm */
  readonly verifiers: ReadonlyMap<string, CryptoKey>;
}

export interface KeySetRules {
  readonly algorithms: readonly TokenAlgorithm[];
  /** the set in force until now, whose unchanged keys are taken over */
  readonly previous: KeySet | undefined;
  /** told about each entry that is left out */
  readonly ignored: (why: string) => void;
}

const maxKeys = 100;

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
   * Imports a JWK set. An entry that cannot serve is left out and disables no other.
   *
   * Fails closed, and so that the caller keeps the set it has: a set without a usable key is no set.
   *
   * @throws Error when the document is no JWK set, has more than 100 entries, or no usable one
   * @see RFC 7517 §5; REQUIREMENTS P02, P03, P07
   */
  static async import(document: JsonObject, rules: KeySetRules): Promise<KeySet> {
    const { keys } = document;
    if (!Array.isArray(keys)) throw new Error('not a JWK set');
    if (keys.length > maxKeys) throw new Error(`${keys.length} keys, accepted are ${maxKeys}`);
    const entries: readonly unknown[] = keys;
    const unchanged = rules.previous === undefined ? undefined : rules.previous.#byIdentity;
    const imported = new Map<string, IssuerKey>();
    for (const [index, entry] of entries.entries()) {
      try {
        const published = parsePublishedKey(entry, rules.algorithms);
        const identity = JSON.stringify([published.kid, published.algorithms, published.members]);
        imported.set(identity, unchanged?.get(identity) ?? (await importKey(published)));
      } catch (error) {
        rules.ignored(
          `key ${index}: ${error instanceof IgnoredKey ? error.message : 'not a valid public key'}`,
        );
      }
    }
    if (imported.size === 0) throw new Error('no usable key in the set');
    return new KeySet(imported);
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
  candidates(kid: string | undefined, algorithm: TokenAlgorithm): readonly IssuerKey[] {
    const keys = kid === undefined ? [...this.#members] : (this.#byKid.get(kid) ?? []);
    return keys.filter(({ verifiers }) => verifiers.has(algorithm));
  }
}

async function importKey({ kid, algorithms, members }: PublishedKey): Promise<IssuerKey> {
  const verifiers = new Map<string, CryptoKey>();
  for (const algorithm of algorithms) {
    const key = await importJWK(members, algorithm);
    if (key instanceof Uint8Array) throw new IgnoredKey('symmetric key in a public set');
    verifiers.set(algorithm, key);
  }
  return { kid, verifiers };
}
