import { Fault } from '../../denial/fault.js';
import type { Timekeeper } from '../../support/clock.js';
import type { IssuerOptions, IssuerState, TokenObserver } from '../issuer.js';
import { KeySet } from './key-set.js';
import { type KeySource, keySource } from './source.js';

/** When keys are fetched and how long they serve, in milliseconds. Waits are jittered by a tenth. */
export interface RefreshTimes {
  /** between a good fetch and the next one */
  readonly refreshMs: number;
  /** after a failed fetch; doubles with each further failure, up to a minute */
  readonly retryMs: number;
  /** from the end of a fetch that a token with an unknown key asked for to the beginning of the next such one */
  readonly cooldownMs: number;
  /** since the last good fetch; an older set serves no longer */
  readonly maxStaleMs: number;
  /** for one refresh: metadata and key set together */
  readonly timeoutMs: number;
}

/** What holds outside of tests: constants of the product, not configuration. */
export const refreshTimes: RefreshTimes = Object.freeze({
  refreshMs: 300_000,
  retryMs: 1_000,
  cooldownMs: 5_000,
  maxStaleMs: 86_400_000,
  timeoutMs: 5_000,
});

const maxRetryMs = 60_000;
// Each is a held request. More of them would let whoever makes up keys hold the memory of all others.
const maxWaiting = 100;

export interface IssuerKeysParts {
  readonly clock: Pick<Timekeeper, 'nowMs' | 'steadyMs'>;
  readonly observer: TokenObserver;
  readonly times: RefreshTimes;
}

/**
 * The keys of one issuer, kept fresh: fetched at the start, every 5 minutes, and when a token names a key that is not
 * known. One fetch runs at a time, and whoever needs its result shares it.
 *
 * Fails closed: without a set that was fetched within the last 24 hours there is no verification, only a 503. A failed
 * fetch, or a set without a usable key, never replaces the last good one.
 * @see REQUIREMENTS P03-P06, D25
 */
export class IssuerKeys {
  readonly #options: IssuerOptions;
  readonly #parts: IssuerKeysParts;
  readonly #read: KeySource;
  #isClosed = false;
  #exchange: AbortController | undefined;
  #set: KeySet | undefined;
  #fetchedAtMs = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** by the steady reading, as all that is about the next fetch: a step of the clock neither delays nor hastens one */
  #nextAttemptAtMs = 0;
  /** whether an unknown key asked for the fetch under way */
  #isAsked = false;
  /** end of the last such fetch */
  #askedAtMs = Number.NEGATIVE_INFINITY;
  /** fetches that have begun */
  #begun = 0;
  /** tokens with an unknown key that wait for a fetch */
  #waiting = 0;
  #failures = 0;
  #lastError: string | undefined;
  #ignored: ReadonlySet<string> = new Set();

  constructor(options: IssuerOptions, parts: IssuerKeysParts) {
    this.#options = options;
    this.#parts = parts;
    this.#read = keySource(options);
  }

  get state(): IssuerState {
    const ageMs = this.#parts.clock.nowMs() - this.#fetchedAtMs;
    return {
      issuer: this.#options.issuer,
      keys: this.#set?.size ?? 0,
      ageSeconds: this.#set && Math.max(0, Math.floor(ageMs / 1000)),
      ready: this.#isUsable(),
      lastError: this.#lastError,
    };
  }

  /** Starts to keep the keys fresh. @returns when the first fetch has ended, well or not */
  start(): Promise<void> {
    return this.#refresh();
  }

  /** Ends what is under way and what is planned. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#exchange?.abort();
  }

  /** The set in force, without waiting. @throws Fault ERR_ISSUER_KEYS_UNAVAILABLE */
  current(): KeySet {
    if (this.#set === undefined || !this.#isUsable()) throw this.#unavailable(this.#nextAttemptAtMs);
    return this.#set;
  }

  /** The set in force; while there is none, that of the fetch under way. @throws Fault ERR_ISSUER_KEYS_UNAVAILABLE */
  async obtain(): Promise<KeySet> {
    if (!this.#isUsable()) await this.#running;
    return this.current();
  }

  /**
   * The set in force after the issuer was asked again, for a token whose key was not found. Only a fetch that began after
   * the token came tells that the issuer does not have the key: it may have been published a moment ago. So a token that
   * comes while the issuer may not be asked again yet is told to come back, and never that it is invalid.
   *
   * However many such tokens come, the issuer is asked once at a time and with a pause between. The pause begins with the
   * end of a fetch that was really made, so tokens that come during it do not prolong it.
   *
   * @param hasKey - whether the set has what the token needs
   * @returns a set that has it; or one that lacks it, and then so does the issuer
   * @throws Fault ERR_ISSUER_KEY_PENDING when the issuer could not be asked since the token came;
   *   ERR_ISSUER_KEYS_UNAVAILABLE when it did not answer
   */
  async renew(hasKey: (set: KeySet) => boolean): Promise<KeySet> {
    if (this.#waiting >= maxWaiting) throw this.#pending('too many tokens wait for the key set');
    this.#waiting += 1;
    try {
      const begunBefore = this.#begun;
      for (;;) {
        const set = this.current();
        const wasAsked = this.#begun > begunBefore && this.#running === undefined;
        if (wasAsked || hasKey(set)) return set;
        // One that is under way is worth waiting for, yet says nothing about a key that it lacks.
        await (this.#running ?? this.#ask());
        if (this.#lastError !== undefined) throw this.#unavailable(this.#nextAttemptAtMs);
      }
    } finally {
      this.#waiting -= 1;
    }
  }

  /** @throws Fault ERR_ISSUER_KEY_PENDING during the pause */
  #ask(): Promise<void> {
    const sinceMs = this.#parts.clock.steadyMs() - this.#askedAtMs;
    // Before the last one: a clock that was set back for good must not make the pause as long as the step.
    if (sinceMs >= 0 && sinceMs < this.#parts.times.cooldownMs) throw this.#pending('asked a moment ago');
    this.#isAsked = true;
    return this.#refresh();
  }

  #pending(why: string): Fault {
    const { cooldownMs } = this.#parts.times;
    const waitMs = this.#askedAtMs + cooldownMs - this.#parts.clock.steadyMs();
    return new Fault('ERR_ISSUER_KEY_PENDING', {
      detail: `${this.#options.issuer}: ${why}`,
      retryAfterSeconds: secondsOf(Math.min(waitMs, cooldownMs)),
    });
  }

  #isUsable(): boolean {
    return this.#parts.clock.nowMs() - this.#fetchedAtMs <= this.#parts.times.maxStaleMs;
  }

  #unavailable(retryAtMs: number): Fault {
    const waitMs = Math.min(maxRetryMs, retryAtMs - this.#parts.clock.steadyMs());
    const detail = `${this.#options.issuer}: ${this.#lastError ?? 'no fetch has ended yet'}`;
    return new Fault('ERR_ISSUER_KEYS_UNAVAILABLE', {
      detail,
      retryAfterSeconds: secondsOf(waitMs),
    });
  }

  #refresh(): Promise<void> {
    this.#running ??= this.#fetch().finally(() => {
      this.#running = undefined;
      if (this.#isAsked) this.#askedAtMs = this.#parts.clock.steadyMs();
      this.#isAsked = false;
    });
    return this.#running;
  }

  /** Never rejects: a failure is state. */
  async #fetch(): Promise<void> {
    clearTimeout(this.#timer);
    this.#begun += 1;
    const { observer, times } = this.#parts;
    const exchange = new AbortController();
    const deadline = setTimeout(() => exchange.abort(), times.timeoutMs);
    this.#exchange = exchange;
    try {
      this.#set = await this.#import(exchange.signal);
      this.#fetchedAtMs = this.#parts.clock.nowMs();
      this.#failures = 0;
      this.#lastError = undefined;
      observer.keysRefreshed?.(this.#options.issuer, 'ok');
    } catch (error) {
      if (this.#isClosed) return;
      this.#failures += 1;
      this.#lastError = describe(error, exchange.signal);
      observer.keysRefreshed?.(this.#options.issuer, 'error', this.#lastError);
    } finally {
      clearTimeout(deadline);
    }
    this.#schedule();
  }

  async #import(signal: AbortSignal): Promise<KeySet> {
    const { issuer, algorithms } = this.#options;
    const ignored = new Set<string>();
    const document = await this.#read(signal);
    try {
      return KeySet.import(document, {
        algorithms,
        previous: this.#set,
        ignored: (why) => ignored.add(why),
      });
    } finally {
      for (const why of ignored) if (!this.#ignored.has(why)) this.#parts.observer.keyIgnored?.(issuer, why);
      this.#ignored = ignored;
    }
  }

  #schedule(): void {
    if (this.#isClosed) return;
    const { refreshMs, retryMs } = this.#parts.times;
    const backOffMs = Math.min(maxRetryMs, retryMs * 2 ** (this.#failures - 1));
    const waitMs = jittered(this.#failures === 0 ? refreshMs : backOffMs);
    this.#nextAttemptAtMs = this.#parts.clock.steadyMs() + waitMs;
    this.#timer = setTimeout(() => void this.#refresh(), waitMs);
    this.#timer.unref();
  }
}

/** @returns a Retry-After, which is never 0 */
function secondsOf(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000));
}

/** So that many replicas that were started together do not ask together. */
function jittered(ms: number): number {
  return ms * (0.9 + Math.random() * 0.2);
}

function describe(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'no complete answer in time';
  const text = error instanceof Error ? error.message : String(error);
  // An AggregateError of several refused connections has a code, but no message.
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  return (text === '' ? code : text).slice(0, 256);
}
