import type { Timekeeper } from '../../support/clock.js';
import { type Digest, DigestTable, none, SaltedDigests } from './digest-table.js';
import { ExpiryWheel } from './expiry-wheel.js';
import { Shares } from './shares.js';
import type { ClaimResult, NamedProof, ReplayEntry, ReplayOwner, ReplayStore } from './store.js';

export interface MemoryReplayOptions {
  /** proofs remembered at once, 1 to 2^27 */
  readonly capacity: number;
  /** of those, how many may be of one key, from 1 */
  readonly perKey: number;
  /** and how many of one client, whatever its keys, from 1 */
  readonly perClient: number;
}

/** Who an entry counts for. */
interface Holders {
  readonly jkt: string;
  /** digest of `jkt` */
  readonly key: Digest;
  readonly client: Digest;
}

// How many expired entries one step looks at. A step takes microseconds, and two a claim already keep up with the claims.
const perClaim = 4;
const perClaimWithoutRoom = 4096;
const perSweep = 2048;
const sweepEveryMs = 1000;

/**
 * The memory of one process for used proofs.
 *
 * Takes at most 112 bytes an entry (28 for a digest of key and `jti`, 12 for its expiry and links, 36 each for its key and its
 * client if no other entry has the same), from the kernel when the entry is first used, and never more than `capacity` of them.
 * Key, client and `jti` are kept as digests only.
 *
 * Remembers by the steady reading of the clock: when the clock jumps ahead, and turns out to be wrong, nothing is forgotten.
 * When it is set back for good, what had ended before may be forgotten (`Timekeeper.forgottenBeforeMs`, held by dpop.ts).
 *
 * Whether a proof is remembered is decided to the millisecond. Its room is free again when that second is over: as the
 * claims go on, and by a timer, always in steps that are too short to notice. So while very many entries expire at
 * once, a full store, key or client may refuse a moment longer.
 *
 * Fails closed: without room it refuses.
 * @see REQUIREMENTS I01, I03, I04, I05, I14
 */
export class MemoryReplayStore implements ReplayStore {
  readonly #clock: Pick<Timekeeper, 'steadyMs'>;
  readonly #digests = new SaltedDigests();
  readonly #entries: DigestTable;
  readonly #expiresAtMs: Float64Array;
  readonly #wheel: ExpiryWheel;
  readonly #keys: Shares;
  readonly #clients: Shares;
  /** of tokens that are in use: two digests that need not be made with each of their proofs */
  readonly #holders = new WeakMap<ReplayOwner, Holders>();
  readonly #timer: NodeJS.Timeout;
  #nextSweep: NodeJS.Immediate | undefined;

  /** @throws RangeError for a capacity or quota that is not in its range */
  constructor({ capacity, perKey, perClient }: MemoryReplayOptions, clock: Pick<Timekeeper, 'steadyMs'>) {
    this.#clock = clock;
    this.#entries = new DigestTable(capacity);
    this.#expiresAtMs = new Float64Array(capacity + 1);
    this.#wheel = new ExpiryWheel(capacity, secondOf(clock.steadyMs()));
    this.#keys = new Shares(capacity, { name: 'perKey', quota: perKey });
    this.#clients = new Shares(capacity, { name: 'perClient', quota: perClient });
    this.#timer = setInterval(() => this.#sweep(), sweepEveryMs).unref();
  }

  get size(): number {
    return this.#entries.size;
  }

  get capacity(): number {
    return this.#entries.capacity;
  }

  nameOf(jkt: string, jti: string): NamedProof {
    return { jkt, name: this.#digests.of(`${jkt} ${jti}`) };
  }

  // Atomic because it runs to its end without a pause.
  claim({ proof, owner, expiresAtMs }: ReplayEntry): ClaimResult {
    const nowMs = this.#clock.steadyMs();
    if (!(expiresAtMs >= nowMs)) return 'replayed';
    this.#release(nowMs, perClaim);
    const digest = proof.name;
    const known = this.#entries.find(digest);
    if (known === none)
      return this.#claimNew({ digest, holders: this.#holdersOf(proof, owner), expiresAtMs }, nowMs);
    if (this.#isLive(known, nowMs)) return 'replayed';
    // Expired and not yet released: it keeps its room, and the wheel meets it in time and puts it where it belongs.
    this.#expiresAtMs[known] = expiresAtMs;
    return 'claimed';
  }

  isUsed({ name }: NamedProof): boolean {
    const known = this.#entries.find(name);
    return known !== none && this.#isLive(known, this.#clock.steadyMs());
  }

  close(): void {
    clearInterval(this.#timer);
    clearImmediate(this.#nextSweep);
  }

  #claimNew(entry: { digest: Digest; holders: Holders; expiresAtMs: number }, nowMs: number): ClaimResult {
    const { digest, holders, expiresAtMs } = entry;
    if (this.#refusal(holders) !== undefined) this.#release(nowMs, perClaimWithoutRoom);
    const refusal = this.#refusal(holders);
    if (refusal !== undefined) return refusal;
    const slot = this.#entries.insert(digest);
    this.#expiresAtMs[slot] = expiresAtMs;
    this.#keys.add(holders.key, slot);
    this.#clients.add(holders.client, slot);
    this.#wheel.put(slot, secondOf(expiresAtMs));
    return 'claimed';
  }

  #holdersOf({ jkt }: NamedProof, owner: ReplayOwner): Holders {
    const known = this.#holders.get(owner);
    if (known?.jkt === jkt) return known;
    const client = this.#digests.of(`${owner.issuer} ${owner.clientId}`);
    const holders = { jkt, key: this.#digests.of(jkt), client };
    this.#holders.set(owner, holders);
    return holders;
  }

  #isLive(slot: number, nowMs: number): boolean {
    return nowMs <= (this.#expiresAtMs[slot] ?? 0);
  }

  // Key and client first: one that has filled the store alone should hear that it is the one.
  #refusal({ key, client }: Holders): 'key-full' | 'client-full' | 'store-full' | undefined {
    if (this.#keys.isFull(key)) return 'key-full';
    if (this.#clients.isFull(client)) return 'client-full';
    return this.#entries.isFull ? 'store-full' : undefined;
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
    this.#keys.remove(slot);
    this.#clients.remove(slot);
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
