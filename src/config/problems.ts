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
