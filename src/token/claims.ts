import { Denial } from '../denial/denial.js';
import type { JsonObject } from '../jws/strict-json.js';
import type { IssuerOptions } from './issuer.js';
import type { TokenContents } from './verified-token.js';

/**
 * Reads the claims of an access token: everything that is required is there and has the right type, and times lie
 * where they must. Does not judge whether audience, scopes and client fit the route (policy/authorize.ts).
 *
 * @param now - NumericDate
 * @throws Denial token_claims_invalid, token_expired, token_not_yet_valid
 * @see RFC 9068 §2.2, §4; RFC 7519 §4.1; REQUIREMENTS D09-D12, D14, D18
 */
export function parseClaims(object: JsonObject, options: IssuerOptions, now: number): TokenContents {
  const claims: ReadonlyMap<string, unknown> = new Map(Object.entries(object));
  for (const name of options.requiredClaims) {
    if (!claims.has(name)) throw new Denial('token_claims_invalid', `${name} is missing`);
  }
  const clientId = parseString(claims, options.clientClaim);
  if (clientId === undefined) throw new Denial('token_claims_invalid', `${options.clientClaim} is missing`);
  const expiresAtSeconds = parseTime(claims, 'exp');
  if (expiresAtSeconds === undefined) throw new Denial('token_claims_invalid', 'exp is missing');
  const contents: TokenContents = {
    issuer: options.issuer,
    issuerAudience: options.audience,
    clientId,
    subject: parseString(claims, 'sub'),
    scopes: parseScopes(claims, options.scopeClaim),
    audience: parseAudience(claims.get('aud')),
    claims,
    issuedAtSeconds: parseTime(claims, 'iat'),
    notBeforeSeconds: parseTime(claims, 'nbf'),
    expiresAtSeconds,
    tokenId: parseString(claims, 'jti'),
  };
  checkTimes(contents, options.leewaySeconds, now);
  return contents;
}

/**
 * Runs on every use of a token, also when the rest was verified before.
 * @throws Denial token_expired, token_not_yet_valid
 */
export function checkTimes(
  {
    expiresAtSeconds,
    notBeforeSeconds,
    issuedAtSeconds,
  }: Pick<TokenContents, 'expiresAtSeconds' | 'notBeforeSeconds' | 'issuedAtSeconds'>,
  leewaySeconds: number,
  now: number,
): void {
  if (now >= expiresAtSeconds + leewaySeconds)
    throw new Denial('token_expired', `exp was ${now - expiresAtSeconds} s ago`);
  if (notBeforeSeconds !== undefined && notBeforeSeconds > now + leewaySeconds) {
    throw new Denial('token_not_yet_valid', `nbf is ${notBeforeSeconds - now} s ahead`);
  }
  if (issuedAtSeconds !== undefined && issuedAtSeconds > now + leewaySeconds) {
    throw new Denial('token_not_yet_valid', `iat is ${issuedAtSeconds - now} s ahead`);
  }
}

function parseString(claims: ReadonlyMap<string, unknown>, name: string): string | undefined {
  const value = claims.get(name);
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value === '')
    throw new Denial('token_claims_invalid', `${name} is not a string`);
  return value;
}

/** NumericDate. Beyond 2^53 seconds arithmetic is no longer exact, and 1e400 is read as Infinity. */
function parseTime(claims: ReadonlyMap<string, unknown>, name: string): number | undefined {
  const value = claims.get(name);
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) {
    throw new Denial('token_claims_invalid', `${name} is not a time`);
  }
  return value;
}

function parseAudience(aud: unknown): readonly string[] {
  const values: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  const audience = values.filter((value) => typeof value === 'string' && value !== '');
  if (audience.length === 0 || audience.length < values.length) {
    throw new Denial('token_claims_invalid', 'aud is not a string or a list of strings');
  }
  return audience.map(String);
}

/** `scope` is one string with single spaces between (RFC 9068 §2.2.3); `scp` is that or a list, by issuer. */
function parseScopes(claims: ReadonlyMap<string, unknown>, name: 'scope' | 'scp'): ReadonlySet<string> {
  const value = claims.get(name);
  if (value === undefined) return new Set();
  if (typeof value === 'string') return new Set(value.split(' '));
  if (name === 'scp' && Array.isArray(value) && value.every((one) => typeof one === 'string'))
    return new Set(value);
  throw new Denial('token_claims_invalid', `${name} has the wrong type`);
}
