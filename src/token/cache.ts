import type { Clock } from '../support/clock.js';
import { SharedCache } from '../support/shared-cache.js';
import type { IssuerKey } from './keys/key-set.js';
import type { Issuer } from './signature.js';
import type { VerifiedToken } from './verified-token.js';

/** A token whose signature was good with this key of this issuer. */
export interface CachedToken {
  readonly token: VerifiedToken;
  readonly issuer: Issuer;
  readonly key: IssuerKey;
}

/**
 * The most that cached tokens take together, in bytes: 64 MiB, which is 13,000 tokens of 1 KB. An estimate on the
 * high side: tokens with the usual claims were measured at half of what is counted for them.
 */
export const defaultCacheBytes = 64 * 1024 * 1024;

// What an entry takes beside a multiple of the token's length (its claims as objects, names and values).
const fixedBytes = 2048;
const bytesPerCharacter = 3;

/**
 * Tokens that were verified before, by digest. Bounded by bytes; beyond, one is forgotten and verified anew when it comes
 * again. Only tokens with a good signature get in, so strangers cannot fill it; and none of a client who has fewer gives
 * way to those of one who has more.
 *
 * A hit says that the signature was good once, nothing else: times and key are checked at each use by verify.ts,
 * audience, scopes and binding by the stages after (REQUIREMENTS D16). Belongs to one configuration: a new one starts
 * with an empty cache.
 */
export function createTokenCache(maxBytes: number, clock: Clock): SharedCache<CachedToken> {
  return new SharedCache({
    maxBytes,
    nowMs: () => clock.nowMs(),
    expiresAtMs: ({ token }) => token.usableUntilMs,
  });
}

/** @param length - characters of the compact token. @returns estimate of what its entry takes, in bytes */
export function entryBytes(length: number): number {
  return fixedBytes + bytesPerCharacter * length;
}
