/** Where the time comes from. Everything that decides by time takes a Clock, so that a test can hold it. */
export interface Clock {
  /**
   * Milliseconds since the epoch, by the later of the two readings of a Timekeeper: what ends (a token, an exception, a
   * certificate, a nonce, the age of a proof) ends by this.
   */
  nowMs(): number;
}

/** A stretch of time that comes a second time, because a clock that was ahead was set back. Ms since the epoch. */
export interface Relived {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Two readings of one time, which differ after a step of the wall clock, and what steps have left behind. */
export interface Timekeeper extends Clock {
  /**
   * Milliseconds since the epoch, by the reading that no step moves: what begins (`nbf` and a certificate that are dated
   * ahead, an exception, a proof from the future) begins by this, and what is remembered is remembered by this.
   */
  steadyMs(): number;
  /** when this process started, by the reading that dates it latest */
  readonly startedAtMs: number;
  /** by `nowMs`: since then there was no step forward, and no time that comes a second time */
  readonly unbrokenSinceMs: number;
  /** what ended before this by `steadyMs` may be forgotten, although `steadyMs` may be earlier now; 0: nothing is */
  readonly forgottenBeforeMs: number;
  /** another object for each time that it happens */
  readonly relived: Relived | undefined;
}

/** @returns NumericDate: whole seconds since the epoch. @see RFC 7519 §2 */
export function nowSeconds(clock: Clock): number {
  return Math.floor(clock.nowMs() / 1000);
}
