import { type Readings, SteadyClock } from '#holdfast/support/steady-clock.js';

/** A wall clock that a test steps, a monotonic one that it lets go on, and the clock that is made of both. */
export class ShiftedReadings implements Readings {
  static readonly startMs = Date.UTC(2026, 0, 1);
  /** what the observer was told: by how many ms, in order */
  readonly steps: number[] = [];
  readonly adoptions: number[] = [];
  #wallMs = ShiftedReadings.startMs;
  #monotonicMs = 0;
  readonly clock = new SteadyClock(
    { stepped: (byMs) => this.steps.push(byMs), adopted: (byMs) => this.adoptions.push(byMs) },
    this,
    this.#wallMs,
  );

  wallMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** The wall clock is set, and nothing else happens. It is looked at, as it is every second. */
  step(ms: number): void {
    this.#wallMs += ms;
    this.clock.nowMs();
  }

  /** Time goes by, for both. */
  pass(ms: number): void {
    this.#wallMs += ms;
    this.#monotonicMs += ms;
    this.clock.nowMs();
  }
}
