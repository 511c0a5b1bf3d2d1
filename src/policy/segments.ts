import type { RequestTarget } from '../request/target.js';

/** A segment of a request's path. */
export interface Segment {
  /** normalised (request/target.ts) */
  readonly text: string;
  /** whether every service reads it alike, up to letter case: see `plain` */
  readonly isPlain: boolean;
  /** whether it was sent as `text` has it */
  readonly isVerbatim: boolean;
}

/** The segments of a path, without empty ones at its end. */
export interface Segments {
  readonly list: readonly Segment[];
  /**
   * index of the first segment that a service may read as none, as several, or as the end of the path, so that what
   * follows stands at another depth; Infinity when there is none
   */
  readonly shiftsAt: number;
}

// pchar of RFC 3986 §3.3 without percent-encodings and `;`, and no dot at the end, which Windows drops.
const plain = /^[A-Za-z0-9._~!$&'()*+,=:@-]*[A-Za-z0-9_~!$&'()*+,=:@-]$/;
// Encodings of what divides a path or ends it, and of the percent sign, behind which those can hide.
const encodedDelimiter = /%(?:25|2F|3B|3F|23|5C)/;
// The same in their fullwidth and small forms (NFKC), and U+2044, U+2215, which code pages of Windows make slashes.
const wideDelimiter = /%EF%BC%(?:8F|BC|9F|83|9B)|%EF%B9%(?:94|96|9F|A8)|%E2%81%84|%E2%88%95/;
const encodedDelimiterButSlash = /%(?:25|3B|3F|23|5C)/;

/** @param slashesPass - `%2F` counts as a character of its segment (routes[].encodedSlashes) */
export function readSegments({ path, rawPath }: RequestTarget, slashesPass: boolean): Segments {
  const parts = split(path);
  const sent = rawPath === path ? parts : split(rawPath);
  const list = parts.map((text, index) => ({
    text,
    isPlain: plain.test(text),
    isVerbatim: text === sent[index],
  }));
  return toSegments(list, slashesPass);
}

export function toSegments(list: readonly Segment[], slashesPass: boolean): Segments {
  const shiftsAt = list.findIndex(
    ({ text, isPlain }, index) => !isPlain && shifts(text, index === list.length - 1, slashesPass),
  );
  return { list, shiftsAt: shiftsAt < 0 ? Number.POSITIVE_INFINITY : shiftsAt };
}

function split(path: string): string[] {
  const parts = path.split('/');
  parts.shift();
  while (parts.at(-1) === '') parts.pop();
  return parts;
}

function shifts(text: string, isLast: boolean, slashesPass: boolean): boolean {
  if ((slashesPass ? encodedDelimiterButSlash : encodedDelimiter).test(text) || wideDelimiter.test(text))
    return true;
  const semicolon = text.indexOf(';');
  // Parameters of the last segment: whoever drops them, or ends the path there, is left with the same segment.
  if (semicolon >= 0 && !isLast) return true;
  return isBlank(semicolon < 0 ? text : text.slice(0, semicolon));
}

/** Whether nothing is left of a segment for a service that trims white space or dots. */
function isBlank(text: string): boolean {
  try {
    return !/[^\s.+\p{Cc}\p{Cf}]/u.test(decodeURIComponent(text));
  } catch {
    return true; // octets that are no UTF-8: a decoder may drop them
  }
}
