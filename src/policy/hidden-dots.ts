import { hasDisputedOctet, hasDotSegment } from '../request/target.js';
import { decodeVisible, maxDecodings } from './decoding.js';

// Dots that a service is left with when it trims white space, as Windows does, or cuts off a query.
const trimmedDots = /\/(?:%20|\+)*\.{1,2}(?:%20|\+)*(?:[;?#/]|$)/;

/**
 * Whether a service that decodes more than once, reads a backslash as a slash or drops parameters would find a dot
 * segment in the path, or octets that no two services read alike.
 * @param path - normalised; one that is encoded more than four times over is hiding something
 */
export function hidesDotSegment(path: string): boolean {
  let text = path;
  for (let decodings = 0; decodings <= maxDecodings; decodings++) {
    if (hasDisputedOctet(text)) return true;
    const read = text.includes('\\') ? text.replaceAll('\\', '/') : text;
    if (hasDotSegment(read) || trimmedDots.test(read)) return true;
    const decoded = decodeVisible(text);
    if (decoded === text) return /%E[2F]/i.test(text) && hasDotSegment(decodeCompatible(text));
    text = decoded;
  }
  return true;
}

/** Fullwidth dots and slashes as the ASCII that services make of them which normalise (NFKC). */
function decodeCompatible(text: string): string {
  const decoded = text.replace(/(?:%[89A-F][0-9A-F])+/gi, (run) =>
    Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'),
  );
  return decoded.normalize('NFKC').replaceAll('\\', '/');
}
