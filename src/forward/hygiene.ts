import { Denial } from '../denial/denial.js';
import type { Admission } from '../gate/admission.js';
import type { RequestFacts } from '../request/facts.js';
import type { HeaderNames, HeaderRole } from '../request/header-names.js';
import type { Timekeeper } from '../support/clock.js';

export interface HygieneOptions {
  readonly names: HeaderNames;
  /** our name in Via. @see RFC 9110 §7.6.3 */
  readonly pseudonym: string;
  readonly pathPrefix: string;
  /** what the service gets as Authorization: nothing, the caller's token as Bearer, or a credential of its own */
  readonly authorization: 'strip' | 'bearer' | { readonly basic: string };
  /** the service is told of client certificates that are trusted at this time; undefined: of none */
  readonly certificateClock: Timekeeper | undefined;
}

/** Header field lines of a request to the service, in order: name, value, name, value, … */
export type OutgoingHeaders = readonly string[];

/**
 * Builds the header fields of the request to the service, as a new list: what the caller sent end-to-end, and what the
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
  const headers = ['Host', facts.origin.authority];
  copyEndToEnd(facts, headers);
  writeFraming(facts, headers);
  if (facts.upgrade !== undefined) headers.push('Connection', 'Upgrade', 'Upgrade', facts.upgrade);
  headers.push('Via', describeVia(facts, options));
  writeForwarding(facts, headers, options);
  const authorization = grant.token === undefined ? undefined : chooseAuthorization(facts, options);
  if (authorization !== undefined) headers.push('Authorization', authorization);
  if (options.certificateClock !== undefined && grant.token !== undefined)
    writeCertificate(facts, headers, options.certificateClock);
  for (const [name, value] of statements) headers.push(name, value);
  return headers;
}

function copyEndToEnd({ head }: RequestFacts, headers: string[]): void {
  // One spelling a name: the service must not see `X-A` and `x-a` as two headers of which it picks one.
  const spelling = new Map<string, string>();
  for (const { name, meaning, value } of head.fields) {
    if (meaning.role !== 'ordinary' || head.nominated.has(meaning.lower)) continue;
    const first = spelling.get(meaning.lower);
    if (first === undefined) spelling.set(meaning.lower, name);
    headers.push(first ?? name, value);
  }
}

/** Methods of which a request without body needs no length to say so. @see RFC 9110 §8.6 */
const usuallyBodiless: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS']);

// From what was parsed, never copied: method and field order have no influence on a body (CVE-2026-29057).
function writeFraming({ framing, method }: RequestFacts, headers: string[]): void {
  if (framing.kind === 'length') headers.push('Content-Length', String(framing.bytes));
  else if (framing.kind === 'chunked') headers.push('Transfer-Encoding', 'chunked');
  else if (!usuallyBodiless.has(method)) headers.push('Content-Length', '0');
}

function describeVia({ head, httpVersion }: RequestFacts, { pseudonym }: HygieneOptions): string {
  const received = `${httpVersion} ${pseudonym}`;
  const earlier = head.values('via');
  return earlier.length === 0 ? received : [...earlier, received].join(', ');
}

function writeForwarding(facts: RequestFacts, headers: string[], { pathPrefix }: HygieneOptions): void {
  if (facts.remoteAddress !== '') headers.push('X-Forwarded-For', facts.remoteAddress);
  headers.push('X-Forwarded-Proto', facts.origin.scheme, 'X-Forwarded-Host', facts.origin.authority);
  if (pathPrefix !== '') headers.push('X-Forwarded-Prefix', pathPrefix);
  headers.push('X-Request-Id', facts.requestId);
  const hops = remainingHops(facts);
  if (hops !== undefined) headers.push('Max-Forwards', String(hops - 1));
}

/**
 * Tells the service of the client's certificate, when it chains to the configured CAs and is in date. Written whole or not
 * at all.
 * @throws Denial identity_too_large
 * @see RFC 9440 §2; REQUIREMENTS K02, K03, K06, K08
 */
function writeCertificate({ certificate }: RequestFacts, headers: string[], clock: Timekeeper): void {
  if (certificate?.trusted !== true || certificate.fields === undefined) return;
  const { notBeforeMs, notAfterMs } = certificate;
  if (!(clock.steadyMs() >= notBeforeMs && clock.nowMs() < notAfterMs)) return;
  const { clientCert, clientCertChain } = certificate.fields;
  const length = clientCert.length + (clientCertChain?.length ?? 0);
  if (length > maxCertificateCharacters)
    throw new Denial('identity_too_large', `client certificate and chain of ${length} characters`);
  headers.push('Client-Cert', clientCert);
  if (clientCertChain !== undefined) headers.push('Client-Cert-Chain', clientCertChain);
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
  if (method !== 'OPTIONS') return undefined;
  const values = head.values('max-forwards');
  // Of several the strictest.
  return values.length > 0 && values.every((value) => /^[0-9]{1,9}$/.test(value))
    ? Math.min(...values.map(Number))
    : undefined;
}

// Most servers take 8 to 64 KiB of header; a chain of 10 KiB, encoded, still gets through.
const maxCertificateCharacters = 16 * 1024;

/** Nor what a client could take for framing or for the word of a front: by its name, or by one that folds to it (L11). */
const unwantedInAnswers: ReadonlySet<HeaderRole> = new Set([
  'hop-by-hop',
  'forwarding',
  'identity',
  'impersonating',
]);

/** Response fields that no service may send to the client through us, besides the hop-by-hop ones. */
const ownResponseFields: ReadonlySet<string> = new Set(['content-length']);

const namesClientCert = /(?:^|,)[ \t]*client-cert(?:-chain)?[ \t]*(?:,|$)/i;

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
 * @see RFC 9110 §7.6.1; REQUIREMENTS B03, H09, K04, K05, L09
 */
export function copyResponseHeaders(
  rawHeaders: readonly string[],
  { names, guarded }: ResponseHygiene,
): CopiedResponseHeaders {
  const headers: string[] = [];
  const transferEncoding: string[] = [];
  let nominated: Set<string> | undefined;
  let contentLength: string | undefined;
  let contentType: string | undefined;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const value = rawHeaders[i + 1] ?? '';
    const { lower, role } = names.lookup(name);
    if (lower === 'content-length') contentLength = value;
    else if (lower === 'transfer-encoding') transferEncoding.push(value);
    else if (lower === 'content-type') contentType = value;
    else if (lower === 'connection') nominated = addNominated(nominated, value);
    if (unwantedInAnswers.has(role) || ownResponseFields.has(lower)) continue;
    if (guarded && lower === 'dpop-nonce') continue;
    // It varies by what no cache on the way can see (RFC 9440 §2.4).
    headers.push(name, lower === 'vary' && namesClientCert.test(value) ? '*' : value);
  }
  const copied = nominated === undefined ? headers : withoutNominated(headers, nominated);
  return { headers: copied, contentLength, transferEncoding, contentType };
}

/** `keep-alive` and `close` nominate no field that is not removed anyway; most answers have one of the two. */
function addNominated(known: Set<string> | undefined, value: string): Set<string> | undefined {
  if (value === 'keep-alive' || value === 'close') return known;
  const nominated = known ?? new Set();
  for (const token of value.split(',')) nominated.add(token.trim().toLowerCase());
  return nominated;
}

function withoutNominated(headers: readonly string[], nominated: ReadonlySet<string>): string[] {
  return headers.filter((_, at) => !nominated.has((headers[at - (at % 2)] ?? '').toLowerCase()));
}
