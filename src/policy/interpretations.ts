import type { PathPattern } from './pattern.js';
import type { Segments } from './segments.js';

/**
 * Whether a service may read a path that the pattern matches as one that it does not match: because it reads bytes that
 * were decoded to get to a literal, or because the depth may shift in front of the pattern's end.
 */
export function mayLeave({ segments }: PathPattern, { list, shiftsAt }: Segments): boolean {
  return segments.some(
    (literal, depth) => shiftsAt <= depth || (literal !== undefined && list[depth]?.isVerbatim === false),
  );
}
