import type { Clock } from '../support/clock.js';
import type { ListenTlsConfig } from './config.js';
import { ConfigError, type ConfigWarning } from './problems.js';
import type { TlsFiles } from './tls-files.js';
import { FileWatch } from './watch.js';

export interface TlsReloadParts {
  readonly files: TlsFiles;
  /** what was read at the start */
  readonly current: ListenTlsConfig;
  readonly clock: Clock;
  /** Puts what was read into force, all of it or, when it throws, nothing. */
  readonly apply: (tls: ListenTlsConfig, reload: AppliedReload) => void;
  readonly failed: (problems: readonly string[]) => void;
}

export interface AppliedReload {
  /** which options now mean something else; may be empty when somebody has asked for the reload */
  readonly changed: readonly string[];
  readonly warnings: readonly ConfigWarning[];
}

/** How the last reload went. */
export interface ReloadState {
  readonly result: 'ok' | 'error';
  readonly atMs: number;
  /** why the files were not taken; empty after a good one */
  readonly problems: readonly string[];
}

/**
 * Puts the TLS files into force when they change. Everything is read and checked before anything is exchanged.
 *
 * Fails closed in the sense that nothing half-read is ever in force: what was checked last stays, until all files are
 * good again. It says so once for each content that cannot be used.
 * @see REQUIREMENTS J14, J15, S05
 */
export class TlsReload {
  readonly #parts: TlsReloadParts;
  readonly #watch: FileWatch;
  #current: ListenTlsConfig;
  #state: ReloadState | undefined;
  #isAsked = false;

  constructor(parts: TlsReloadParts) {
    this.#parts = parts;
    this.#current = parts.current;
    this.#watch = new FileWatch({ names: parts.files.names, onChange: () => this.#reload() });
  }

  /** undefined: none yet */
  get state(): ReloadState | undefined {
    return this.#state;
  }

  start(): void {
    this.#watch.start();
  }

  stop(): void {
    this.#watch.stop();
  }

  /** Reads the files now, and tells how that went even when nothing has changed. */
  async now(): Promise<void> {
    this.#isAsked = true;
    await this.#watch.report();
  }

  #reload(): void {
    const { files, clock, apply } = this.#parts;
    const isAsked = this.#isAsked;
    this.#isAsked = false;
    const atMs = clock.nowMs();
    try {
      const { tls, warnings } = files.read(atMs);
      const changed = compare(this.#current, tls);
      // The first look of the watch, and files that are again what they were.
      if (changed.length === 0 && !isAsked && this.#state?.result !== 'error') return;
      apply(tls, { changed, warnings });
      this.#current = tls;
      this.#state = { result: 'ok', atMs, problems: [] };
    } catch (error) {
      const problems = describe(error);
      this.#state = { result: 'error', atMs, problems };
      this.#parts.failed(problems);
    }
  }
}

function compare(before: ListenTlsConfig, after: ListenTlsConfig): string[] {
  const [was, is] = [before, after].map(({ certificate, key, clientCertificates: { ca, crl } }) => ({
    ...{ certificate, key, ca: ca.join('\n'), crl: crl.map(({ pem }) => pem).join('\n') },
  }));
  if (was === undefined || is === undefined) return [];
  return (['certificate', 'key', 'ca', 'crl'] as const).filter((name) => was[name] !== is[name]);
}

function describe(error: unknown): string[] {
  if (error instanceof ConfigError) return error.problems.map(({ path, message }) => `${path}: ${message}`);
  return [error instanceof Error ? error.message : String(error)];
}
