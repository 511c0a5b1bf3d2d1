import type { ListenTlsConfig } from '../config/config.js';
import type { TlsFiles } from '../config/tls-files.js';
import { TlsReload } from '../config/tls-reload.js';
import type { Listener } from '../listener/server.js';
import type { Log } from '../observability/log.js';
import type { Metrics } from '../observability/metrics.js';
import type { Clock } from '../support/clock.js';

export interface TlsUpkeepParts {
  readonly files: TlsFiles;
  /** what was read at the start */
  readonly current: ListenTlsConfig;
  readonly listener: Listener;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
}

const ageCheckMs = 5000;

/**
 * Keeps the TLS side of the listener true while the process runs: new files, and what comes to its end with time.
 * @see REQUIREMENTS J10-J15
 */
export class TlsUpkeep {
  readonly #parts: TlsUpkeepParts;
  readonly #reload: TlsReload;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: TlsUpkeepParts) {
    const { files, current, listener, clock, metrics, log } = parts;
    this.#parts = parts;
    this.#reload = new TlsReload({
      ...{ files, current, clock },
      apply(tls, { changed, warnings }) {
        const ended = changed.length === 0 ? 0 : listener.renewTls(tls);
        metrics.configReloaded('ok');
        for (const { path, message } of warnings) log.warn('config_warning', { path, detail: message });
        log.info('config_reloaded', { changed, connections_ended: ended });
      },
      failed(problems) {
        metrics.configReloaded('error');
        log.error('config_not_reloaded', { detail: problems.join('; ') });
      },
    });
  }

  start(): void {
    this.#reload.start();
    this.#timer = setInterval(() => this.#checkAge(), ageCheckMs);
    this.#timer.unref();
  }

  stop(): void {
    this.#reload.stop();
    clearInterval(this.#timer);
  }

  /** Reads the files now. */
  reload(): Promise<void> {
    return this.#reload.now();
  }

  /** of the last reload; undefined: none yet */
  get result(): 'ok' | 'error' | undefined {
    return this.#reload.state?.result;
  }

  /** The last reload as `/status` shows it; undefined: none yet. */
  describe(): object | undefined {
    const { state } = this.#reload;
    return (
      state && { result: state.result, time: new Date(state.atMs).toISOString(), problems: state.problems }
    );
  }

  #checkAge(): void {
    const { listener, log } = this.#parts;
    const ended = listener.checkTlsAge();
    if (ended === undefined) return;
    const detail = 'a CA or a revocation list of client certificates has come to its end';
    log.warn('client_trust_ended', { connections_ended: ended, detail });
  }
}
