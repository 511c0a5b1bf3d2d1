import { Fault } from '../denial/fault.js';
import { clientNetwork } from '../support/client-network.js';
import { FairQueue, type Waiting } from '../support/fair-queue.js';

/**
 * How much is known about who asks for a verification.
 * - `bound`: an issuer has signed the token, and named the key of the proof.
 * - `known`: the caller names a key of which a request was admitted before. Anybody can who has seen that public key.
 * - `stranger`: nothing.
 */
export type Standing = 'bound' | 'known' | 'stranger';

/** Who asks for a verification. */
export interface Asker {
  readonly standing: Standing;
  /** thumbprint of the key that the caller uses; undefined for a stranger */
  readonly key: string | undefined;
  /** of the client; empty where it is not known */
  readonly address: string;
}

export interface VerificationObserver {
  /** a signature was verified */
  verified(kind: 'proof' | 'token', result: 'ok' | 'failed'): void;
  /** a verification was refused because there were too many */
  shed(standing: Standing): void;
}

/** How long verifications may hold up everything else at a time, ms: some thirty of P-256. */
const maxTurnMs = 2;
/** What those get in each turn who do not come first, ms; as much as was spent on those who do, when that is more. */
const minShareMs = 0.25;
/** How long a verification waits before it is refused, ms. */
const maxWaitMs = 1000;
/** How often it is looked for those who have waited too long, ms. */
const lookEveryMs = 50;

interface Verification {
  readonly asker: Asker;
  readonly run: () => void;
  readonly reject: (error: unknown) => void;
}

interface WaitingVerification extends Verification, Waiting {}

export interface QueueParts {
  readonly observer?: Partial<VerificationObserver>;
  /** ms; must not be set back */
  readonly nowMs?: () => number;
  /** does something after the events of this turn of the event loop */
  readonly nextTurn?: (work: () => void) => void;
}

/**
 * Does what costs much processor time, verifying signatures, together for all requests that arrived in one turn of the
 * event loop, after the last of them was read.
 *
 * Why not at once: a verification pushes what serves requests out of the processor's caches, and comes back to find its
 * own tables gone; one after the other, both stay. Of a request with a proof that saves a fifth. Why not on the thread
 * pool: the way there and back costs what it saves. A request that comes alone waits for nothing.
 *
 * While there is time for all, all are served. What a turn has no time for waits, and is served by turns: first proofs by
 * a key that an issuer has bound the token to, then tokens of known keys, then those of strangers. Each standing has a
 * share of every turn, so that none waits for another to end, and strangers get all the time that nobody else wants.
 * Within a standing keys take turns, then client networks; strangers have no key to go by. So whoever floods waits for its own
 * flood; and since a connection has one request under way, it sends no more while it waits.
 *
 * Only what has waited for a second is refused, which never says that the caller did wrong. As many wait as there are
 * requests under way, which the limits of the listener bound.
 * @see REQUIREMENTS S13
 */
export class VerificationQueue {
  readonly observer: Partial<VerificationObserver>;
  readonly #nowMs: () => number;
  readonly #nextTurn: (work: () => void) => void;
  readonly #bound = new Line();
  readonly #known = new Line();
  readonly #strangers = new Line();
  #isAwaited = false;
  #lookedAtMs = 0;

  constructor({ observer = {}, nowMs = () => performance.now(), nextTurn = setImmediate }: QueueParts = {}) {
    this.observer = observer;
    this.#nowMs = nowMs;
    this.#nextTurn = nextTurn;
  }

  /**
   * @returns what the task returns
   * @throws what the task throws; Fault ERR_VERIFICATION_BUSY when it was not done in time (as rejections)
   */
  run<T>(task: () => T, asker: Asker): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = () => {
        try {
          resolve(task());
        } catch (error) {
          reject(error);
        }
      };
      this.#lineOf(asker.standing).arrived.push({ asker, run, reject });
      this.#await();
    });
  }

  #lineOf(standing: Standing): Line {
    if (standing === 'bound') return this.#bound;
    return standing === 'known' ? this.#known : this.#strangers;
  }

  #await(): void {
    if (this.#isAwaited) return;
    this.#isAwaited = true;
    this.#nextTurn(this.#work);
  }

  readonly #work = (): void => {
    this.#isAwaited = false;
    const startMs = this.#nowMs();
    this.#bound.work(startMs, maxTurnMs, this.#nowMs);
    if (!this.#known.isEmpty || !this.#strangers.isEmpty) {
      const nowMs = this.#nowMs();
      const shareMs = Math.max(minShareMs, nowMs - startMs);
      this.#known.work(nowMs, shareMs, this.#nowMs);
      this.#strangers.work(this.#nowMs(), shareMs, this.#nowMs);
    }
    if (this.#bound.isEmpty && this.#known.isEmpty && this.#strangers.isEmpty) return;
    this.#shed();
    this.#await();
  };

  #shed(): void {
    const nowMs = this.#nowMs();
    if (nowMs - this.#lookedAtMs < lookEveryMs) return;
    this.#lookedAtMs = nowMs;
    for (const { waiting } of [this.#bound, this.#known, this.#strangers]) {
      for (const { asker, sinceMs, reject } of waiting.takeOlderThan(nowMs - maxWaitMs)) {
        const detail = `${asker.standing}, waited ${Math.round(nowMs - sinceMs)} ms`;
        this.observer.shed?.(asker.standing);
        reject(new Fault('ERR_VERIFICATION_BUSY', { detail, retryAfterSeconds: 1 }));
      }
    }
  }
}

/** The verifications of one standing. */
class Line {
  /** in this turn of the event loop */
  arrived: Verification[] = [];
  /** those that an earlier turn had no time for */
  readonly waiting = new FairQueue<WaitingVerification>();

  get isEmpty(): boolean {
    return this.arrived.length === 0 && this.waiting.size === 0;
  }

  /** For that long, and at least one. Names and times are for those that wait: what is done at once pays for none. */
  work(startMs: number, forMs: number, nowMs: () => number): void {
    const { arrived, waiting } = this;
    const endMs = startMs + forMs;
    let done = 0;
    if (waiting.size === 0) {
      if (arrived.length === 0) return;
      do arrived[done++]?.run();
      while (done < arrived.length && nowMs() < endMs);
    }
    const hasWaited = waiting.size > 0;
    for (const one of arrived.slice(done))
      waiting.add({ ...one, sinceMs: startMs, lanes: lanesOf(one.asker) });
    this.arrived = [];
    if (!hasWaited) return;
    do waiting.take()?.run();
    while (waiting.size > 0 && nowMs() < endMs);
  }
}

function lanesOf({ key, address }: Asker): string[] {
  const network = clientNetwork(address);
  return key === undefined ? [network] : [key, network];
}
