/**
 * Does tasks in turns of the event loop: all that were added in one turn together after its last callback, but for no
 * longer than a bound at a time; reading and writing get their turn in between. A task that comes alone waits for nothing.
 */
export class Turns {
  readonly #maxTurnMs: number;
  #waiting: (() => void)[] = [];

  /** @param maxTurnMs - how long tasks may hold up everything else at a time; the last one is not cut short */
  constructor(maxTurnMs: number) {
    this.#maxTurnMs = maxTurnMs;
  }

  /** @param task - must not throw */
  add(task: () => void): void {
    this.#waiting.push(task);
    if (this.#waiting.length === 1) setImmediate(this.#work);
  }

  readonly #work = (): void => {
    const tasks = this.#waiting;
    const endMs = performance.now() + this.#maxTurnMs;
    let done = 0;
    do tasks[done++]?.();
    while (done < tasks.length && performance.now() < endMs);
    this.#waiting = tasks.slice(done);
    if (this.#waiting.length > 0) setImmediate(this.#work);
  };
}
