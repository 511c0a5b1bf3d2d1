import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
} from 'yaml';
import { formatPath, type Path } from './path.js';
import type { ConfigProblem } from './problems.js';

export type Environment = Readonly<Record<string, string | undefined>>;

const maxAliases = 100;
const maxShown = 80;

/**
 * A configuration file as it was written: where each option stands, and what may be shown of its value. References to
 * the environment are replaced; what they were replaced by is never shown.
 */
export class Source {
  /** shorthands not yet expanded; undefined when the text is not usable YAML */
  readonly value: unknown;
  /** syntax errors, keys that are given twice, references to unset variables */
  readonly problems: readonly ConfigProblem[];
  readonly #document: Document;
  readonly #lines = new LineCounter();
  /** what was written in place of a value from the environment */
  readonly #replaced = new Map<unknown, string>();

  constructor(text: string, environment: Environment) {
    // Without pretty errors: those quote the lines around, which may hold anything.
    this.#document = parseDocument(text, {
      version: '1.2',
      uniqueKeys: false, // reported here, with their path
      resolveKnownTags: false, // a !!set or !!binary would pass the schema as an object without options
      logLevel: 'error',
      prettyErrors: false,
      lineCounter: this.#lines,
    });
    const problems = this.#syntaxProblems(text.split('\n'));
    if (problems.length === 0) {
      problems.push(...this.#structureProblems(), ...this.#replaceReferences(environment));
      this.value = this.#toValue(problems);
    }
    this.problems = problems;
  }

  /** The line of the option, or of the closest part of the file that should have held it. */
  lineOf(path: Path): number {
    let position = 0;
    let node: unknown = this.#document.contents;
    for (const step of path) {
      const found = this.#step(node, step);
      if (found === undefined) break;
      position = found.position;
      node = found.node;
    }
    return this.#lineAt(position);
  }

  /** @returns the value for a message; undefined when there is none */
  show(path: Path, secret: boolean): string | undefined {
    const { node, missing } = this.#find(path);
    if (missing) return undefined;
    if (secret) return 'this value';
    if (isMap(node)) return 'a mapping';
    if (isSeq(node)) return node.items.length === 0 ? 'an empty list' : 'a list';
    if (!isScalar(node)) return 'nothing';
    return showScalar(this.#replaced.get(node) ?? node.value);
  }

  /** What was written, for a value that came from the environment, whole or in part. */
  referenceAt(path: Path): string | undefined {
    return this.#replaced.get(this.#find(path).node);
  }

  // The node at the path, or the closest one above it that is no collection (a shorthand).
  #find(path: Path): { node: unknown; missing: boolean } {
    let node: unknown = this.#document.contents;
    for (const step of path) {
      const found = this.#step(node, step);
      if (found === undefined) return { node, missing: true };
      node = found.node;
    }
    return { node: this.#resolve(node), missing: false };
  }

  #step(parent: unknown, step: string | number): { node: unknown; position: number } | undefined {
    const node = this.#resolve(parent);
    if (isSeq(node) && typeof step === 'number') {
      const item: unknown = node.items[step];
      return item === undefined ? undefined : { node: item, position: startOf(item) };
    }
    if (!isMap(node)) return undefined;
    const pair = node.items.find(({ key }) => keyOf(key) === String(step));
    return pair === undefined ? undefined : { node: pair.value, position: startOf(pair.key) };
  }

  #resolve(node: unknown): unknown {
    return isAlias(node) ? node.resolve(this.#document) : node;
  }

  #lineAt(position: number): number {
    return Math.max(1, this.#lines.linePos(position).line);
  }

  #syntaxProblems(lines: readonly string[]): ConfigProblem[] {
    return [...this.#document.errors, ...this.#document.warnings].map(({ code, pos }) => {
      const line = this.#lineAt(pos[0]);
      const hint = lines[line - 1]?.includes('${')
        ? '; inside [ ] and { } a reference to the environment needs quotes'
        : '';
      return {
        path: '',
        line,
        message: `not valid YAML 1.2: ${code.toLowerCase().replaceAll('_', ' ')}${hint}`,
      };
    });
  }

  #structureProblems(): ConfigProblem[] {
    const problems: ConfigProblem[] = [];
    visit(this.#document, {
      Alias: (_, alias, above) => {
        if (alias.resolve(this.#document) !== undefined) return;
        problems.push({
          path: pathOf([...above, alias]),
          line: this.#lineAt(startOf(alias)),
          message: 'no such anchor',
        });
      },
      Map: (_, map, above) => {
        const first = new Map<string, number>();
        for (const { key } of map.items) {
          const name = keyOf(key);
          const line = this.#lineAt(startOf(key));
          // The schema library passes this name over in silence, and with it what it asks for.
          if (name === '__proto__')
            problems.push({ path: pathOf([...above, map], name), line, message: 'not a usable name' });
          const earlier = first.get(name);
          if (earlier === undefined) first.set(name, line);
          else
            problems.push({
              path: pathOf([...above, map], name),
              line,
              message: `given twice, first on line ${earlier}`,
            });
        }
      },
    });
    return problems;
  }

  #replaceReferences(environment: Environment): ConfigProblem[] {
    const problems: ConfigProblem[] = [];
    visit(this.#document, {
      Scalar: (place, scalar, above) => {
        if (place === 'key' || typeof scalar.value !== 'string') return;
        const written = scalar.value;
        const replaced = written.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => {
          const value = environment[name];
          if (value === undefined) {
            const message = `the environment variable ${name} is not set`;
            problems.push({ path: pathOf([...above, scalar]), line: this.#lineAt(startOf(scalar)), message });
          }
          return value ?? '';
        });
        if (replaced === written) return;
        this.#replaced.set(scalar, written);
        scalar.value = scalar.type === 'PLAIN' ? plainValue(replaced) : replaced;
      },
    });
    return problems;
  }

  #toValue(problems: ConfigProblem[]): unknown {
    try {
      return this.#document.toJS({ maxAliasCount: maxAliases });
    } catch {
      if (problems.length === 0)
        problems.push({ path: '', line: 1, message: `more than ${maxAliases} uses of one anchor` });
      return undefined;
    }
  }
}

// Written without quotes, a number or a switch from the environment is one; anything else is text, never structure.
function plainValue(text: string): string | number | boolean {
  if (/^(?:0|[1-9][0-9]{0,14})$/.test(text)) return Number(text);
  return text === 'true' ? true : text === 'false' ? false : text;
}

function keyOf(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

function startOf(node: unknown): number {
  return (isNode(node) ? node.range?.[0] : undefined) ?? 0;
}

/** @param nodes - from the document down, as a visit passes through them */
function pathOf(nodes: readonly (Document | Node | Pair)[], ...last: string[]): string {
  const steps = nodes.flatMap((node, index): (string | number)[] => {
    const parent = nodes[index - 1];
    if (isPair(node)) return [keyOf(node.key)];
    return isSeq(parent) ? [parent.items.indexOf(node)] : [];
  });
  return formatPath([...steps, ...last]);
}

// A key or certificate that was pasted where its file name belongs must not end up in a log.
function showScalar(value: unknown): string {
  if (typeof value !== 'string') return value === null ? 'nothing' : String(value);
  if (/[\r\n]|-----BEGIN/.test(value)) return 'a text of several lines';
  const masked = value.replace(/\/\/[^/@]*@/, '//…@');
  return JSON.stringify(masked.length > maxShown ? `${masked.slice(0, maxShown)}…` : masked);
}
