/**
 * Who takes a place: a client that a verified token names, or an address of which nothing was proven. Label values of
 * metrics (S03).
 */
export type CallerKind = 'client' | 'stranger';

/** A client may hold so many times what it leaves to others. */
const timesWhatIsLeft = 3;
/** The part of the places that strangers may hold together. */
const strangersPart = 1 / 2;
/** The part of the places that is kept for clients that hold none. */
const reservedPart = 1 / 8;

/**
 * Divides places among callers, so that none takes everybody's. Nobody is asked to give a place back: what is bounded is
 * who gets the next one.
 *
 * - Strangers hold half of the places at most. One address holds at most as many as it leaves of that half: a quarter when
 *   it is alone.
 * - A client holds at most three times as many as are free: three quarters when it is alone, and less the more others
 *   there are.
 * - The last eighth is for clients that hold none.
 *
 * With one place in all there is nothing to divide; with two or three, one is kept.
 * @see REQUIREMENTS S14
 */
export class Shares {
  readonly #places: number;
  readonly #ofStrangers: number;
  readonly #reserved: number;
  readonly #taken = { client: 0, stranger: 0 };

  /** @param places - how many there are, ≥ 0 */
  constructor(places: number) {
    this.#places = places;
    this.#ofStrangers = Math.min(places, Math.max(1, Math.floor(places * strangersPart)));
    this.#reserved = places < 2 ? 0 : Math.max(1, Math.floor(places * reservedPart));
  }

  /** how many are not taken */
  get free(): number {
    return this.#places - this.#taken.client - this.#taken.stranger;
  }

  taken(kind: CallerKind): number {
    return this.#taken[kind];
  }

  /** @param held - how many the caller holds now. @returns whether it may hold one more */
  hasRoomFor(kind: CallerKind, held: number): boolean {
    const { free } = this;
    if (kind === 'client' && held === 0) return free > 0;
    if (free <= this.#reserved) return false;
    if (kind === 'client') return held + 1 <= timesWhatIsLeft * (free - 1);
    const left = this.#ofStrangers - this.#taken.stranger - 1;
    return left >= 0 && (held === 0 || held + 1 <= left);
  }

  take(kind: CallerKind): void {
    this.#taken[kind]++;
  }

  giveBack(kind: CallerKind): void {
    this.#taken[kind]--;
  }
}
