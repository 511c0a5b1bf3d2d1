import { Denial } from '../denial/denial.js';
import { Fault } from '../denial/fault.js';
import type { Clock } from '../support/clock.js';
import type { IssuerOptions } from './issuer.js';
import { type IssuerKey, KeySet } from './key-set.js';
import { fetchKeys } from './key-source.js';

/** When keys are fetched; constants of the product, a record so that tests need not wait. */
export interface RefreshTimes {
  /** between refreshes while all is well */
  readonly refreshMs: number;
  /** least time between two fetches that unknown key ids bring about */
  readonly cooldownMs: number;
  /** after a failed fetch: doubled each time, up to `refreshMs` */
  readonly retryMs: number;
  /** how long a set is used that cannot be refreshed */
  readonly maxStaleMs: number;
  readonly timeoutMs: number;
}

export const refreshTimes: RefreshTimes = {
  refreshMs: 5 * 60_000,
  cooldownMs: 30_000,
  retryMs: 1000,
  maxStaleMs: 24 * 60 * 60_000,
  timeoutMs: 5000,
};

export interface KeyObserver {
  readonly keysRefreshed?: (issuer: string, result: 'ok' | 'error', detail?: string) => void;
  readonly keyIgnored?: (issuer: string, why: string) => void;
}

/** What operators are told about the keys of one issuer. */
export interface IssuerKeysState {
  readonly issuer: string;
  readonly keys: number;
  /** since the last good fetch; undefined before the first */
  readonly ageSeconds: number | undefined;
  readonly ready: boolean;
  readonly lastError: string | undefined;
}

/**
 * The keys of one issuer, kept fresh in the background. The last good set is used until a better one has come; it
 * ends after 24 hours without one.
 *
 * Fails closed: without a usable set every token is answered with 503, not with 401, as nobody can know.
 * @see REQUIREMENTS P03-P06
 */
export class IssuerKeys {
  readonly #options: IssuerOptions;
  readonly #clock: Clock;
  readonly #observer: KeyObserver;
  readonly #times: RefreshTimes;
  #set: KeySet | undefined;
  #fetchedAtMs = 0;
  #attemptedAtMs = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #lastError: string | undefined;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(
    options: IssuerOptions,
    { clock, observer, times }: { clock: Clock; observer: KeyObserver; times: RefreshTimes },
  ) {
    this.#options = options;
    this.#clock = clock;
    this.#observer = observer;
    this.#times = times;
  }

  /** Fetches for the first time, and from then on in the background. Never rejects. */
  start(): Promise<void> {
    return this.#refresh();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  get state(): IssuerKeysState {
    const set = this.#usable();
    return {
      issuer: this.#options.issuer,
      keys: set?.size ?? 0,
      ageSeconds:
        this.#set === undefined ? undefined : Math.round((this.#clock.nowMs() - this.#fetchedAtMs) / 1000),
      ready: set !== undefined,
      lastError: this.#lastError,
    };
  }

  /** Whether tokens that this key has signed are still good: it is in the current set, and the set has not ended. */
  isCurrent(key: IssuerKey): boolean {
    return this.#usable()?.has(key) ?? false;
  }

  /**
   * @param kid - as in the token's header
   * @returns at least one key that may have signed
   * @throws Denial token_key_unknown; Fault ERR_ISSUER_KEYS_UNAVAILABLE when that cannot be known now
   */
  async find(kid: unknown, algorithm: string): Promise<readonly IssuerKey[]> {
    const known = this.#usable()?.candidates(kid, algorithm) ?? [];
    if (known.length > 0) return known;
    await this.#refreshForUnknown();
    const set = this.#usable();
    const found = set?.candidates(kid, algorithm) ?? [];
    if (found.length > 0) return found;
    // After a failed fetch the key may well exist: not the caller's fault.
    if (set === undefined || this.#lastError !== undefined) throw this.#unavailable();
    throw new Denial('token_key_unknown', `no key for kid ${String(kid).slice(0, 64)} and ${algorithm}`);
  }

  #usable(): KeySet | undefined {
    return this.#clock.nowMs() - this.#fetchedAtMs <= this.#times.maxStaleMs ? this.#set : undefined;
  }

  /** Joins a fetch that is under way; starts one when the last is long enough ago (P04, P05). */
  async #refreshForUnknown(): Promise<void> {
    if (this.#running !== undefined) return this.#running;
    const sinceAttempt = this.#clock.nowMs() - this.#attemptedAtMs;
    const pause = this.#set === undefined ? this.#retryDelayMs() : this.#times.cooldownMs;
    if (sinceAttempt >= pause) await this.#refresh();
  }

  #refresh(): Promise<void> {
    clearTimeout(this.#timer);
    this.#running ??= this.#fetch().finally(() => {
      this.#running = undefined;
      this.#schedule();
    });
    return this.#running;
  }

  async #fetch(): Promise<void> {
    const { issuer } = this.#options;
    this.#attemptedAtMs = this.#clock.nowMs();
    try {
      const document = await fetchKeys(this.#options, this.#times.timeoutMs);
      this.#set = KeySet.parse(document, (why) => this.#observer.keyIgnored?.(issuer, why));
      this.#fetchedAtMs = this.#clock.nowMs();
      this.#failures = 0;
      this.#lastError = undefined;
      this.#observer.keysRefreshed?.(issuer, 'ok');
    } catch (error) {
      this.#failures++;
      this.#lastError = error instanceof Error ? error.message : String(error);
      this.#observer.keysRefreshed?.(issuer, 'error', this.#lastError);
    }
  }

  #schedule(): void {
    if (this.#closed) return;
    const delay = this.#failures === 0 ? this.#times.refreshMs : this.#retryDelayMs();
    // Replicas that were started together must not fetch together for ever.
    this.#timer = setTimeout(() => void this.#refresh(), delay * (0.9 + Math.random() * 0.2));
    this.#timer.unref();
  }

  #retryDelayMs(): number {
    const { retryMs, refreshMs } = this.#times;
    return Math.min(retryMs * 2 ** Math.max(0, this.#failures - 1), refreshMs);
  }

  #unavailable(): Fault {
    const untilRetryMs = this.#attemptedAtMs + this.#retryDelayMs() - this.#clock.nowMs();
    return new Fault('ERR_ISSUER_KEYS_UNAVAILABLE', {
      detail: `${this.#options.issuer}: ${this.#lastError ?? 'no key set yet'}`,
      retryAfterSeconds: Math.min(30, Math.max(1, Math.ceil(untilRetryMs / 1000))),
    });
  }
}
