import { none } from './digest-table.js';

// A proof lives for minutes. What lives longer is looked at once a turn and put back.
const turnSeconds = 1024;

/**
 * Slots by the second in which they expire: one list a second, on a ring. To put a slot in or to take one out costs
 * the same whatever the ring holds. Takes 4 bytes a slot.
 */
export class ExpiryWheel {
  readonly #heads = new Uint32Array(turnSeconds);
  readonly #links: Uint32Array;
  /** the list that is being taken out; off the ring, so that a slot put back is not met again */
  #due = none;
  /** the first second whose list is still on the ring */
  #nextSecond: number;

  /** @param startSecond - the current time, whole seconds since the epoch */
  constructor(capacity: number, startSecond: number) {
    this.#links = new Uint32Array(capacity + 1);
    this.#nextSecond = startSecond;
  }

  /** Puts in a slot that is not on the wheel. A second beyond the turn makes it come up early, one in the past late. */
  put(slot: number, second: number): void {
    const within = Math.min(Math.max(second, this.#nextSecond), this.#nextSecond + turnSeconds - 1);
    const place = within % turnSeconds;
    this.#links[slot] = this.#heads[place] ?? none;
    this.#heads[place] = slot;
  }

  /**
   * Takes out one slot whose second lies before the given one. Whether it has expired is for the owner to see.
   * @returns `none` when no slot is due
   */
  take(beforeSecond: number): number {
    // A clock that was set back: what is put in from now on must not wait until it is where it was. What comes up early is put
    // back by its owner.
    this.#nextSecond = Math.min(this.#nextSecond, beforeSecond);
    // After a long sleep one turn meets every list there is.
    if (this.#due === none) this.#nextSecond = Math.max(this.#nextSecond, beforeSecond - turnSeconds);
    while (this.#due === none && this.#nextSecond < beforeSecond) {
      const place = this.#nextSecond % turnSeconds;
      this.#due = this.#heads[place] ?? none;
      this.#heads[place] = none;
      this.#nextSecond++;
    }
    const slot = this.#due;
    if (slot !== none) this.#due = this.#links[slot] ?? none;
    return slot;
  }
}
