import { type Digest, DigestTable, none } from './digest-table.js';

/**
 * How many of the entries of a store each of its holders has, and who holds which. There is a place for each holder, for each
 * has an entry and the table is as large as the store. Takes 36 bytes an entry at most: 4 for its holder, 32 for one that has no
 * other entry.
 */
export class Shares {
  readonly #quota: number;
  readonly #holders: DigestTable;
  readonly #counts: Uint32Array;
  /** the slot in `#holders` of each entry's holder */
  readonly #holderOf: Uint32Array;

  /**
   * @param name - of the quota, for the message
   * @throws RangeError for a capacity that a table cannot have, and for a quota that is not a whole number from 1
   */
  constructor(capacity: number, { name, quota }: { readonly name: string; readonly quota: number }) {
    if (!(Number.isInteger(quota) && quota >= 1)) {
      throw new RangeError(`${name} ${quota} is not a whole number from 1`);
    }
    this.#quota = quota;
    this.#holders = new DigestTable(capacity);
    this.#counts = new Uint32Array(capacity + 1);
    this.#holderOf = new Uint32Array(capacity + 1);
  }

  /** Whether the holder has as many entries as it may. */
  isFull(holder: Digest): boolean {
    return (this.#counts[this.#holders.find(holder)] ?? 0) >= this.#quota;
  }

  /** @param entry - the slot of an entry that nobody holds yet */
  add(holder: Digest, entry: number): void {
    const known = this.#holders.find(holder);
    const slot = known === none ? this.#holders.insert(holder) : known;
    this.#counts[slot] = (this.#counts[slot] ?? 0) + 1;
    this.#holderOf[entry] = slot;
  }

  /** @param entry - the slot of an entry that is given up */
  remove(entry: number): void {
    const slot = this.#holderOf[entry] ?? none;
    const count = (this.#counts[slot] ?? 0) - 1;
    this.#counts[slot] = count;
    if (count === 0) this.#holders.remove(slot);
  }
}
