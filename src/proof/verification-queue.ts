/** How long verifications may hold up everything else at a time, ms: some thirty of P-256. */
const maxTurnMs = 2;

/**
 * Does what costs much processor time, verifying signatures, together for all requests that arrived in one turn of the
 * event loop, after the last of them was read.
 *
 * Why not at once: a verification pushes what serves requests out of the processor's caches, and comes back to find its
 * own tables gone; one after the other, both stay. Of a request with a proof that saves a fifth. Why not on the thread
 * pool: the way there and back costs what it saves. A request that comes alone waits for nothing.
 *
 * As many tasks wait as there are requests under way, which the limits of the listener bound.
 */
export class VerificationQueue {
  #waiting: (() => void)[] = [];

  /** @returns what the task returns. @throws what the task throws (as a rejection) */
  run<T>(task: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          resolve(task());
        } catch (error) {
          reject(error);
        }
      });
      if (this.#waiting.length === 1) setImmediate(this.#work);
    });
  }

  readonly #work = (): void => {
    const tasks = this.#waiting;
    const endMs = performance.now() + maxTurnMs;
    let done = 0;
    do tasks[done++]?.();
    while (done < tasks.length && performance.now() < endMs);
    this.#waiting = tasks.slice(done);
    // Reading and writing get their turn in between.
    if (this.#waiting.length > 0) setImmediate(this.#work);
  };
}
