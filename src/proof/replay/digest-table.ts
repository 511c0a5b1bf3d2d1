import { hash, randomBytes } from 'node:crypto';

/** SHA-256 of salted text, one character a byte. A table keeps the first 128 bits. */
export type Digest = string;

/** no slot; slots count from 1, so that the zeros of fresh memory mean "none" and nothing has to be filled */
export const none = 0;

const wordsPerDigest = 4;
const maxCapacity = 2 ** 27;

/**
 * Digests with a salt of their own per instance: whoever chooses the texts can neither aim at one chain of a table nor
 * search for two texts that fall together.
 */
export class SaltedDigests {
  readonly #salt = randomBytes(16).toString('base64url');

  // A digest as a string: as a Buffer it costs three times as much, most of it for the Buffer.
  of(text: string): Digest {
    return hash('sha256', this.#salt + text, 'binary');
  }
}

/**
 * A set of at most `capacity` digests. Each one in it has a slot, a number from 1 to `capacity` by which the owner
 * keeps more about it in arrays of its own.
 *
 * Chains in typed arrays of fixed size rather than a Map: a Map of a million strings takes several times the memory
 * and stands still for a tenth of a second whenever it grows. Takes 24 to 28 bytes a slot; the kernel hands those out
 * when a slot is first used, so an empty table takes next to nothing.
 */
export class DigestTable {
  readonly capacity: number;
  readonly #mask: number;
  /** first slot of each chain */
  readonly #heads: Uint32Array;
  /** next slot: of the chain for a slot in use, of the free list for one given back */
  readonly #links: Uint32Array;
  readonly #words: Int32Array;
  #free = none;
  #everUsed = 0;
  #size = 0;

  /** @throws RangeError for a capacity that is not a whole number from 1 to 2^27 */
  constructor(capacity: number) {
    if (!(Number.isInteger(capacity) && capacity >= 1 && capacity <= maxCapacity)) {
      throw new RangeError(`capacity ${capacity} is not a whole number from 1 to ${maxCapacity}`);
    }
    const chains = 2 ** Math.ceil(Math.log2(capacity));
    this.capacity = capacity;
    this.#mask = chains - 1;
    this.#heads = new Uint32Array(chains);
    this.#links = new Uint32Array(capacity + 1);
    this.#words = new Int32Array((capacity + 1) * wordsPerDigest);
  }

  get size(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#size === this.capacity;
  }

  /** @returns the slot of the digest, or `none` */
  find(digest: Digest): number {
    const words = this.#words;
    const first = word(digest, 0);
    let slot = this.#heads[first & this.#mask] ?? none;
    while (slot !== none) {
      const at = slot * wordsPerDigest;
      if (
        words[at] === first &&
        words[at + 1] === word(digest, 1) &&
        words[at + 2] === word(digest, 2) &&
        words[at + 3] === word(digest, 3)
      ) {
        return slot;
      }
      slot = this.#links[slot] ?? none;
    }
    return none;
  }

  /**
   * Adds a digest that the table does not have; the caller has looked.
   * @returns its slot
   * @throws RangeError when the table is full
   */
  insert(digest: Digest): number {
    if (this.isFull) throw new RangeError('digest table is full');
    const slot = this.#takeSlot();
    const at = slot * wordsPerDigest;
    for (let i = 0; i < wordsPerDigest; i++) this.#words[at + i] = word(digest, i);
    const chain = word(digest, 0) & this.#mask;
    this.#links[slot] = this.#heads[chain] ?? none;
    this.#heads[chain] = slot;
    this.#size++;
    return slot;
  }

  /** Takes out what is in a slot that is in use. */
  remove(slot: number): void {
    const chain = (this.#words[slot * wordsPerDigest] ?? 0) & this.#mask;
    const after = this.#links[slot] ?? none;
    if (this.#heads[chain] === slot) this.#heads[chain] = after;
    else this.#links[this.#findBefore(slot, chain)] = after;
    this.#links[slot] = this.#free;
    this.#free = slot;
    this.#size--;
  }

  #takeSlot(): number {
    const slot = this.#free;
    if (slot === none) return ++this.#everUsed;
    this.#free = this.#links[slot] ?? none;
    return slot;
  }

  #findBefore(slot: number, chain: number): number {
    let before = this.#heads[chain] ?? none;
    while (before !== none && this.#links[before] !== slot) before = this.#links[before] ?? none;
    return before;
  }
}

function word(digest: Digest, index: number): number {
  const at = index * 4;
  return (
    digest.charCodeAt(at) |
    (digest.charCodeAt(at + 1) << 8) |
    (digest.charCodeAt(at + 2) << 16) |
    (digest.charCodeAt(at + 3) << 24)
  );
}
