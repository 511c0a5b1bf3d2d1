import { Denial } from '../denial/denial.js';
import { sha256Base64url } from '../support/digest.js';

/** The schemes under which an access token may be presented. @see RFC 6750 §2.1; RFC 9449 §7.1 */
export type Scheme = 'Bearer' | 'DPoP';

/** An access token as it was sent: nothing about it has been verified. */
export interface PresentedToken {
  readonly scheme: Scheme;
  /** token68, at most 8192 bytes */
  readonly token: string;
  /** base64url SHA-256 of the token: the cache key, and what `ath` of a DPoP proof must equal (RFC 9449 §4.2) */
  readonly digest: string;
}

const maxTokenBytes = 8192;
const schemeOf = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?: |$)/;
const token68 = /^[A-Za-z0-9._~+/-]+=*$/;

/**
 * Reads the scheme and the access token from the Authorization field. A scheme that is neither Bearer nor DPoP
 * counts as no credentials (RFC 6750 §3.1).
 *
 * @param fields - the values of all Authorization field lines, as sent
 * @throws Denial credentials_missing, credentials_ambiguous, credentials_malformed, token_too_long
 * @see RFC 9110 §11.4; RFC 9449 §7.1, §7.2
 */
export function parseCredentials(fields: readonly string[]): PresentedToken {
  const [field] = fields;
  if (field === undefined) throw new Denial('credentials_missing');
  if (fields.length > 1) throw new Denial('credentials_ambiguous', `${fields.length} authorization fields`);

  const scheme = parseScheme(field);
  if (scheme === undefined) throw new Denial('credentials_missing', 'neither bearer nor dpop');
  // The comma of a joined pair of credentials: `Bearer a, DPoP b` must not be read as one odd token (RFC 9449 §7.2).
  if (field.includes(',')) throw new Denial('credentials_ambiguous', 'several credentials in one field');

  const token = field.slice(scheme.length).replace(/^ +/, '');
  // Before the pattern runs over it: refusing a long token costs nothing (C06).
  if (token.length > maxTokenBytes) throw new Denial('token_too_long', `${token.length} bytes`);
  if (!token68.test(token)) throw new Denial('credentials_malformed', 'not one token68 after the scheme');
  return { scheme, token, digest: sha256Base64url(token) };
}

/** @returns the scheme that the caller used, compared without case (RFC 9110 §11.1), when it is one of ours. */
export function parseScheme(field: string): Scheme | undefined {
  switch (schemeOf.exec(field)?.[1]?.toLowerCase()) {
    case 'bearer':
      return 'Bearer';
    case 'dpop':
      return 'DPoP';
    default:
      return undefined;
  }
}
