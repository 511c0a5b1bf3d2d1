import { formatPath, type Path } from './path.js';
import type { Source } from './source.js';

/** One thing that is wrong with a configuration file. Never holds a secret. */
export interface ConfigProblem {
  /** such as `routes[0].proof`; empty for the file as a whole */
  readonly path: string;
  /** counted from 1 */
  readonly line: number;
  /** what is wrong, and what would be legal */
  readonly message: string;
}

/** The configuration is legal but deserves a look. */
export type ConfigWarning = ConfigProblem;

/** The configuration cannot be used. Holds every problem that was found, in the order of the file. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly file: string;
  readonly problems: readonly ConfigProblem[];

  constructor(file: string, problems: readonly ConfigProblem[]) {
    const sorted = sortByLine(problems);
    super(renderProblems(file, sorted));
    this.file = file;
    this.problems = sorted;
  }
}

/** @returns one line a problem: `file:line: path: message` */
export function renderProblems(file: string, problems: readonly ConfigProblem[]): string {
  return problems
    .map(({ path, line, message }) => `${file}:${line}: ${path === '' ? '' : `${path}: `}${message}`)
    .join('\n');
}

export function sortByLine(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return problems.toSorted((a, b) => a.line - b.line || a.path.localeCompare(b.path));
}

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
