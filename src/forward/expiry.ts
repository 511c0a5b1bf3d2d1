import type { Reason } from '../denial/catalogue.js';
import { Denial } from '../denial/denial.js';
import type { Admission } from '../gate/admission.js';
import type { Clock } from '../support/clock.js';

export interface ExpiryOptions {
  /** how long an exchange may outlive what it was admitted on; Infinity: nothing is cut off */
  readonly graceMs: number;
  readonly clock: Clock & {
    /** timers count by another clock, and have to be set anew. @returns what ends that */
    onStepForward(listener: () => void): () => void;
  };
}

interface Expiry {
  readonly atMs: number;
  readonly reason: Reason;
}

// The longest delay that a timer of Node takes; beyond, it would fire at once.
const maxDelayMs = 2 ** 31 - 1;
const nothing = (): void => {};

/**
 * Ends exchanges that go on for longer than what they were admitted on is good for: the token with its leeway, as the
 * verifier counts (token/times.ts); the exception in place of a proof; the client certificate, where a CA has vouched for
 * it. What was true when the request came is not looked at again before that: no key, list or configuration.
 *
 * A public route and a preflight have nothing that could end.
 * @see RFC 7519 §4.1.4; REQUIREMENTS A23, J12, R02
 */
export class ExpiryWatch {
  readonly #options: ExpiryOptions;

  constructor(options: ExpiryOptions) {
    this.#options = options;
  }

  /**
   * @param end - called at most once, never before this returns
   * @returns what ends the watch; to be called when the exchange is over
   */
  watch(admission: Admission, end: (denial: Denial) => void): () => void {
    const { clock } = this.#options;
    const ending = this.#findEnding(admission);
    if (ending === undefined) return nothing;
    const { endMs, denial } = ending;
    let timer: NodeJS.Timeout;
    // By the clock and not by the timer alone, which may be early by a millisecond and knows no more than 25 days.
    const wait = (): void => {
      const leftMs = endMs - clock.nowMs();
      timer = setTimeout(
        () => {
          if (clock.nowMs() < endMs) return wait();
          forget();
          end(denial());
        },
        Math.min(Math.max(leftMs, 0), maxDelayMs),
      );
    };
    wait();
    const forget = clock.onStepForward(() => {
      clearTimeout(timer);
      wait();
    });
    return () => {
      clearTimeout(timer);
      forget();
    };
  }

  /** For what is only about to begin. @throws Denial when its time is over already */
  check(admission: Admission): void {
    const ending = this.#findEnding(admission);
    // Written so that a NaN would end it, as the timer above does.
    if (ending !== undefined && !(this.#options.clock.nowMs() < ending.endMs)) throw ending.denial();
  }

  #findEnding(admission: Admission): { endMs: number; denial: () => Denial } | undefined {
    const { graceMs } = this.#options;
    const expiry = findExpiry(admission);
    if (expiry === undefined || graceMs === Number.POSITIVE_INFINITY) return undefined;
    const { atMs, reason } = expiry;
    return { endMs: atMs + graceMs, denial: () => new Denial(reason, `at ${new Date(atMs).toISOString()}`) };
  }
}

/** The first of all ends; undefined when nothing was presented that could end. */
function findExpiry({ facts: { certificate }, grant }: Admission): Expiry | undefined {
  const { token, exception, constraint } = grant;
  if (token === undefined) return undefined;
  let first: Expiry = { atMs: token.usableUntilMs, reason: 'token_expired_while_streaming' };
  if (exception !== undefined && exception.expiresAtMs < first.atMs)
    first = { atMs: exception.expiresAtMs, reason: 'exception_expired_while_streaming' };
  if (constraint?.isMtls && certificate?.trusted && certificate.notAfterMs < first.atMs)
    first = { atMs: certificate.notAfterMs, reason: 'certificate_expired_while_streaming' };
  return first;
}
