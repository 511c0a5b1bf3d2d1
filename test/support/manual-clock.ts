import type { Timekeeper } from '#holdfast/support/clock.js';

/** A clock that stands where the test has put it, and has never been stepped. */
export class ManualClock implements Timekeeper {
  startedAtMs = 0;
  unbrokenSinceMs = 0;
  readonly forgottenBeforeMs = 0;
  readonly relived = undefined;
  #now: number;

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#now = startMs;
  }

  nowMs(): number {
    return this.#now;
  }

  steadyMs(): number {
    return this.#now;
  }

  advance(ms: number): void {
    this.#now += ms;
  }
}
