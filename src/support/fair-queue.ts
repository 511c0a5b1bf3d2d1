/** Something that waits. */
export interface Waiting {
  /** since when, ms of any clock that is not set back */
  readonly sinceMs: number;
  /** names of its owner, the group first; each one a lane of its own at its level */
  readonly lanes: readonly string[];
}

/**
 * A queue that serves its lanes by turns, so that the length of one costs the others nothing. A lane may have lanes itself.
 * The last level serves its newest and its oldest by turns: whoever waits behind a thousand of its own lane is not served
 * last for certain, and the oldest is not forgotten.
 */
export class FairQueue<T extends Waiting> {
  readonly #depth: number;
  /** in the order in which their turns come */
  readonly #lanes = new Map<string, FairQueue<T>>();
  /** of the last level, oldest first */
  readonly #items: T[] = [];
  #size = 0;
  #isNewestNext = false;

  constructor(depth = 0) {
    this.#depth = depth;
  }

  get size(): number {
    return this.#size;
  }

  add(item: T): void {
    this.#size++;
    const name = item.lanes[this.#depth];
    if (name === undefined) {
      this.#items.push(item);
      return;
    }
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = new FairQueue(this.#depth + 1);
      this.#lanes.set(name, lane);
    }
    lane.add(item);
  }

  /** @returns the one whose turn it is; undefined when nothing waits */
  take(): T | undefined {
    if (this.#size === 0) return undefined;
    this.#size--;
    for (const [name, lane] of this.#lanes) {
      this.#lanes.delete(name);
      const item = lane.take();
      if (lane.size > 0) this.#lanes.set(name, lane);
      return item;
    }
    return this.#takeOwn();
  }

  /** Looks at every lane. @returns all that wait since before that moment */
  takeOlderThan(ms: number): T[] {
    const old: T[] = [];
    for (const [name, lane] of this.#lanes) {
      old.push(...lane.takeOlderThan(ms));
      if (lane.size === 0) this.#lanes.delete(name);
    }
    const young = this.#items.findIndex(({ sinceMs }) => sinceMs >= ms);
    old.push(...this.#items.splice(0, young < 0 ? this.#items.length : young));
    this.#size -= old.length;
    return old;
  }

  #takeOwn(): T | undefined {
    const isNewest = this.#isNewestNext;
    this.#isNewestNext = !isNewest;
    return isNewest ? this.#items.pop() : this.#items.shift();
  }
}
