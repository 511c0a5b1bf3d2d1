import { Denial } from '../denial/denial.js';

/** How the body of a request is delimited, as parsed; sent on in a form of our own. @see RFC 9112 §6 */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' };

/**
 * Methods whose definition gives the content of a request a meaning. Who serves no other may not read a body at all.
 * @see RFC 9110 §9.3 (POST, PUT); RFC 5789 (PATCH); RFC 3253, 3648, 3744, 4791, 4918, 5323, 5842 (WebDAV); QUERY
 */
const methodsWithBody: ReadonlySet<string> = new Set([
  ...['POST', 'PUT', 'PATCH', 'QUERY'],
  ...['PROPFIND', 'PROPPATCH', 'MKCOL', 'LOCK', 'REPORT', 'SEARCH', 'ACL', 'MERGE', 'CHECKOUT'],
  ...['MKACTIVITY', 'MKCALENDAR', 'BIND', 'REBIND', 'UNBIND', 'NOTIFY'],
]);

const plainLength = /^(?:0|[1-9][0-9]{0,14})$/;
const noBody: Framing = { kind: 'none' };
const chunked: Framing = { kind: 'chunked' };

/**
 * Reads the framing from all Transfer-Encoding and Content-Length field lines. The method has no say in it.
 *
 * @param maxBodyBytes - a declared length above it is refused; a chunked body is counted while it passes
 * @throws Denial framing_invalid, transfer_coding_unsupported, body_too_large
 * @see RFC 9112 §6.1-6.3; RFC 9110 §8.6; REQUIREMENTS A08-A11
 */
export function parseFraming(
  transferEncoding: readonly string[],
  contentLength: readonly string[],
  { httpVersion, maxBodyBytes }: { httpVersion: string; maxBodyBytes: number },
): Framing {
  const [coding] = transferEncoding;
  const [length] = contentLength;
  if (coding !== undefined) {
    if (length !== undefined) throw new Denial('framing_invalid', 'transfer-encoding with content-length');
    if (httpVersion !== '1.1') throw new Denial('framing_invalid', 'transfer-encoding in HTTP/1.0');
    if (transferEncoding.length > 1) throw new Denial('framing_invalid', 'several transfer-encoding fields');
    // Compared without case and nothing else: `chunked, chunked`, `x, chunked`, `,chunked` are other things.
    if (coding.toLowerCase() !== 'chunked') throw new Denial('transfer_coding_unsupported');
    return chunked;
  }
  if (length === undefined) return noBody;
  if (contentLength.length > 1) throw new Denial('framing_invalid', 'several content-length fields');
  if (!plainLength.test(length)) throw new Denial('framing_invalid', 'content-length is not a plain decimal');
  const bytes = Number(length);
  if (bytes > maxBodyBytes) throw new Denial('body_too_large', `${bytes} bytes announced`);
  return { kind: 'length', bytes };
}

/** Whether bytes follow the head: an empty chunked body is made of some as well. */
export function hasBody(framing: Framing): boolean {
  return framing.kind === 'chunked' || (framing.kind === 'length' && framing.bytes > 0);
}

/** Whether the method gives a body no meaning. @see RFC 9110 §9.3.1: such a body may be request smuggling */
export function isBodyUnexpected(method: string): boolean {
  return !methodsWithBody.has(method);
}
