import { Denial } from '../denial/denial.js';
import { Fault } from '../denial/fault.js';
import { type CompactJws, parseCompactJws } from '../jws/compact.js';
import type { Asker, VerificationQueue } from '../jws/verification-queue.js';
import type { PresentedToken } from '../request/credentials.js';
import type { Timekeeper } from '../support/clock.js';
import type { SharedCache } from '../support/shared-cache.js';
import { type CachedToken, createTokenCache, defaultCacheBytes, entryBytes } from './cache.js';
import { parseClaims } from './claims.js';
import type { IssuerOptions, IssuerState, TokenObserver } from './issuer.js';
import { IssuerKeys, type RefreshTimes, refreshTimes } from './keys/issuer-keys.js';
import { type Issuer, verifySignature } from './signature.js';
import { checkTimes } from './times.js';
import { checkTokenType } from './token-type.js';
import { type VerifiedToken, verifyTimes } from './verified-token.js';

export interface TokenVerifierParts {
  readonly clock: Timekeeper;
  readonly verifications: VerificationQueue;
  readonly observer?: TokenObserver;
  /** bound of the cache of verified tokens; 64 MiB when absent */
  readonly cacheBytes?: number;
  /** when keys are fetched */
  readonly times?: RefreshTimes;
}

const maxTokenBytes = 8192;

/**
 * Verifies JWT access tokens of the configured issuers. Each issuer has its own keys, algorithms and token type, and
 * none of them ever serves another issuer's token.
 *
 * Fails closed: whatever goes wrong with what the caller sent is a Denial; whatever goes wrong with an issuer is a
 * Fault. Without issuers every token is refused.
 * @see RFC 9068 §4; RFC 8725; REQUIREMENTS D, P
 */
export class TokenVerifier {
  readonly #issuers: ReadonlyMap<string, Issuer>;
  readonly #clock: Timekeeper;
  readonly #observer: TokenObserver;
  readonly #verifications: VerificationQueue;
  readonly #cache: SharedCache<CachedToken>;

  /** @throws RangeError when two issuers have the same identifier */
  constructor(issuers: readonly IssuerOptions[], parts: TokenVerifierParts) {
    const { clock, observer = {}, cacheBytes = defaultCacheBytes, times = refreshTimes } = parts;
    this.#clock = clock;
    this.#observer = observer;
    this.#verifications = parts.verifications;
    this.#cache = createTokenCache(cacheBytes, clock);
    this.#issuers = new Map(
      issuers.map((options) => [
        options.issuer,
        { options, keys: new IssuerKeys(options, { clock, observer, times }) },
      ]),
    );
    if (this.#issuers.size !== issuers.length) throw new RangeError('two issuers with one identifier');
  }

  /** Starts to fetch keys. @returns when the first fetch of each issuer has ended, well or not; see `state` */
  async start(): Promise<void> {
    await Promise.all(Array.from(this.#issuers.values(), ({ keys }) => keys.start()));
  }

  /** Ends fetches and timers. Keys that are there go on to serve until they are too old. */
  close(): void {
    for (const { keys } of this.#issuers.values()) keys.close();
  }

  state(): IssuerState[] {
    return Array.from(this.#issuers.values(), ({ keys }) => keys.state);
  }

  /**
   * Answers at once for a token that was verified before, so that the hot path waits for nothing.
   *
   * @param asker - tells who asks for a verification; called only when there is one to do
   * @returns a token that is valid now. What it may be used for is not decided here
   * @throws Denial token_* (also as a rejection)
   * @throws Fault ERR_ISSUER_KEYS_UNAVAILABLE, ERR_ISSUER_KEY_PENDING, ERR_VERIFICATION_BUSY (also as a rejection)
   */
  verify(presented: PresentedToken, asker: () => Asker): VerifiedToken | Promise<VerifiedToken> {
    const cached = this.#cache.get(presented.digest);
    if (cached === undefined) {
      this.#observer.cacheResult?.('miss');
      return this.#verifyAnew(presented, asker());
    }
    if (this.#holds(presented, cached)) {
      this.#observer.cacheResult?.('hit');
      return cached.token;
    }
    this.#observer.cacheResult?.('stale');
    return this.#verifyAnew(presented, asker());
  }

  /**
   * What must be true at each use: the key has not been withdrawn, and the token is still valid. What does not hold
   * is forgotten and gets its refusal from the full verification.
   */
  #holds({ digest }: PresentedToken, { token, issuer, key }: CachedToken): boolean {
    try {
      checkTimes(token, issuer.options.leewaySeconds, this.#clock);
      if (issuer.keys.current().has(key)) return true;
    } catch (error) {
      if (!(error instanceof Denial)) throw error;
    }
    this.#cache.delete(digest);
    return false;
  }

  /**
   * What can be refused without a signature is: nothing of it is trusted, and a token that is no good by its own account is
   * none. One that was good once costs its finder nothing else, and turns up again and again.
   */
  async #verifyAnew({ token: text, digest }: PresentedToken, asker: Asker): Promise<VerifiedToken> {
    try {
      const jws = parseCompactJws(text, { maxBytes: maxTokenBytes, malformed: 'token_malformed' });
      const issuer = this.#selectIssuer(jws);
      checkTokenType(jws, issuer.options);
      const contents = parseClaims(jws.claims, issuer.options);
      checkTimes(contents, contents.leewaySeconds, this.#clock);
      const unsigned = { text, header: jws.header, contents };
      const signed = await verifySignature(unsigned, issuer, { queue: this.#verifications, asker });
      const token = verifyTimes(signed, this.#clock);
      this.#cache.set(digest, {
        value: { token, issuer, key: signed.key },
        owner: `${token.issuer} ${token.clientId}`,
        bytes: entryBytes(text.length),
      });
      return token;
    } catch (error) {
      if (error instanceof Denial || error instanceof Fault) throw error;
      // Something that a token made a library do, and that nobody has thought of (D15).
      throw new Denial('token_malformed', 'verification failed in an unexpected way', { cause: error });
    }
  }

  /** By the unverified `iss`: it only chooses the keys that must then prove it. */
  #selectIssuer({ claims: { iss } }: CompactJws): Issuer {
    const issuer = typeof iss === 'string' ? this.#issuers.get(iss) : undefined;
    if (issuer !== undefined) return issuer;
    throw new Denial(
      'token_issuer_unknown',
      `iss is ${typeof iss === 'string' ? iss.slice(0, 256) : 'not a string'}`,
    );
  }
}
