import { Fault } from '../../denial/fault.js';
import type { Clock } from '../../support/clock.js';
import type { IssuerOptions, IssuerState, TokenObserver } from '../issuer.js';
import { KeySet } from './key-set.js';
import { type KeySource, keySource } from './source.js';

/** When keys are fetched and how long they serve, in milliseconds. Waits are jittered by a tenth. */
export interface RefreshTimes {
  /** between a good fetch and the next one */
  readonly refreshMs: number;
  /** after a failed fetch; doubles with each further failure, up to a minute */
  readonly retryMs: number;
  /** between two fetches that tokens with an unknown key asked for */
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
  cooldownMs: 30_000,
  maxStaleMs: 86_400_000,
  timeoutMs: 5_000,
});

const maxRetryMs = 60_000;

export interface IssuerKeysParts {
  readonly clock: Clock;
  readonly observer: TokenObserver;
  readonly times: RefreshTimes;
}

/**
 * The keys of one issuer, kept fresh: fetched at the start, every 5 minutes, and when a token names a key that is not
 * known. One fetch runs at a time, and whoever needs its result shares it.
 *
 * Fails closed: without a set that was fetched within the last 24 hours there is no verification, only a 503. A failed
 * fetch, or a set without a usable key, never replaces the last good one.
 * @see REQUIREMENTS P03-P06
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
  #nextAttemptAtMs = 0;
  /** unknown keys ask for no fetch before this */
  #cooldownUntilMs = 0;
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
   * The set in force after the issuer was asked again, for a token whose key is not in it: at most once per cooldown,
   * however many such tokens come.
   *
   * @returns a set that may still lack the key: then the issuer does not have it
   * @throws Fault ERR_ISSUER_KEYS_UNAVAILABLE when the issuer did not answer, so that it might have the key
   */
  async renew(): Promise<KeySet> {
    const nowMs = this.#parts.clock.nowMs();
    if (this.#running === undefined && nowMs >= this.#cooldownUntilMs) {
      this.#cooldownUntilMs = nowMs + jittered(this.#parts.times.cooldownMs);
      void this.#refresh();
    }
    await this.#running;
    if (this.#lastError !== undefined)
      throw this.#unavailable(Math.min(this.#nextAttemptAtMs, this.#cooldownUntilMs));
    return this.current();
  }

  #isUsable(): boolean {
    return this.#parts.clock.nowMs() - this.#fetchedAtMs <= this.#parts.times.maxStaleMs;
  }

  #unavailable(retryAtMs: number): Fault {
    const waitMs = retryAtMs - this.#parts.clock.nowMs();
    const detail = `${this.#options.issuer}: ${this.#lastError ?? 'no fetch has ended yet'}`;
    return new Fault('ERR_ISSUER_KEYS_UNAVAILABLE', {
      detail,
      retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
    });
  }

  #refresh(): Promise<void> {
    this.#running ??= this.#fetch().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Never rejects: a failure is state. */
  async #fetch(): Promise<void> {
    clearTimeout(this.#timer);
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
      return await KeySet.import(document, {
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
    this.#nextAttemptAtMs = this.#parts.clock.nowMs() + waitMs;
    this.#timer = setTimeout(() => void this.#refresh(), waitMs);
    this.#timer.unref();
  }
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
