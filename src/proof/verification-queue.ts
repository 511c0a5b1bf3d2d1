import { Turns } from '../support/turns.js';

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
  readonly #turns = new Turns(maxTurnMs);

  /** @returns what the task returns. @throws what the task throws (as a rejection) */
  run<T>(task: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#turns.add(() => {
        try {
          resolve(task());
        } catch (error) {
          reject(error);
        }
      });
    });
  }
}
