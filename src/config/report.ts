import { formatPath, type Path } from './path.js';
import type { ConfigProblem, ConfigWarning } from './problems.js';
import type { Source } from './source.js';

/** Collects what is wrong, so that all of it can be said at once. */
export class Report {
  readonly problems: ConfigProblem[] = [];
  readonly warnings: ConfigWarning[] = [];
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  problem(path: Path, message: string): void {
    this.problems.push(this.#place(path, message));
  }

  /** The value, or the default that stands in for it, cannot be used. @param legal - completes `expected …` */
  illegal(path: Path, legal: string, secret = false): void {
    this.#expected(path, `${this.#source.show(path, secret) ?? 'the default'} is not allowed`, legal);
  }

  /** The same, for an option that has no default. */
  illegalOrMissing(path: Path, legal: string, secret: boolean): void {
    const shown = this.#source.show(path, secret);
    this.#expected(path, shown === undefined ? 'required' : `${shown} is not allowed`, legal);
  }

  warn(path: Path, message: string): void {
    this.warnings.push(this.#place(path, message));
  }

  #expected(path: Path, fault: string, legal: string): void {
    // Nothing can be said about a value that is not known.
    if (this.#source.problems.some((problem) => problem.path === formatPath(path))) return;
    this.problem(path, `${fault}; expected ${legal}`);
  }

  #place(path: Path, message: string): ConfigProblem {
    return { path: formatPath(path), line: this.#source.lineOf(path), message };
  }
}
