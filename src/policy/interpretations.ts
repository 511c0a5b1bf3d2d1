import type { PathPattern } from './pattern.js';
import { mayBeLiteral, type Segments } from './segments.js';

/**
 * Whether a service may read a path as one of the pattern: where the pattern has a literal, the segment either is that
 * literal, up to what services do not tell apart, or is not plain; and from a segment on that may be read as none or
 * as several everything may follow.
 *
 * A principle instead of a list of what servers do, because such a list is never complete: a path that is not plain may be
 * anything, one that is plain is itself.
 * @see REQUIREMENTS N08
 */
export function mayReach({ segments, hasRest }: PathPattern, { list, shiftsAt }: Segments): boolean {
  for (const [depth, literal] of segments.entries()) {
    if (shiftsAt <= depth) return true;
    const segment = list[depth];
    if (segment === undefined) return false;
    const endsPath = depth === list.length - 1 && depth === segments.length - 1;
    if (literal !== undefined && !mayBeLiteral(segment, literal, endsPath)) return false;
  }
  return hasRest || list.length === segments.length || shiftsAt <= segments.length;
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
