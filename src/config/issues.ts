import type * as z from 'zod';
import { formatPath, type Path } from './path.js';
import type { Report } from './report.js';
import { knownKeys, notes, schemasAt } from './schema-tree.js';

type Issue = z.core.$ZodIssue;

/** Options of the language that this version does not have: naming them beats suggesting another spelling. */
const later: ReadonlySet<string> = new Set([
  'profile',
  'issuers[].introspection',
  'replay.redis',
  'replay.onUnavailable',
  'routes[].enforcement',
  'exceptionsFile',
  'revocations',
  'report',
]);

/** Options that earlier versions had, and what takes their place. */
const removed: ReadonlyMap<string, string> = new Map([
  [
    'listen.limits.failedSignaturesPerAddress',
    'removed: verifications are shared fairly among clients while there are too many, and nothing is to be set',
  ],
]);

/** Says in the operator's words what the schema found. @param root - the schema that found it */
export function reportIssues(issues: readonly Issue[], root: z.core.$ZodType, report: Report): void {
  for (const issue of issues) reportIssue(issue, [], { root, report });
}

function reportIssue(issue: Issue, above: Path, context: { root: z.core.$ZodType; report: Report }): void {
  const { root, report } = context;
  const path: Path = [...above, ...issue.path.filter((step) => typeof step !== 'symbol')];
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys)
      report.problem([...path, key], describeUnknown([...path, key], knownKeys(root, path)));
    return;
  }
  const chosen = issue.code === 'invalid_union' ? chosenAlternative(issue.errors) : undefined;
  if (chosen !== undefined) {
    for (const one of chosen) reportIssue(one, path, context);
    return;
  }
  const secret = schemasAt(root, path).some((schema) => notes(schema).secret === true);
  report.illegalOrMissing(path, issue.message, secret);
}

// The one alternative that is of the kind that was written, if there is exactly one: its problems are the useful ones.
function chosenAlternative(alternatives: readonly Issue[][]): Issue[] | undefined {
  const fitting = alternatives.filter((issues) =>
    issues.every(({ path, code }) => path.length > 0 || code === 'custom'),
  );
  return fitting.length === 1 ? fitting[0] : undefined;
}

function describeUnknown(path: Path, known: readonly string[]): string {
  const general = formatPath(path).replace(/\[\d+\]/g, '[]');
  const successor = removed.get(general);
  if (successor !== undefined) return successor;
  if (later.has(general)) return 'not supported by this version';
  const nearest = nearestName(String(path.at(-1)), known);
  return nearest === undefined
    ? `unknown option; expected one of ${known.join(', ')}`
    : `unknown option; did you mean ${nearest}?`;
}

/** @returns the name that is fewest edits away, unless that is too far to be meant */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, edits: countEdits(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  const [best] = ranked;
  return best !== undefined && best.edits <= Math.max(2, Math.floor(name.length / 3))
    ? best.candidate
    : undefined;
}

// Levenshtein distance, one row at a time.
function countEdits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [index, character] of [...from].entries()) {
    const next = [index + 1];
    for (let column = 1; column <= to.length; column++) {
      const replaced = (row[column - 1] ?? 0) + (character === to[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/**
 * The value without the options that the schema refused: unknown ones are gone, the others have their defaults, so that
 * what one option says about another can be checked all the same.
 */
export function withoutRefused(
  value: Record<string, unknown>,
  issues: readonly Issue[],
): Record<string, unknown> {
  const rest = structuredClone(value);
  for (const issue of issues) {
    if (issue.code !== 'unrecognized_keys') remove(rest, issue.path);
    else for (const key of issue.keys) remove(rest, [...issue.path, key]);
  }
  return rest;
}

// Elements of lists stay, or those after them would be taken for others.
function remove(value: unknown, path: readonly PropertyKey[]): void {
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((node, step) => (isObject(node) ? Reflect.get(node, step) : undefined), value);
  const last = path.at(-1);
  if (last !== undefined && isObject(parent) && !Array.isArray(parent)) Reflect.deleteProperty(parent, last);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
