import { isUtf8 } from 'node:buffer';
import { Denial } from '../denial/denial.js';
import { isCanonicalBase64url } from '../jws/base64url.js';
import type { Grant } from '../policy/authorize.js';

export type IdentityEncoding = 'percent' | 'base64url' | 'refuse';

/** Where the value of an identity header comes from: a fact about this request, or a claim of the token. */
export type IdentitySource =
  | { readonly fact: 'proof' | 'key' | 'issuer' | 'client' | 'type' | 'user' | 'exception' }
  | { readonly claim: string };

export interface IdentityOptions {
  readonly headers: readonly { readonly name: string; readonly source: IdentitySource }[];
  readonly encoding: IdentityEncoding;
}

const maxIdentityBytes = 8192;
const printableAscii = /^[\x20-\x7e]*$/;
/** what every encoding leaves as it is: nothing to escape, and no white space at an end */
const unchangedByPercent = /^[\x21-\x24\x26-\x7e](?:[\x20-\x24\x26-\x7e]*[\x21-\x24\x26-\x7e])?$/;

/**
 * Writes the verified identity as header fields. A claim or fact that is absent gives no field. Nothing is replaced,
 * cut or dropped silently: what cannot be written refuses the request.
 *
 * @returns name and value pairs; on a public route only what is known of everybody (`$proof` is `none`)
 * @throws Denial identity_unrepresentable, identity_too_large
 * @see RFC 9110 §5.5; REQUIREMENTS L03-L05, L07
 */
export function buildIdentity(
  grant: Grant,
  { headers, encoding }: IdentityOptions,
): [name: string, value: string][] {
  const fields: [string, string][] = [];
  let bytes = 0;
  for (const { name, source } of headers) {
    const value = 'fact' in source ? readFact(source.fact, grant) : grant.token?.claims.get(source.claim);
    if (value === undefined || value === null) continue;
    const text = encode(typeof value === 'string' ? value : JSON.stringify(value), encoding, name);
    bytes += name.length + text.length;
    if (bytes > maxIdentityBytes)
      throw new Denial('identity_too_large', `more than ${maxIdentityBytes} bytes with ${name}`);
    fields.push([name, text]);
  }
  return fields;
}

function readFact(
  fact: Extract<IdentitySource, { fact: unknown }>['fact'],
  { proof, token, constraint, exception }: Grant,
): string | undefined {
  switch (fact) {
    case 'proof':
      return proof;
    case 'key':
      return constraint?.jkt ?? constraint?.x5tS256;
    case 'issuer':
      return token?.issuer;
    case 'client':
      return token?.clientId;
    case 'type':
      return token?.type;
    case 'user':
      return token?.type === 'user' ? token.subject : undefined;
    case 'exception':
      return exception?.id;
  }
}

function encode(value: string, encoding: IdentityEncoding, name: string): string {
  // Nearly every value, and one look is all that it costs.
  if (encoding === 'percent' && unchangedByPercent.test(value)) return value;
  if (!value.isWellFormed()) throw new Denial('identity_unrepresentable', `${name}: lone surrogate`);
  switch (encoding) {
    case 'percent':
      // The percent sign too, so that decoding gives back exactly what the token says.
      return value.replace(/[^\x20-\x24\x26-\x7e]+/g, (part) => percentEncode(part)).replace(/^ | $/g, '%20');
    case 'base64url':
      return needsBase64url(value) ? Buffer.from(value, 'utf8').toString('base64url') : value;
    case 'refuse':
      if (!isPlain(value)) throw new Denial('identity_unrepresentable', `${name}: not printable ASCII`);
      return value;
  }
}

// White space around a field value is not part of it (RFC 9110 §5.5): `admin ` would arrive as `admin`.
function isPlain(value: string): boolean {
  return printableAscii.test(value) && value.trim() === value;
}

/**
 * Whether a value is written as base64url: when it is not plain, and when it is plain and yet could be taken for the
 * encoding of one that must be encoded. So no two values are written alike.
 */
function needsBase64url(value: string): boolean {
  if (!isPlain(value)) return true;
  if (!isCanonicalBase64url(value)) return false;
  const bytes = Buffer.from(value, 'base64url');
  return isUtf8(bytes) && needsBase64url(bytes.toString('utf8'));
}

function percentEncode(text: string): string {
  return Buffer.from(text, 'utf8').reduce(
    (encoded, byte) => `${encoded}%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    '',
  );
}
