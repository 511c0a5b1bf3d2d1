import { compactVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { Denial } from '../denial/denial.js';
import { type CompactJws, parseCompactJws } from '../jws/compact.js';
import type { PresentedToken } from '../request/credentials.js';
import { type Clock, nowSeconds } from '../support/clock.js';
import { checkTimes, parseClaims } from './claims.js';
import type { IssuerOptions } from './issuer.js';
import {
  IssuerKeys,
  type IssuerKeysState,
  type KeyObserver,
  type RefreshTimes,
  refreshTimes,
} from './issuer-keys.js';
import type { IssuerKey } from './key-set.js';
import { checkTokenType } from './token-type.js';
import { VerifiedToken } from './verified-token.js';

export interface TokenObserver extends KeyObserver {
  readonly cacheResult?: (result: 'hit' | 'miss' | 'stale') => void;
}

export interface TokenVerifierParts {
  readonly clock: Clock;
  readonly observer?: TokenObserver;
  readonly times?: RefreshTimes;
}

interface Issuer {
  readonly options: IssuerOptions;
  readonly keys: IssuerKeys;
}

/** A token that was verified, and what that rests on. */
interface CacheEntry {
  readonly token: VerifiedToken;
  readonly issuer: Issuer;
  readonly key: IssuerKey;
}

const maxTokenBytes = 8192;
// Claims take a few times the room of their text; 8 MiB of tokens are some 32 MiB at most.
const cacheTokenBytes = 8 * 1024 * 1024;

/**
 * Verifies JWT access tokens of the configured issuers. Remembers tokens whose signature was good, by their digest; time
 * and key are checked again on every use, and what depends on the route is judged later by policy/.
 *
 * Fails closed: whatever goes wrong with what the caller sent is a Denial, and whatever is missing on our side a Fault.
 * @see RFC 9068 §4; RFC 8725 §3; REQUIREMENTS D
 */
export class TokenVerifier {
  readonly #issuers: ReadonlyMap<string, Issuer>;
  readonly #clock: Clock;
  readonly #observer: TokenObserver;
  readonly #cache = new LRUCache<string, CacheEntry>({ maxSize: cacheTokenBytes });

  constructor(
    issuers: readonly IssuerOptions[],
    { clock, observer = {}, times = refreshTimes }: TokenVerifierParts,
  ) {
    this.#clock = clock;
    this.#observer = observer;
    this.#issuers = new Map(
      issuers.map((options) => [
        options.issuer,
        { options, keys: new IssuerKeys(options, { clock, observer, times }) },
      ]),
    );
  }

  /** Fetches the keys of every issuer, and keeps them fresh. Resolves when each was tried once; never rejects. */
  async start(): Promise<void> {
    await Promise.all([...this.#issuers.values()].map(({ keys }) => keys.start()));
  }

  state(): readonly IssuerKeysState[] {
    return [...this.#issuers.values()].map(({ keys }) => keys.state);
  }

  close(): void {
    for (const { keys } of this.#issuers.values()) keys.close();
  }

  /** @throws Denial token_*; Fault ERR_ISSUER_KEYS_UNAVAILABLE */
  verify(presented: PresentedToken): VerifiedToken | Promise<VerifiedToken> {
    const entry = this.#cache.get(presented.digest);
    if (entry === undefined) {
      this.#observer.cacheResult?.('miss');
      return this.#verifyAnew(presented);
    }
    const { token, issuer, key } = entry;
    if (!issuer.keys.isCurrent(key)) {
      this.#observer.cacheResult?.('stale');
      this.#cache.delete(presented.digest);
      return this.#verifyAnew(presented);
    }
    this.#observer.cacheResult?.('hit');
    checkTimes(token, issuer.options.leewaySeconds, nowSeconds(this.#clock));
    return token;
  }

  async #verifyAnew({ token: text, digest }: PresentedToken): Promise<VerifiedToken> {
    const jws = parseCompactJws(text, { maxBytes: maxTokenBytes, malformed: 'token_malformed' });
    const issuer = this.#selectIssuer(jws);
    const { options, keys } = issuer;
    checkTokenType(jws, options.tokenType);
    const algorithm = checkAlgorithm(jws, options.algorithms);
    // Times and types are cheaper than a signature, and an expired token needs none.
    const contents = parseClaims(jws.claims, options, nowSeconds(this.#clock));
    const key = await verifySignature(text, await keys.find(jws.header.kid, algorithm), algorithm);
    const token = VerifiedToken.seal(contents);
    this.#cache.set(digest, { token, issuer, key }, { size: text.length });
    return token;
  }

  /** The claim only says whose keys to try; the signature then proves it. @see RFC 8725 §3.8 */
  #selectIssuer({ claims }: CompactJws): Issuer {
    const { iss } = claims;
    const issuer = typeof iss === 'string' ? this.#issuers.get(iss) : undefined;
    if (issuer === undefined)
      throw new Denial('token_issuer_unknown', `iss is ${JSON.stringify(iss)?.slice(0, 256)}`);
    return issuer;
  }
}

function checkAlgorithm({ header: { alg, kid } }: CompactJws, allowed: readonly string[]): string {
  const algorithm = allowed.find((name) => name === alg);
  if (algorithm === undefined)
    throw new Denial('token_algorithm_refused', `alg is none of ${allowed.join(' ')}`);
  if (kid !== undefined && typeof kid !== 'string')
    throw new Denial('token_malformed', 'kid is not a string');
  return algorithm;
}

/** @returns the key that fits, of at most four candidates (P08) */
async function verifySignature(
  token: string,
  candidates: readonly IssuerKey[],
  algorithm: string,
): Promise<IssuerKey> {
  for (const key of candidates) {
    try {
      await compactVerify(token, await key.verifier(algorithm), { algorithms: [algorithm] });
      return key;
    } catch {
      // Another key may fit. Whatever else jose makes of hostile input or an odd key is no verification either (D15).
    }
  }
  throw new Denial('token_signature_invalid', `${candidates.length} keys tried`);
}
