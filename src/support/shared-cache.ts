/** What is kept, and for whom. */
export interface CacheEntry<V> {
  readonly value: V;
  /** whose room it takes */
  readonly owner: string;
  readonly bytes: number;
}

export interface SharedCacheOptions<V> {
  readonly maxBytes: number;
  readonly nowMs: () => number;
  /** when it is worth nothing any more, by the same clock */
  readonly expiresAtMs: (value: V) => number;
  /** told of each that is kept no longer */
  readonly forgotten?: (value: V) => void;
}

/** the names of its entries, oldest first */
type Owner = Set<string>;

// How many are looked at for one that has expired, before one goes that has not.
const looksForRoom = 4;

/**
 * A cache of bounded size that several owners share, none of them at the others' expense: when there is no room, what has
 * expired goes, and otherwise the oldest entry of the owner who has the most. So however many one owner brings, those who
 * have fewer keep theirs.
 *
 * Oldest means when it came, not when it was last asked for: a look-up is one in a Map and changes nothing.
 */
export class SharedCache<V> {
  readonly #options: SharedCacheOptions<V>;
  readonly #entries = new Map<string, CacheEntry<V>>();
  readonly #owners = new Map<string, Owner>();
  /** owners by how many entries they have */
  readonly #byCount: Set<Owner>[] = [];
  #bytes = 0;

  constructor(options: SharedCacheOptions<V>) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(name: string): V | undefined {
    return this.#entries.get(name)?.value;
  }

  /** Keeps it in place of what had this name. What is larger than the whole cache is not kept. */
  set(name: string, entry: CacheEntry<V>): void {
    this.delete(name);
    if (entry.bytes > this.#options.maxBytes) return;
    while (this.#bytes + entry.bytes > this.#options.maxBytes) this.#makeRoom();
    this.#entries.set(name, entry);
    this.#bytes += entry.bytes;
    let owner = this.#owners.get(entry.owner);
    if (owner === undefined) {
      owner = new Set();
      this.#owners.set(entry.owner, owner);
    }
    this.#byCount[owner.size]?.delete(owner);
    owner.add(name);
    this.#count(owner);
  }

  delete(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#entries.delete(name);
    this.#bytes -= entry.bytes;
    this.#disown(entry.owner, name);
    this.#options.forgotten?.(entry.value);
  }

  #disown(ownerName: string, name: string): void {
    const owner = this.#owners.get(ownerName);
    if (owner === undefined) return;
    this.#byCount[owner.size]?.delete(owner);
    owner.delete(name);
    if (owner.size > 0) this.#count(owner);
    else this.#owners.delete(ownerName);
  }

  #count(owner: Owner): void {
    let same = this.#byCount[owner.size];
    if (same === undefined) {
      same = new Set();
      this.#byCount[owner.size] = same;
    }
    same.add(owner);
  }

  #makeRoom(): void {
    if (this.#removeExpired()) return;
    while (this.#byCount.at(-1)?.size === 0) this.#byCount.pop();
    for (const owner of this.#byCount.at(-1) ?? []) {
      for (const oldest of owner) {
        this.delete(oldest);
        return;
      }
    }
  }

  #removeExpired(): boolean {
    const { nowMs, expiresAtMs } = this.#options;
    const now = nowMs();
    let looks = 0;
    for (const [name, entry] of this.#entries) {
      if (expiresAtMs(entry.value) <= now) {
        this.delete(name);
        return true;
      }
      if (++looks > looksForRoom) return false;
      // To the end, so that the next search goes on behind it.
      this.#entries.delete(name);
      this.#entries.set(name, entry);
    }
    return false;
  }
}
