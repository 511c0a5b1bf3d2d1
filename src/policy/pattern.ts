import { normalizePercentEncoding } from '../request/target.js';

/** A path pattern of the configuration: literal segments, `*` for one, `**` as the last for any rest, also none. */
export interface PathPattern {
  readonly text: string;
  matches(path: string): boolean;
  /** the same, for a service that ignores letter case */
  matchesFolded(path: string): boolean;
}

/**
 * @param text - starts with `/`; literals are compared after the same normalisation as request paths
 * @see DESIGN section 2, routes; REQUIREMENTS N02
 */
export function compilePattern(text: string): PathPattern {
  const pattern = toRegExp(text);
  const folded = new RegExp(pattern.source, 'si');
  return {
    text,
    matches: (path) => pattern.test(path),
    matchesFolded: (path) => folded.test(path),
  };
}

function toRegExp(text: string): RegExp {
  const segments = text.split('/').slice(1);
  const rest = segments.at(-1) === '**';
  const fixed = rest ? segments.slice(0, -1) : segments;
  const source = fixed.map((segment) => `/${segment === '*' ? '[^/]+' : escapeLiteral(segment)}`).join('');
  return new RegExp(`^${source}${rest ? '(?:/.*)?' : ''}$`, 's');
}

function escapeLiteral(segment: string): string {
  const normalized = normalizePercentEncoding(segment) ?? segment;
  return normalized.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
