import { Denial } from '../denial/denial.js';
import type { HeaderName, HeaderNames } from './header-names.js';

/** One header field line as sent, with what its name means. */
export interface HeaderField {
  readonly name: string;
  readonly meaning: HeaderName;
  readonly value: string;
}

/** The field lines of a request, in order, and all values of those that decisions are made on. */
export interface RequestHead {
  readonly fields: readonly HeaderField[];
  /** lower-case names that `Connection` makes hop-by-hop. @see RFC 9110 §7.6.1 */
  readonly nominated: ReadonlySet<string>;
  /** all values of one field name, in lower case, as sent */
  values(name: DecisiveName): readonly string[];
}

const decisiveNames = [
  'host',
  'authorization',
  'dpop',
  'transfer-encoding',
  'content-length',
  'connection',
  'upgrade',
  'sec-websocket-key',
  'sec-websocket-version',
  'expect',
  'via',
  'max-forwards',
  'origin',
  'access-control-request-method',
] as const;

/** Names whose repetition matters: an object of headers would keep the first, or join them. */
export type DecisiveName = (typeof decisiveNames)[number];

const connectionOptions = /^[\w!#$%&'*+.^`|~, \t-]*$/;
const maxConnectionCharacters = 1024;
const none: readonly string[] = [];
const nothingNominated: ReadonlySet<string> = new Set();
const decisive: ReadonlySet<string> = new Set(decisiveNames);

export interface HeadRules {
  readonly names: HeaderNames;
  /** header field lines, at most */
  readonly maxCount: number;
  /** whether a name outside A-Za-z0-9- that impersonates nothing is refused, or dropped later */
  readonly refuseOddNames: boolean;
}

/**
 * Reads the raw field lines in one pass. Works on what was sent, not on Node's `headers` object, which keeps the
 * first of two Host lines, joins two DPoP lines, and drops fields beyond its own limit.
 *
 * @param rawHeaders - name, value, name, value, …
 * @throws Denial header_fields_too_large, header_name_refused, request_malformed
 */
export function parseHead(rawHeaders: readonly string[], rules: HeadRules): RequestHead {
  if (rawHeaders.length > rules.maxCount * 2) {
    throw new Denial('header_fields_too_large', `${rawHeaders.length / 2} fields`);
  }
  const fields: HeaderField[] = [];
  const values = new Map<string, string[]>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const value = rawHeaders[i + 1] ?? '';
    const meaning = rules.names.lookup(name);
    checkName(meaning, rules.refuseOddNames);
    fields.push({ name, meaning, value });
    if (!decisive.has(meaning.lower)) continue;
    const seen = values.get(meaning.lower);
    if (seen === undefined) values.set(meaning.lower, [value]);
    else seen.push(value);
  }
  return {
    fields,
    nominated: parseConnection(values.get('connection') ?? none),
    values: (name) => values.get(name) ?? none,
  };
}

/**
 * All values of any field name, as sent: for names that matter for few peers, which `values` does not keep.
 * @param lower - the name in lower case
 */
export function valuesOf(head: RequestHead, lower: string): string[] {
  const values: string[] = [];
  for (const { meaning, value } of head.fields) if (meaning.lower === lower) values.push(value);
  return values;
}

function checkName(meaning: HeaderName, refuseOddNames: boolean): void {
  if (meaning.role === 'impersonating' || (meaning.role === 'odd' && refuseOddNames)) {
    throw new Denial('header_name_refused', meaning.lower.slice(0, 64));
  }
}

/** @see RFC 9110 §7.6.1: each option is a token; what is none might be meant to keep a name from being removed */
function parseConnection(values: readonly string[]): ReadonlySet<string> {
  const [value] = values;
  if (value === undefined) return nothingNominated;
  if (values.length === 1 && /^(?:keep-alive|close)$/i.test(value)) return nothingNominated;
  const text = values.join(',');
  if (text.length > maxConnectionCharacters || !connectionOptions.test(text))
    throw new Denial('request_malformed', 'connection is no list of tokens');
  return new Set(values.flatMap((line) => line.split(',').map((token) => token.trim().toLowerCase())));
}
