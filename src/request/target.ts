import { Denial } from '../denial/denial.js';

/** A request target in origin-form, split once, by byte. No other place of the product takes a target apart. */
export interface RequestTarget {
  /** exactly what was sent, and what the service gets */
  readonly raw: string;
  /** the path as sent */
  readonly rawPath: string;
  /** what routes are matched against and `htu` is compared with: percent-encoding normalised (RFC 3986 §6.2.2.1-2) */
  readonly path: string;
  /** without the question mark; undefined when there is none */
  readonly query: string | undefined;
}

// Every visible ASCII character but `#` (a fragment is never sent) and `\` (which many parsers read as a slash).
const originForm = /^\/[\x21\x22\x24-\x5b\x5d-\x7e]*$/;
const encodedControl = /%(?:[01][0-9A-F]|7F)/i;
const overlongUtf8 = /%(?:C[01]|E0%[89]|F0%8)/i;

/**
 * @param raw - the request target, at most `maxBytes` long
 * @throws Denial target_too_long, target_invalid, path_ambiguous
 * @see RFC 9112 §3.2.1; RFC 3986 §3.3, §6.2.2
 */
export function parseTarget(raw: string, maxBytes: number): RequestTarget {
  if (raw.length > maxBytes) throw new Denial('target_too_long', `${raw.length} bytes`);
  // Absolute-form, authority-form and asterisk-form fail here: their authority could contradict Host (A05).
  if (!originForm.test(raw)) throw new Denial('target_invalid', 'not origin-form in visible ASCII');
  // Who reads the target as a reference takes what follows for an authority, and the rest for the path (N09).
  if (raw.startsWith('//')) throw new Denial('path_ambiguous', 'begins with two slashes');
  const mark = raw.indexOf('?');
  const rawPath = mark < 0 ? raw : raw.slice(0, mark);
  return {
    raw,
    rawPath,
    path: normalizeRequestPath(rawPath),
    query: mark < 0 ? undefined : raw.slice(mark + 1),
  };
}

/**
 * Normalises the path of a request, and refuses what cannot be read in one way only: dot segments, also encoded
 * and with parameters, and encodings of control characters or of more bytes than needed.
 */
function normalizeRequestPath(path: string): string {
  const normalized = path.includes('%') ? normalizePercentEncoding(path) : path;
  if (normalized === undefined) throw new Denial('target_invalid', 'percent sign without two hex digits');
  if (encodedControl.test(normalized)) throw new Denial('target_invalid', 'encoded control character');
  if (overlongUtf8.test(normalized)) throw new Denial('path_ambiguous', 'overlong utf-8');
  if (hasDotSegment(normalized)) throw new Denial('path_ambiguous', 'dot segment');
  return normalized;
}

/**
 * @returns the path with hex digits in upper case and unreserved characters decoded; reserved characters stay
 *   encoded, `%2F` is no slash. Undefined when a percent sign is not followed by two hex digits.
 * @see RFC 3986 §6.2.2.1, §6.2.2.2
 */
export function normalizePercentEncoding(path: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(path)) return undefined;
  return path.replace(/%[0-9A-Fa-f]{2}/g, (encoded) => {
    const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : encoded.toUpperCase();
  });
}

/** Whether a segment is `.` or `..`, with or without parameters (`..;x`). The path is already normalised. */
export function hasDotSegment(path: string): boolean {
  return path.includes('/.') && /\/\.{1,2}(?:;[^/]*)?(?:\/|$)/.test(path);
}

/**
 * Whether the path holds octets that decoders cut, skip or shorten in different ways: encoded control characters, or
 * UTF-8 of more bytes than needed. @param path - in any reading, with hex digits in either case
 */
export function hasDisputedOctet(path: string): boolean {
  return encodedControl.test(path) || overlongUtf8.test(path);
}

/**
 * Whether the query names `access_token`, in any encoding: RFC 6750 §2.3 tokens are leaked tokens.
 * @see RFC 9700 §4.3.2; REQUIREMENTS C05
 */
export function hasTokenInQuery(query: string | undefined): boolean {
  if (query === undefined) return false;
  // One pass that stops only at names which can begin the word: a query of nothing but separators costs no more.
  const candidate = /(?:^|[&;])(?=a|%61)([^&;=]{12,64})/gi;
  for (const [, name = ''] of query.matchAll(candidate)) {
    if (decodeOctets(name) === 'access_token') return true;
  }
  return false;
}

function decodeOctets(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
