import type { Admission } from '../gate/admission.js';
import type { RequestFacts } from '../request/facts.js';
import type { HeaderNames } from '../request/header-names.js';

export interface HygieneOptions {
  readonly names: HeaderNames;
  /** our name in Via. @see RFC 9110 §7.6.3 */
  readonly pseudonym: string;
  readonly pathPrefix: string;
  /** what the service gets as Authorization: nothing, the caller's token as Bearer, or a credential of its own */
  readonly authorization: 'strip' | 'bearer' | { readonly basic: string };
}

/** Header fields of a request to the service: a value a line, or several for a repeated name. */
export type OutgoingHeaders = Record<string, string | string[]>;

/**
 * Builds the header fields of the request to the service, as a new map: what the caller sent end-to-end, and what the
 * sidecar states itself. Nothing is edited in place, so nothing that is not named here gets through; the order
 * matters too: what `Connection` nominates is removed before the identity is added, or a caller could nominate
 * that away.
 *
 * @param statements - identity header fields, written last and by nobody else
 * @see RFC 9110 §7.6.1, §7.6.3; REQUIREMENTS A12, A21, B01, B02, B04, B07, B08, C13, L01
 */
export function buildRequestHeaders(
  { facts, grant }: Admission,
  statements: readonly (readonly [name: string, value: string])[],
  options: HygieneOptions,
): OutgoingHeaders {
  // Without prototype: a field may be called like one of its members.
  const headers: OutgoingHeaders = Object.create(null);
  headers.Host = facts.origin.authority;
  copyEndToEnd(facts, headers);
  writeFraming(facts, headers);
  headers.Via = [...facts.head.values('via'), `${facts.httpVersion} ${options.pseudonym}`].join(', ');
  writeForwarding(facts, headers, options);
  const authorization = grant.token === undefined ? undefined : chooseAuthorization(facts, options);
  if (authorization !== undefined) headers.Authorization = authorization;
  for (const [name, value] of statements) headers[name] = value;
  return headers;
}

function copyEndToEnd({ head }: RequestFacts, headers: OutgoingHeaders): void {
  // One spelling a name: the service must not see `X-A` and `x-a` as two headers of which it picks one.
  const spelling = new Map<string, string>();
  for (const { name, meaning, value } of head.fields) {
    if (meaning.role !== 'ordinary' || head.nominated.has(meaning.lower)) continue;
    const first = spelling.get(meaning.lower);
    if (first === undefined) {
      spelling.set(meaning.lower, name);
      headers[name] = value;
    } else {
      const earlier = headers[first];
      headers[first] = Array.isArray(earlier) ? [...earlier, value] : [earlier ?? '', value];
    }
  }
}

// From what was parsed, never copied: method and field order have no influence (CVE-2026-29057).
function writeFraming({ framing }: RequestFacts, headers: OutgoingHeaders): void {
  if (framing.kind === 'length') headers['Content-Length'] = String(framing.bytes);
  if (framing.kind === 'chunked') headers['Transfer-Encoding'] = 'chunked';
}

function writeForwarding(
  facts: RequestFacts,
  headers: OutgoingHeaders,
  { pathPrefix }: HygieneOptions,
): void {
  if (facts.remoteAddress !== '') headers['X-Forwarded-For'] = facts.remoteAddress;
  headers['X-Forwarded-Proto'] = facts.origin.scheme;
  headers['X-Forwarded-Host'] = facts.origin.authority;
  if (pathPrefix !== '') headers['X-Forwarded-Prefix'] = pathPrefix;
  headers['X-Request-Id'] = facts.requestId;
  const hops = remainingHops(facts);
  if (hops !== undefined) headers['Max-Forwards'] = String(hops - 1);
}

function chooseAuthorization({ head }: RequestFacts, { authorization }: HygieneOptions): string | undefined {
  if (authorization === 'strip') return undefined;
  if (authorization !== 'bearer') return `Basic ${authorization.basic}`;
  const [field = ''] = head.values('authorization');
  return `Bearer ${field.slice(field.indexOf(' ')).trimStart()}`;
}

/**
 * How often the request may still be forwarded. Only OPTIONS can carry the limit here, as TRACE is refused.
 * @returns undefined when there is no such limit
 * @see RFC 9110 §7.6.2
 */
export function remainingHops({ method, head }: RequestFacts): number | undefined {
  const [value] = head.values('max-forwards');
  return method === 'OPTIONS' && value !== undefined && /^[0-9]{1,9}$/.test(value)
    ? Number(value)
    : undefined;
}

/** Response fields that no service may send to the client through us, besides the hop-by-hop ones. */
const ownResponseFields: ReadonlySet<string> = new Set([
  'x-request-id',
  'client-cert',
  'client-cert-chain',
  'content-length',
]);

export interface ResponseHygiene {
  readonly names: HeaderNames;
  /** the route demands a proof, so nonces are ours alone. @see RFC 9449 §8: at most one DPoP-Nonce */
  readonly guarded: boolean;
}

export interface CopiedResponseHeaders {
  /** name, value, … */
  readonly headers: string[];
  /** as the service sent them; the parser has refused a repeated or contradictory length */
  readonly contentLength: string | undefined;
  readonly transferEncoding: readonly string[];
  readonly contentType: string | undefined;
}

/**
 * Copies the end-to-end header fields of the service's answer, in order and with repetitions.
 *
 * @param rawHeaders - name, value, … as the service sent them
 * @returns headers without framing, hop-by-hop and Connection-nominated fields, and without anything that speaks for
 *   the sidecar; and what is needed to frame the answer anew
 * @see RFC 9110 §7.6.1; REQUIREMENTS B03, H09, K04, L09
 */
export function copyResponseHeaders(
  rawHeaders: readonly string[],
  { names, guarded }: ResponseHygiene,
): CopiedResponseHeaders {
  const nominated = nominatedNames(rawHeaders);
  const headers: string[] = [];
  const transferEncoding: string[] = [];
  let contentLength: string | undefined;
  let contentType: string | undefined;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const value = rawHeaders[i + 1] ?? '';
    const { lower, role } = names.lookup(name);
    if (lower === 'content-length') contentLength = value;
    else if (lower === 'transfer-encoding') transferEncoding.push(value);
    else if (lower === 'content-type') contentType = value;
    if (role === 'hop-by-hop' || role === 'identity' || ownResponseFields.has(lower) || nominated?.has(lower))
      continue;
    if (guarded && lower === 'dpop-nonce') continue;
    headers.push(name, value);
  }
  return { headers, contentLength, transferEncoding, contentType };
}

function nominatedNames(rawHeaders: readonly string[]): ReadonlySet<string> | undefined {
  let nominated: Set<string> | undefined;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.length !== 'connection'.length || rawHeaders[i]?.toLowerCase() !== 'connection')
      continue;
    nominated ??= new Set();
    for (const token of (rawHeaders[i + 1] ?? '').split(',')) nominated.add(token.trim().toLowerCase());
  }
  return nominated;
}
