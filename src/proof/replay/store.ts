/** A proof by the name that one store has for it. Made once for a request; good for that store alone. */
export interface NamedProof {
  /** thumbprint of the key that signed, base64url. @see RFC 7638 §3 */
  readonly jkt: string;
  /** of key and `jti` together, in the store's own spelling */
  readonly name: string;
}

/** Who has to share what one client may have. */
export interface ReplayOwner {
  readonly issuer: string;
  readonly clientId: string;
}

/** One use of one proof. */
export interface ReplayEntry {
  readonly proof: NamedProof;
  /** of the token that the proof came with. The same object with each request of a token spares the store some work */
  readonly owner: ReplayOwner;
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
  /** @param jti - as the proof has it, at most 256 characters */
  nameOf(jkt: string, jti: string): NamedProof;
  /** Atomic: of any number of concurrent claims of the same `jkt` and `jti`, exactly one gets `claimed`. */
  claim(entry: ReplayEntry): ClaimResult | Promise<ClaimResult>;
  /**
   * Whether a claim would be answered `replayed` because of what is remembered here. Claims nothing, and asks nobody: a
   * store that others share may not know, and then says no. Only `claim` decides.
   */
  isUsed(proof: NamedProof): boolean;
  /** entries that take up room now */
  readonly size: number;
  /** entries that have room at once */
  readonly capacity: number;
  /** Lets go of timers and connections. */
  close(): void;
}
