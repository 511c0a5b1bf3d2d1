import { hasDisputedOctet, hasDotSegment } from '../request/target.js';

/** The ways in which services are known to read one path differently from its bytes, in the order they apply. */
const transformations: readonly ((path: string) => string)[] = [
  stripParameters,
  decodeOnce, // decodes what we leave encoded
  decodeOnce, // decodes twice
  (path) => path.replaceAll('\\', '/'), // reads a backslash as a slash
  (path) => path.replace(/[?#].*$/s, ''), // parses what it has decoded once more
  stripParameters,
  (path) => path.replace(/\/{2,}/g, '/'), // merges slashes
];

// What the transformations below could change: encoded visible ASCII, parameters, empty segments.
const readable = /%(?:2[1-9A-F]|[3-6][0-9A-F]|7[0-9A-E])|;|\/\//;
// Reading a path in all ways costs in proportion to its length; a path that is both this long and odd is refused.
const maxPathCharacters = 512;

/**
 * Every other way in which a service might read this path, up to letter case and a trailing slash, which the caller
 * looks after. A path without encodings, parameters and empty segments has none; any other has a dozen or two at most.
 *
 * Why: the route decides on the bytes, the service on its own reading. Where both readings belong to one route that
 * does no harm; where they do not, a caller could pick the weaker of two routes (routes.ts refuses).
 *
 * @param path - normalised (request/target.ts)
 * @returns other readings; undefined when one of them contains a dot segment, or octets that no two services read alike
 */
export function otherReadings(path: string): readonly string[] | undefined {
  if (!readable.test(path)) return [];
  if (path.length > maxPathCharacters) return undefined;
  const readings = new Set([path]);
  for (const transform of transformations) {
    for (const reading of [...readings]) readings.add(transform(reading));
  }
  for (const reading of readings) if (hasDotSegment(reading) || hasDisputedOctet(reading)) return undefined;
  readings.delete(path);
  return [...readings];
}

// Visible ASCII only: no separator hides in the other octets, and left encoded they still equal the route's literals.
function decodeOnce(path: string): string {
  return path.replace(/%(2[1-9A-F]|[3-6][0-9A-F]|7[0-9A-E])/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function stripParameters(path: string): string {
  return path.replace(/;[^/]*/g, '');
}
