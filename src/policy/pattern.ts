import { normalizePercentEncoding } from '../request/target.js';
import { foldLiteral } from './names.js';
import type { Segments } from './segments.js';

/** A literal segment of a pattern. */
export interface Literal {
  /** after the normalisation of request paths */
  readonly text: string;
  /** what is left of it when letter case and accents do not count */
  readonly folded: string;
}

/** A path pattern of the configuration: literal segments, `*` for one, `**` as the last for any rest, also none. */
export interface PathPattern {
  readonly text: string;
  /** the segments in front of `**`, without an empty one at the end; undefined: `*` */
  readonly segments: readonly (Literal | undefined)[];
  /** whether it ends in `**` */
  readonly hasRest: boolean;
  /** whether it ends in a slash, so that services which ignore one at the end read a path of it as another */
  readonly endsInSlash: boolean;
  matches(path: string): boolean;
}

/**
 * @param text - starts with `/`; literals are compared after the same normalisation as request paths
 * @see DESIGN section 2, routes; REQUIREMENTS N02
 */
export function compilePattern(text: string): PathPattern {
  const all = text.split('/').slice(1);
  const hasRest = all.at(-1) === '**';
  const fixed = (hasRest ? all.slice(0, -1) : all).map(toLiteral);
  const endsInSlash = fixed.at(-1)?.text === '';
  const expression = toRegExp(fixed, hasRest);
  return {
    text,
    segments: endsInSlash ? fixed.slice(0, -1) : fixed,
    hasRest,
    endsInSlash,
    matches: (path) => expression.test(path),
  };
}

function toLiteral(segment: string): Literal | undefined {
  if (segment === '*') return undefined;
  const text = normalizePercentEncoding(segment) ?? segment;
  return { text, folded: foldLiteral(text) };
}

function toRegExp(fixed: readonly (Literal | undefined)[], hasRest: boolean): RegExp {
  const source = fixed.map(
    (literal) => `/${literal === undefined ? '[^/]+' : escapeForRegExp(literal.text)}`,
  );
  return new RegExp(`^${source.join('')}${hasRest ? '(?:/.*)?' : ''}$`, 's');
}

function escapeForRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/**
 * Whether a service may read a path that the pattern matches as one that it does not match: because it reads bytes that
 * were decoded to get to a literal, or because the depth may shift in front of the pattern's end.
 */
export function mayLeave({ segments }: PathPattern, { list, shiftsAt }: Segments): boolean {
  return segments.some(
    (literal, depth) => shiftsAt <= depth || (literal !== undefined && list[depth]?.isVerbatim === false),
  );
}
