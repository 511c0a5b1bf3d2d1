import type { ListenTlsConfig } from './config.js';
import { Files } from './files.js';
import { resolveTls, type TlsSettings } from './listen.js';
import { ConfigError, type ConfigWarning } from './problems.js';
import { Report } from './report.js';
import type { Source } from './source.js';

export interface TlsFilesParts {
  readonly settings: TlsSettings;
  /** of the configuration: its name, the directory that names in it are relative to, and what it says where */
  readonly file: string;
  readonly directory: string;
  readonly source: Source;
}

/** The files behind `listen.tls`, to be read again while the process runs. */
export class TlsFiles {
  readonly #parts: TlsFilesParts;
  /** absolute */
  readonly names: readonly string[];

  constructor(parts: TlsFilesParts) {
    this.#parts = parts;
    const { certificate, key, clientCertificates } = parts.settings;
    const files = new Files(parts.directory, new Report(parts.source), 0);
    this.names = [certificate, key, ...clientCertificates.ca, ...clientCertificates.crl].map((name) =>
      files.absolute(name),
    );
  }

  /**
   * By the rules of the start: all of it is good, or nothing is taken.
   * @throws ConfigError with every problem that was found
   */
  read(nowMs: number): { readonly tls: ListenTlsConfig; readonly warnings: readonly ConfigWarning[] } {
    const { settings, file, directory, source } = this.#parts;
    const report = new Report(source);
    const tls = resolveTls(settings, { report, files: new Files(directory, report, nowMs), nowMs });
    if (report.problems.length > 0) throw new ConfigError(file, report.problems);
    return { tls, warnings: report.warnings };
  }
}
