import { hasDisputedOctet, hasDotSegment, type RequestTarget } from '../request/target.js';

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
// Session ids that ASP.NET takes out of the path: `/(S(x))/admin` is `/admin`.
const cookieless = /^\((?:[A-Za-z]\([^()]*\))+\)$/;

/** @param slashesPass - `%2F` counts as a character of its segment (routes[].encodedSlashes) */
export function readSegments({ path, rawPath }: RequestTarget, slashesPass: boolean): Segments {
  const parts = split(path);
  const sent = rawPath === path ? parts : split(rawPath);
  const list = parts.map((text, index) => ({
    text,
    isPlain: plain.test(text),
    isVerbatim: text === sent[index],
  }));
  const shiftsAt = list.findIndex(
    (segment, index) => !segment.isPlain && shifts(segment.text, index === list.length - 1, slashesPass),
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
  if (semicolon >= 0) return semicolon === 0 || !isLast;
  return isBlank(text);
}

/** Whether nothing is left of a segment for a service that trims white space or dots. */
function isBlank(text: string): boolean {
  try {
    return !/[^\s.+\p{Cc}\p{Cf}]/u.test(decodeURIComponent(text));
  } catch {
    return true; // octets that are no UTF-8: a decoder may drop them
  }
}

/**
 * Other paths that a service may take for the one that was asked for, because it cuts off what stands in front or
 * behind: the script of a path with path info (RFC 3875 §4.1.5), the authority of a target that it reads as a URL once
 * something has removed the first slash, and session ids.
 *
 * @returns few, mostly none; undefined: too many to look at
 */
export function findAlternatives({ list, shiftsAt }: Segments): readonly Segments[] | undefined {
  const found: Segments[] = [];
  let count = 0;
  if (scheme.test(list[0]?.text ?? '')) found.push(...behindScheme(list));
  for (const [index, { text }] of list.entries()) {
    const isSession = cookieless.test(text);
    const hasPathInfo = index < list.length - 1 && isScript(text);
    if (!isSession && !hasPathInfo) continue;
    if (++count > 1) return undefined;
    found.push({
      list: [...list.slice(0, index), ...list.slice(index + 1)],
      shiftsAt: Math.max(shiftsAt - 1, 0),
    });
    if (hasPathInfo) found.push(withoutFront(list, index + 1), { list: list.slice(0, index + 1), shiftsAt });
  }
  return found;
}

// RFC 3986 §3.1. In `x:batch` it is none that comes with an authority; those of the web do, also without slashes (WHATWG URL).
const scheme = /^(?:[A-Za-z][A-Za-z0-9+.-]*:$|(?:https?|wss?|ftp|file):)/i;

/** `https://x/y`, for those who do not count slashes `https:/x/y` and `https:x/y`; `a:/y` and `https:///y` have no authority. */
function behindScheme(list: readonly Segment[]): Segments[] {
  if (list[0]?.text.endsWith(':') !== true) return [withoutFront(list, 1)];
  const authority = list.findIndex(({ text }, index) => index > 0 && text !== '');
  if (authority < 0) return [];
  return [withoutFront(list, authority + 1), withoutFront(list, authority)];
}

function withoutFront(list: readonly Segment[], count: number): Segments {
  const rest = list.slice(count);
  const shiftsAt = rest.findIndex(
    ({ text, isPlain }, index) => !isPlain && shifts(text, index === rest.length - 1, false),
  );
  return { list: rest, shiftsAt: shiftsAt < 0 ? Number.POSITIVE_INFINITY : shiftsAt };
}

/** Whether servers run it and hand on what follows as path info. @see REQUIREMENTS N08, which lists the extensions */
export function isScript(text: string): boolean {
  return /\.(?:php|jsp|aspx?|cgi|do|action)$/i.test(text);
}

const maxDecodings = 4;
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

// Visible ASCII only: no delimiter hides in the other octets, and left encoded they still equal a route's literals.
function decodeVisible(path: string): string {
  return path.replace(/%(2[1-9A-F]|[3-6][0-9A-F]|7[0-9A-E])/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/**
 * A literal as a service has it that does not tell case, accents, nor what Windows drops at the end: what a plain segment
 * has to differ from to be another one for everybody.
 */
export function foldLiteral(text: string): string {
  let decoded = text;
  try {
    decoded = decodeURIComponent(text);
  } catch {
    // Octets that are no UTF-8: compared as they are written.
  }
  return decoded
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toUpperCase()
    .toLowerCase()
    .replaceAll('ı', 'i')
    .replace(/[\s.]+$/u, '');
}

/**
 * What else Windows calls a file by the name of a plain segment (its streams), or a service that reads plus signs as spaces
 * and trims them. @param folded - in lower case
 */
export function otherNames(folded: string): readonly string[] {
  const names: string[] = [];
  if (folded.includes(':')) names.push((folded.split(':', 1)[0] ?? '').replace(/\.+$/, ''));
  if (folded.startsWith('+') || folded.endsWith('+')) names.push(trimPluses(folded));
  return names;
}

// A loop, because `/\++$/` tries a run of pluses anew from each of them.
function trimPluses(text: string): string {
  let start = 0;
  let end = text.length;
  while (text[start] === '+') start++;
  while (end > start && text[end - 1] === '+') end--;
  return text.slice(start, end);
}

/**
 * Whether a segment may be the short name of a literal on Windows: `administration` is `ADMINI~1`, or `AD1A2B~1` once there
 * are several. @returns undefined when it has not the form of one
 */
export function shortNameOf(folded: string): ((literal: string) => boolean) | undefined {
  const [, head] = /^([^~]{1,6})~\d{1,6}(?:\.[^.]*)?$/.exec(folded) ?? [];
  if (head === undefined) return undefined;
  const hashed = head.replace(/[0-9a-f]{4}$/, '');
  return (literal) => literal.startsWith(head) || literal.startsWith(hashed);
}
