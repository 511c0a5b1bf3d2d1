import { normalizePercentEncoding } from '../request/target.js';

export const patternLegal =
  'a path such as /orders/*/items or /orders/**: literal segments, * for one segment, ** only as the last for the rest';

/** Whether the text is a path pattern whose literal segments can occur in a request that is let through. */
export function isPattern(text: string): boolean {
  if (!/^\/[\x21\x24-\x3e\x40-\x5b\x5d-\x7e]*$/.test(text) || normalizePercentEncoding(text) === undefined)
    return false;
  const segments = segmentsOf(text);
  return segments.every((segment, index) => {
    if (segment === '**') return index === segments.length - 1;
    return segment === '*' || !(segment.includes('*') || /^\.\.?(?:;|$)/.test(segment));
  });
}

/** Whether nothing in the pattern says what it is for. */
export function isEverything(text: string): boolean {
  return segmentsOf(text).every((segment) => segment === '*' || segment === '**');
}

/** Whether every path that `narrow` matches is matched by `broad` too. */
export function covers(broad: string, narrow: string): boolean {
  const outer = parse(broad);
  const inner = parse(narrow);
  if (inner.rest && !outer.rest) return false;
  if (outer.rest ? inner.fixed.length < outer.fixed.length : inner.fixed.length !== outer.fixed.length)
    return false;
  return outer.fixed.every(
    (segment, index) => segment === inner.fixed[index] || (segment === '*' && inner.fixed[index] !== ''),
  );
}

/** The first literal segment of a pattern and what stands in front of it; undefined when it has none. */
export function firstLiteral(text: string): { literal: string; before: readonly string[] } | undefined {
  const { fixed } = parse(text);
  const depth = fixed.findIndex((segment) => segment !== '*' && segment !== '');
  const literal = fixed[depth];
  return literal === undefined ? undefined : { literal, before: fixed.slice(0, depth) };
}

/** Whether some path is matched by both. */
export function overlaps(one: string, other: string): boolean {
  const [short, long] = [parse(one), parse(other)].sort((a, b) => a.fixed.length - b.fixed.length);
  if (short === undefined || long === undefined) return false;
  if (short.fixed.length < long.fixed.length && !short.rest) return false;
  return short.fixed.every((segment, index) => {
    const facing = long.fixed[index];
    return segment === facing || (segment === '*' && facing !== '') || (facing === '*' && segment !== '');
  });
}

function parse(text: string): { fixed: string[]; rest: boolean } {
  const segments = segmentsOf(normalizePercentEncoding(text) ?? text);
  const rest = segments.at(-1) === '**';
  return { fixed: rest ? segments.slice(0, -1) : segments, rest };
}

function segmentsOf(text: string): string[] {
  return text.split('/').slice(1);
}
