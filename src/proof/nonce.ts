import { createHmac, createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { isCanonicalBase64url } from '../jws/base64url.js';
import type { Relived, Timekeeper } from '../support/clock.js';

export interface NonceOptions {
  /** at least 32 bytes, the same on all replicas; absent: random, good for this process only */
  readonly secret?: Buffer | undefined;
  /** how long a nonce is accepted after it was issued, ms */
  readonly lifetimeMs: number;
  readonly clock: Pick<Timekeeper, 'nowMs' | 'relived'>;
}

/** A nonce of ours that is accepted now. */
export interface AcceptedNonce {
  /** ms since the epoch, by the clock of the replica that issued it */
  readonly issuedAtMs: number;
  /** nobody else has the secret, so it was issued since this process started */
  readonly isOfThisProcess: boolean;
  /** in the last third of its life. @see RFC 9449 §8.2; REQUIREMENTS H07 */
  readonly expiresSoon: boolean;
}

interface IssuedNonce {
  readonly nonce: string;
  readonly origin: string;
  readonly issuedAtMs: number;
}

// A resource server's nonces are of no use to an authorization server with the same secret, nor the other way
// round (REQUIREMENTS H04).
const domain = 'rs';
const minSecretBytes = 32;
const timeBytes = 6;
const macBytes = 18;
const nonceCharacters = ((timeBytes + macBytes) / 3) * 4;
const replicaSkewMs = 5000;
const reissueAfterMs = 1000;
// Some 200 bytes each. One replica issues 300 an origin in the default lifetime; who has more pays an HMAC now and then.
const maxRemembered = 8192;

/**
 * Issues nonces and knows its own again without storing them: time of issue and an HMAC over domain, origin and time,
 * as base64url. So a replica with the same secret knows them too, and a nonce can be used any number of times while it
 * lives (that a proof is used once is the replay store's part).
 *
 * After the clock was set back, nonces of the time that comes again are taken only from this process, which knows which ones
 * it has issued since: those of a replica cost their client one more round trip.
 *
 * Fails closed: what does not verify is no nonce, whatever the reason.
 * @see RFC 9449 §8, §9, §11.1; REQUIREMENTS H03 to H06, H08
 */
export class NonceIssuer {
  readonly #key: KeyObject;
  readonly #isSecretOwn: boolean;
  readonly #lifetimeMs: number;
  readonly #clock: NonceOptions['clock'];
  /** the latest nonce of each origin; as many as there are public origins */
  readonly #latest = new Map<string, IssuedNonce>();
  /** nonces that have verified: only real ones get in, and forgetting one costs an HMAC, no more */
  readonly #verified = new LRUCache<string, IssuedNonce>({ max: maxRemembered });
  /** of the time that comes a second time: the nonces that were issued in it the second time. Forgetting one costs a challenge */
  readonly #reissued = new LRUCache<string, IssuedNonce>({ max: maxRemembered });
  #relived: Relived | undefined;

  /** @throws RangeError for a secret of less than 32 bytes */
  constructor({ secret: shared, lifetimeMs, clock }: NonceOptions) {
    const secret = shared ?? randomBytes(minSecretBytes);
    if (secret.length < minSecretBytes) {
      throw new RangeError(`nonce secret has less than ${minSecretBytes} bytes`);
    }
    this.#key = createSecretKey(secret);
    this.#isSecretOwn = shared === undefined;
    this.#lifetimeMs = lifetimeMs;
    this.#clock = clock;
  }

  /**
   * @param origin - one of the public origins: `scheme://authority`
   * @returns 32 characters of base64url, the same for all who ask within a second. @see RFC 9449 §8.1 (NQCHAR)
   */
  issue(origin: string): string {
    this.#noticeRelived();
    const nowMs = Math.floor(this.#clock.nowMs());
    const latest = this.#latest.get(origin);
    if (latest !== undefined && Math.abs(nowMs - latest.issuedAtMs) < reissueAfterMs) return latest.nonce;
    const time = Buffer.alloc(timeBytes);
    time.writeUIntBE(nowMs, 0, timeBytes);
    const nonce = Buffer.concat([time, this.#mac(origin, nowMs)]).toString('base64url');
    const issued = { nonce, origin, issuedAtMs: nowMs };
    this.#latest.set(origin, issued);
    if (this.#isRelived(issued)) this.#reissued.set(nonce, issued);
    return nonce;
  }

  /**
   * @param nonce - as the client sent it
   * @param origin - where it was sent: `scheme://authority`
   * @returns evidence that the nonce was issued for this origin and has not expired; undefined when that is not so
   */
  verify(nonce: string, origin: string): AcceptedNonce | undefined {
    this.#noticeRelived();
    const known = this.#verified.get(nonce);
    const issued = known?.origin === origin ? known : this.#authenticate(nonce, origin);
    if (issued === undefined || !this.#isAccepted(issued)) return undefined;
    if (known === undefined) this.#verified.set(nonce, issued);
    const { issuedAtMs } = issued;
    const expiresSoon = this.#clock.nowMs() - issuedAtMs >= (this.#lifetimeMs * 2) / 3;
    return { issuedAtMs, isOfThisProcess: this.#isSecretOwn, expiresSoon };
  }

  #isAccepted(issued: IssuedNonce): boolean {
    const ageMs = this.#clock.nowMs() - issued.issuedAtMs;
    if (!(ageMs >= -replicaSkewMs && ageMs <= this.#lifetimeMs)) return false;
    return !this.#isRelived(issued) || this.#reissued.has(issued.nonce);
  }

  /** A nonce of a time that comes a second time may be of the first time, and have expired before. */
  #isRelived({ issuedAtMs }: IssuedNonce): boolean {
    if (this.#relived === undefined) return false;
    const { fromMs, untilMs } = this.#relived;
    return issuedAtMs >= Math.floor(fromMs) && issuedAtMs <= untilMs;
  }

  #noticeRelived(): void {
    const { relived } = this.#clock;
    if (relived === this.#relived) return;
    this.#relived = relived;
    for (const nonces of [this.#latest, this.#verified, this.#reissued]) nonces.clear();
  }

  /** @returns the nonce with its time, if this secret issued it for this origin, however long ago */
  #authenticate(nonce: string, origin: string): IssuedNonce | undefined {
    if (nonce.length !== nonceCharacters || !isCanonicalBase64url(nonce)) return undefined;
    const bytes = Buffer.from(nonce, 'base64url');
    const issuedAtMs = bytes.readUIntBE(0, timeBytes);
    const isOurs = timingSafeEqual(bytes.subarray(timeBytes), this.#mac(origin, issuedAtMs));
    return isOurs ? { nonce, origin, issuedAtMs } : undefined;
  }

  // No origin contains a line break, so no two inputs are spelled alike.
  #mac(origin: string, timeMs: number): Buffer {
    return createHmac('sha256', this.#key)
      .update(`${domain}\n${origin}\n${timeMs}`)
      .digest()
      .subarray(0, macBytes);
  }
}
