/** Where the time comes from. Everything that decides by time takes a Clock, so that a test can hold it. */
export interface Clock {
  /** milliseconds since the epoch, never running backwards by more than a second */
  nowMs(): number;
}

/**
 * The wall clock with a high-water mark: after a step backwards time stands still, at most one second behind
 * the latest time seen, until the wall clock has caught up. So a window that has closed (a replayed proof, an
 * expired token or exception) never opens again.
 *
 * @param wallMs - milliseconds since the epoch
 * @param onStepBack - called on each reading that lies more than a second behind; gets the distance in ms
 * @see REQUIREMENTS I09
 */
export function monotonicClock(
  wallMs: () => number = Date.now,
  onStepBack: (ms: number) => void = () => {},
): Clock {
  let highWaterMs = 0;
  return {
    nowMs() {
      const now = wallMs();
      if (now >= highWaterMs) {
        highWaterMs = now;
        return now;
      }
      const behind = highWaterMs - now;
      if (behind <= 1000) return now;
      onStepBack(behind);
      return highWaterMs - 1000;
    },
  };
}

/** @returns NumericDate: whole seconds since the epoch. @see RFC 7519 §2 */
export function nowSeconds(clock: Clock): number {
  return Math.floor(clock.nowMs() / 1000);
}
