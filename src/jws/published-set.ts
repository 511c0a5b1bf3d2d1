import { createPublicKey, type KeyObject } from 'node:crypto';
import { IgnoredKey, type PublishedKey, parsePublishedKey, SecretKey } from './published-key.js';
import type { JwsAlgorithm } from './signature.js';
import type { JsonObject } from './strict-json.js';

export interface PublishedSetRules<Key> {
  /** the issuer's */
  readonly algorithms: readonly JwsAlgorithm[];
  /** makes of an entry what is kept of it. An entry for which it throws is left out */
  readonly keep: (published: PublishedKey) => Key;
  /** told about each entry that is left out, and whether it is a private or symmetric key */
  readonly ignored: (why: string, isSecret: boolean) => void;
}

/** The most that is read of an issuer's document, in bytes. */
export const maxDocumentBytes = 256 * 1024;

const maxKeys = 100;

/**
 * Reads a JWK set. An entry that cannot serve is left out and disables no other.
 *
 * Fails closed: a set without a usable key is no set.
 *
 * @returns what was kept, at least one
 * @throws Error when the document is no JWK set, has more than 100 entries, or no usable one
 * @see RFC 7517 §5; REQUIREMENTS P02, P03, P07
 */
export function readPublishedSet<Key>(
  { keys }: JsonObject,
  { algorithms, keep, ignored }: PublishedSetRules<Key>,
): Key[] {
  if (!Array.isArray(keys)) throw new Error('not a JWK set');
  if (keys.length > maxKeys) throw new Error(`${keys.length} keys, accepted are ${maxKeys}`);
  const entries: readonly unknown[] = keys;
  const kept: Key[] = [];
  for (const [index, entry] of entries.entries()) {
    try {
      kept.push(keep(parsePublishedKey(entry, algorithms)));
    } catch (error) {
      const why = error instanceof IgnoredKey ? error.message : 'not a valid public key';
      ignored(`key ${index}: ${why}`, error instanceof SecretKey);
    }
  }
  if (kept.length === 0) throw new Error('no usable key in the set');
  return kept;
}

/** @throws Error when the numbers make no key, such as a point that is not on its curve */
export function importPublishedKey({ members }: PublishedKey): KeyObject {
  return createPublicKey({ key: members, format: 'jwk' });
}
