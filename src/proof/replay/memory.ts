import type { Timekeeper } from '../../support/clock.js';
import { type Digest, DigestTable, none, SaltedDigests } from './digest-table.js';
import { ExpiryWheel } from './expiry-wheel.js';
import type { ClaimResult, ReplayEntry, ReplayStore } from './store.js';

export interface MemoryReplayOptions {
  /** proofs remembered at once, 1 to 2^27 */
  readonly capacity: number;
  /** of those, how many may be of one key, from 1 */
  readonly perKey: number;
}

// How many expired entries one step looks at. A step takes microseconds, and two a claim already keep up with the claims.
const perClaim = 4;
const perClaimWithoutRoom = 4096;
const perSweep = 2048;
const sweepEveryMs = 1000;

/**
 * The memory of one process for used proofs.
 *
 * Takes at most 76 bytes an entry (28 for a digest of key and `jti`, 16 for its expiry and links, 32 for its key if no
 * other entry has the same), from the kernel when the entry is first used, and never more than `capacity` of them.
 * Key and `jti` are kept as digests only.
 *
 * Remembers by the steady reading of the clock: when the clock jumps ahead, and turns out to be wrong, nothing is forgotten.
 * When it is set back for good, what had ended before may be forgotten (`Timekeeper.forgottenBeforeMs`, held by dpop.ts).
 *
 * Whether a proof is remembered is decided to the millisecond. Its room is free again when that second is over: as the
 * claims go on, and by a timer, always in steps that are too short to notice. So while very many entries expire at
 * once, a full store or key may refuse a moment longer.
 *
 * Fails closed: without room it refuses.
 * @see REQUIREMENTS I01, I03, I04, I05
 */
export class MemoryReplayStore implements ReplayStore {
  readonly #clock: Pick<Timekeeper, 'steadyMs'>;
  readonly #perKey: number;
  readonly #digests = new SaltedDigests();
  readonly #entries: DigestTable;
  readonly #expiresAtMs: Float64Array;
  /** the slot in `#keys` of each entry's key */
  readonly #keyOf: Uint32Array;
  readonly #wheel: ExpiryWheel;
  readonly #keys: DigestTable;
  /** entries of each key */
  readonly #counts: Uint32Array;
  readonly #timer: NodeJS.Timeout;
  #nextSweep: NodeJS.Immediate | undefined;

  /** @throws RangeError for a capacity or quota that is not in its range */
  constructor({ capacity, perKey }: MemoryReplayOptions, clock: Pick<Timekeeper, 'steadyMs'>) {
    if (!(Number.isInteger(perKey) && perKey >= 1)) {
      throw new RangeError(`perKey ${perKey} is not a whole number from 1`);
    }
    this.#clock = clock;
    this.#perKey = perKey;
    this.#entries = new DigestTable(capacity);
    this.#expiresAtMs = new Float64Array(capacity + 1);
    this.#keyOf = new Uint32Array(capacity + 1);
    this.#wheel = new ExpiryWheel(capacity, secondOf(clock.steadyMs()));
    this.#keys = new DigestTable(capacity);
    this.#counts = new Uint32Array(capacity + 1);
    this.#timer = setInterval(() => this.#sweep(), sweepEveryMs).unref();
  }

  get size(): number {
    return this.#entries.size;
  }

  get capacity(): number {
    return this.#entries.capacity;
  }

  // Atomic because it runs to its end without a pause.
  claim({ jkt, jti, expiresAtMs }: ReplayEntry): ClaimResult {
    const nowMs = this.#clock.steadyMs();
    if (!(expiresAtMs >= nowMs)) return 'replayed';
    this.#release(nowMs, perClaim);
    const digest = this.#digestOf(jkt, jti);
    const known = this.#entries.find(digest);
    if (known === none) {
      return this.#claimNew({ digest, keyDigest: this.#digests.of(jkt), expiresAtMs }, nowMs);
    }
    if (this.#isLive(known, nowMs)) return 'replayed';
    // Expired and not yet released: it keeps its room, and the wheel meets it in time and puts it where it belongs.
    this.#expiresAtMs[known] = expiresAtMs;
    return 'claimed';
  }

  isUsed(jkt: string, jti: string): boolean {
    const known = this.#entries.find(this.#digestOf(jkt, jti));
    return known !== none && this.#isLive(known, this.#clock.steadyMs());
  }

  close(): void {
    clearInterval(this.#timer);
    clearImmediate(this.#nextSweep);
  }

  #claimNew(entry: { digest: Digest; keyDigest: Digest; expiresAtMs: number }, nowMs: number): ClaimResult {
    const { digest, keyDigest, expiresAtMs } = entry;
    if (this.#refusal(keyDigest) !== undefined) this.#release(nowMs, perClaimWithoutRoom);
    const refusal = this.#refusal(keyDigest);
    if (refusal !== undefined) return refusal;
    const slot = this.#entries.insert(digest);
    this.#expiresAtMs[slot] = expiresAtMs;
    this.#keyOf[slot] = this.#countUp(keyDigest);
    this.#wheel.put(slot, secondOf(expiresAtMs));
    return 'claimed';
  }

  #digestOf(jkt: string, jti: string): Digest {
    return this.#digests.of(`${jkt} ${jti}`);
  }

  #isLive(slot: number, nowMs: number): boolean {
    return nowMs <= (this.#expiresAtMs[slot] ?? 0);
  }

  // The key first: one that has filled the store alone should hear that it is the one.
  #refusal(keyDigest: Digest): 'key-full' | 'store-full' | undefined {
    if ((this.#counts[this.#keys.find(keyDigest)] ?? 0) >= this.#perKey) return 'key-full';
    return this.#entries.isFull ? 'store-full' : undefined;
  }

  /** @returns the key's slot. There is one: each key has an entry, and the tables have the same capacity. */
  #countUp(keyDigest: Digest): number {
    const known = this.#keys.find(keyDigest);
    const key = known === none ? this.#keys.insert(keyDigest) : known;
    this.#counts[key] = (this.#counts[key] ?? 0) + 1;
    return key;
  }

  /**
   * Gives back the room of expired entries. Only of seconds that are over: in the current one it might look at a million
   * live entries, again and again, to find one that is not.
   * @returns whether it looked at as many as it may, so that there may be more
   */
  #release(nowMs: number, limit: number): boolean {
    for (let looked = 0; looked < limit; looked++) {
      const slot = this.#wheel.take(secondOf(nowMs));
      if (slot === none) return false;
      if (this.#isLive(slot, nowMs)) this.#wheel.put(slot, secondOf(this.#expiresAtMs[slot] ?? 0));
      else this.#remove(slot);
    }
    return true;
  }

  #remove(slot: number): void {
    const key = this.#keyOf[slot] ?? none;
    const count = (this.#counts[key] ?? 0) - 1;
    this.#counts[key] = count;
    if (count === 0) this.#keys.remove(key);
    this.#entries.remove(slot);
  }

  // The immediate holds the process, for as long as the work takes: an idle loop would not get to one that does not.
  #sweep(): void {
    clearImmediate(this.#nextSweep);
    const more = this.#release(this.#clock.steadyMs(), perSweep);
    this.#nextSweep = more ? setImmediate(() => this.#sweep()) : undefined;
  }
}

function secondOf(ms: number): number {
  return Math.floor(ms / 1000);
}
