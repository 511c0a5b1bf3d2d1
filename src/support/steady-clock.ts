import type { Relived, Timekeeper } from './clock.js';

/** Both in ms. */
export interface Readings {
  /** since the epoch */
  wallMs(): number;
  /** since the process started; knows no steps */
  monotonicMs(): number;
}

export interface StepObserver {
  /** @param byMs - from where the wall clock stood to where it stands; negative: backwards */
  stepped?(byMs: number): void;
  /** The wall clock is believed again. @param byMs - by which the steady reading was moved */
  adopted?(byMs: number): void;
}

const system: Readings = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };

// What NTP corrects in one go while all is well, and what a busy machine puts between two readings.
const toleranceMs = 500;
const adoptAfterMs = 300_000;

/**
 * The time of the wall clock, as far as it can be believed. After a step the wall clock may be right (a suspended machine
 * goes on, a wrong clock is corrected) or wrong, and nothing tells which. So there are two readings:
 *
 * - the steady one goes on by the monotonic clock, which knows no steps;
 * - the latest one is the same, or the wall clock where that is ahead. It follows a step forward at once, and a step back
 *   from there only when the wall clock is where the steady reading is: two clocks that agree are right.
 *
 * When the wall clock has gone evenly for five minutes, it is adopted, wherever it stands; until then `offsetMs` says how
 * far it is off.
 *
 * What ends goes by the latest reading, so a step reopens nothing that has ended, a suspended machine included. What begins
 * goes by the steady one, so a step opens nothing that was dated ahead. Where good clients would wait for that, something
 * better than a clock decides: a proof that only the wall clock has reached passes with a nonce issued since the step, and
 * what an issuer has signed with an `iat` exists, however far ahead that was a moment ago.
 *
 * A wall clock that is adopted behind the steady reading makes time come a second time. Used proofs may be forgotten by
 * then, and nonces that had expired are young again: `forgottenBeforeMs` and `relived` say so to those who have to know.
 *
 * A clock that is wrong at the start is believed.
 * @see REQUIREMENTS I12, I13
 */
export class SteadyClock implements Timekeeper {
  readonly #readings: Readings;
  readonly #observer: StepObserver;
  readonly #listeners = new Set<() => void>();
  /** by which the wall clock was set back between the start of the process and the first look at it; next to nothing */
  readonly #lostMs: number;
  /** wall minus monotonic: as the steady reading has it; as the latest has it; as it is; as it was when it last changed */
  #steady: number;
  #latest: number;
  #current: number;
  #stable: number;
  #stableSinceMs: number;
  #unbrokenSinceMs: number;
  #forgottenBeforeMs = 0;
  #relived: Relived | undefined;

  /** @param originMs - when the process started by its wall clock, ms since the epoch */
  constructor(
    observer: StepObserver = {},
    readings: Readings = system,
    originMs: number = performance.timeOrigin,
  ) {
    this.#readings = readings;
    this.#observer = observer;
    this.#stableSinceMs = readings.monotonicMs();
    this.#current = readings.wallMs() - this.#stableSinceMs;
    this.#steady = this.#current;
    this.#latest = this.#current;
    this.#stable = this.#current;
    this.#lostMs = Math.max(0, originMs - this.#current);
    this.#unbrokenSinceMs = this.startedAtMs;
  }

  nowMs(): number {
    return this.#sample() + Math.max(this.#latest, this.#current);
  }

  steadyMs(): number {
    return this.#sample() + this.#steady;
  }

  /** How far the wall clock is ahead of the steady reading, ms. */
  get offsetMs(): number {
    this.#sample();
    return this.#current - this.#steady;
  }

  get startedAtMs(): number {
    return Math.ceil(this.#latest + this.#lostMs);
  }

  get unbrokenSinceMs(): number {
    return this.#unbrokenSinceMs;
  }

  get forgottenBeforeMs(): number {
    return this.#forgottenBeforeMs;
  }

  get relived(): Relived | undefined {
    return this.#relived;
  }

  /**
   * For timers, which count by the monotonic clock.
   * @param listener - called whenever the latest reading has jumped ahead
   * @returns what ends that
   */
  onStepForward(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @returns the monotonic clock, after steps were looked for */
  #sample(): number {
    let monotonicMs = this.#readings.monotonicMs();
    let offset = this.#readings.wallMs() - monotonicMs;
    if (this.#isApart(offset)) {
      // A process that was stopped between the two readings has seen no step.
      monotonicMs = this.#readings.monotonicMs();
      offset = this.#readings.wallMs() - monotonicMs;
    }
    if (this.#isApart(offset)) this.#step(offset, monotonicMs);
    else if (monotonicMs - this.#stableSinceMs >= adoptAfterMs) this.#adopt(offset, monotonicMs);
    this.#current = offset;
    return monotonicMs;
  }

  // Written so that a NaN would be a step.
  #isApart(offset: number): boolean {
    return !(Math.abs(offset - this.#stable) <= toleranceMs);
  }

  #step(offset: number, monotonicMs: number): void {
    const byMs = offset - this.#stable;
    const before = Math.max(this.#latest, this.#current);
    this.#stable = offset;
    this.#stableSinceMs = monotonicMs;
    this.#current = offset;
    if (Math.abs(offset - this.#steady) <= toleranceMs) this.#latest = this.#steady;
    else this.#latest = Math.max(this.#latest, offset);
    this.#move(before, monotonicMs);
    this.#observer.stepped?.(byMs);
  }

  #adopt(offset: number, monotonicMs: number): void {
    const before = Math.max(this.#latest, this.#current);
    const byMs = offset - this.#steady;
    if (byMs < 0) this.#forgottenBeforeMs = Math.max(this.#forgottenBeforeMs, monotonicMs + this.#steady);
    this.#steady = offset;
    this.#latest = offset;
    this.#current = offset;
    this.#stable = offset;
    this.#stableSinceMs = monotonicMs;
    this.#move(before, monotonicMs);
    if (Math.abs(byMs) > toleranceMs) this.#observer.adopted?.(byMs);
  }

  /** Notes what a move of the latest reading means. @param before - its offset until now */
  #move(before: number, monotonicMs: number): void {
    const after = Math.max(this.#latest, this.#current);
    if (!(Math.abs(after - before) > toleranceMs)) return;
    this.#unbrokenSinceMs = monotonicMs + after;
    if (after > before) {
      for (const listener of this.#listeners) listener();
      return;
    }
    const { fromMs, untilMs } = this.#relived ?? { fromMs: Number.POSITIVE_INFINITY, untilMs: 0 };
    this.#relived = {
      fromMs: Math.min(fromMs, monotonicMs + after),
      untilMs: Math.max(untilMs, monotonicMs + before),
    };
  }
}
