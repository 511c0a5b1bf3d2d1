import { createHash } from 'node:crypto';

/**
 * Chris Doty-Humphrey's sfc32: small, fast, and the same everywhere, so that a seed tells what a run did. Nothing secret
 * comes from it.
 */
export class Random {
  readonly #state: Uint32Array;

  /** @param seed - any text; equal texts give equal sequences */
  constructor(seed: string) {
    const digest = createHash('sha256').update(seed).digest();
    this.#state = Uint32Array.from([0, 4, 8, 12].map((at) => digest.readUInt32LE(at)));
  }

  /** @returns an integer from 0 to 2^32 - 1 */
  next(): number {
    const [a = 0, b = 0, c = 0, counter = 0] = this.#state;
    const sum = (a + b + counter) >>> 0;
    this.#state[0] = b ^ (b >>> 9);
    this.#state[1] = c + (c << 3);
    this.#state[2] = ((c << 21) | (c >>> 11)) + sum;
    this.#state[3] = counter + 1;
    return sum;
  }

  /** @returns an integer from 0 to `limit` - 1 */
  below(limit: number): number {
    return this.next() % limit;
  }

  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  chance(probability: number): boolean {
    return this.next() < probability * 2 ** 32;
  }

  pick<T>(from: readonly [T, ...T[]]): T {
    return from[this.below(from.length)] ?? from[0];
  }

  /** Each with that probability, in order. */
  some<T>(probability: number, from: readonly T[]): T[] {
    return from.filter(() => this.chance(probability));
  }

  /** @param alphabet - a character of it stands for itself */
  text(length: number, alphabet: string): string {
    return Array.from({ length }, () => alphabet.charAt(this.below(alphabet.length))).join('');
  }
}
