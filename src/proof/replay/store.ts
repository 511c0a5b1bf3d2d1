/** One use of one proof. */
export interface ReplayEntry {
  /** thumbprint of the key that signed, base64url. @see RFC 7638 §3 */
  readonly jkt: string;
  /** issuer and client of the token that the proof came with, as one text: who has to share what one client may have */
  readonly owner: string;
  /** as the proof has it, at most 256 characters */
  readonly jti: string;
  /** ms since the epoch; the last moment at which the proof would be accepted if it were forgotten */
  readonly expiresAtMs: number;
}

/**
 * What became of a claim.
 * - `claimed`: this is the first use, and it is remembered.
 * - `replayed`: used before; or its time is over, so that nothing would remember a second use.
 * - `key-full`: the key has as many remembered proofs as one key may have.
 * - `client-full`: the client has as many, over all of its keys, as one client may have.
 * - `store-full`: there is no room for anyone.
 *
 * A proof that is remembered is answered `replayed` also when its key, its client or the store is full.
 */
export type ClaimResult = 'claimed' | 'replayed' | 'key-full' | 'client-full' | 'store-full';

/**
 * The memory of used proofs. An entry is remembered until the clock has passed `expiresAtMs`, and is never given up
 * earlier to make room.
 *
 * Fails closed: without room it refuses, and a store that cannot answer throws.
 * @see RFC 9449 §11.1; REQUIREMENTS I01 to I06, I14
 */
export interface ReplayStore {
  /** Atomic: of any number of concurrent claims of the same `jkt` and `jti`, exactly one gets `claimed`. */
  claim(entry: ReplayEntry): ClaimResult | Promise<ClaimResult>;
  /**
   * Whether a claim would be answered `replayed` because of what is remembered here. Claims nothing, and asks nobody: a
   * store that others share may not know, and then says no. Only `claim` decides.
   */
  isUsed(jkt: string, jti: string): boolean;
  /** entries that take up room now */
  readonly size: number;
  /** entries that have room at once */
  readonly capacity: number;
  /** Lets go of timers and connections. */
  close(): void;
}
