import type { Reason } from '../denial/catalogue.js';
import { Denial } from '../denial/denial.js';
import { isCanonicalBase64url } from './base64url.js';
import { type JsonObject, parseStrictJsonObject } from './strict-json.js';

/** A compact JWS taken apart, nothing decoded yet. */
export interface CompactSegments {
  /** as sent: the same key of the same client sends the same text */
  readonly header: string;
  readonly payload: string;
  readonly signature: string;
  /** what was signed: the first two segments as sent */
  readonly signingInput: string;
}

/** What a compact JWS says, before anybody has verified that it is true. */
export interface CompactJws {
  readonly header: JsonObject;
  readonly claims: JsonObject;
}

/**
 * Reads a compact JWS whose payload is a JSON object: three canonical base64url segments, strict JSON, and no
 * header parameter that would change what the rest means. Verifies nothing: no type, algorithm, signature or time.
 *
 * Comes before jose, which takes padding, white space, unused bits, a byte order mark, duplicate members, and `b64`
 * or `zip` that are not marked critical.
 *
 * @param text - as received
 * @param limits - `maxBytes` is checked before anything is decoded; `malformed` is the reason thrown
 * @throws Denial `malformed`
 * @see RFC 7515 §3.1, §4.1.11; RFC 7797 §3; RFC 8725 §3
 */
export function parseCompactJws(text: string, limits: { maxBytes: number; malformed: Reason }): CompactJws {
  const segments = splitCompactJws(text, limits);
  return {
    header: parseJoseHeader(segments.header, limits.malformed),
    claims: parseClaimsSegment(segments.payload, limits.malformed),
  };
}

/**
 * The same in parts, for who has seen the header before: checks length, number of segments and the signature's
 * spelling.
 * @throws Denial `malformed`
 */
export function splitCompactJws(
  text: string,
  { maxBytes, malformed }: { maxBytes: number; malformed: Reason },
): CompactSegments {
  if (text.length > maxBytes) throw new Denial(malformed, `longer than ${maxBytes} bytes`);
  const first = text.indexOf('.');
  const second = text.indexOf('.', first + 1);
  if (first < 0 || second < 0 || text.indexOf('.', second + 1) >= 0)
    throw new Denial(malformed, 'not three segments');
  const signature = text.slice(second + 1);
  if (!isCanonicalBase64url(signature)) throw new Denial(malformed, 'signature is not canonical base64url');
  return {
    header: text.slice(0, first),
    payload: text.slice(first + 1, second),
    signature,
    signingInput: text.slice(0, second),
  };
}

/** @throws Denial `malformed` */
export function parseClaimsSegment(segment: string, malformed: Reason): JsonObject {
  return parseSegment(segment, 'payload', malformed);
}

/** @throws Denial `malformed` */
export function parseJoseHeader(segment: string, malformed: Reason): JsonObject {
  const header = parseSegment(segment, 'header', malformed);
  // We implement no extension, so whatever is marked critical is not understood (RFC 7515 §4.1.11). `b64` and `zip`
  // would change the meaning of the payload; that they are not marked critical does not make them harmless.
  for (const name of ['crit', 'b64', 'zip']) {
    if (Object.hasOwn(header, name)) throw new Denial(malformed, `header parameter ${name} is not accepted`);
  }
  if (typeof header.cty === 'string' && /^(application\/)?jwt$/i.test(header.cty)) {
    throw new Denial(malformed, 'nested JWT');
  }
  return header;
}

function parseSegment(segment: string, what: string, malformed: Reason): JsonObject {
  if (!isCanonicalBase64url(segment)) throw new Denial(malformed, `${what} is not canonical base64url`);
  const object = parseStrictJsonObject(Buffer.from(segment, 'base64url'));
  if (object === undefined) throw new Denial(malformed, `${what} is not a strict JSON object`);
  return object;
}
