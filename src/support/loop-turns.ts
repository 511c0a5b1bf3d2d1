const { nodeTiming } = performance;

/**
 * Counts the turns of the event loop: the number changes each time before the operating system is asked what has
 * arrived. @returns the number of the turn under way
 */
export function currentTurn(): number {
  return nodeTiming.uvMetricsInfo.loopCount;
}

/** @param task - called when so many turns more have asked what has arrived, and have handed it out; must not throw */
export function afterTurns(turns: number, task: () => void): void {
  setImmediate(() => {
    if (turns <= 1) task();
    else afterTurns(turns - 1, task);
  });
}
