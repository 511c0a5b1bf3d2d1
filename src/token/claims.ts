import { Denial } from '../denial/denial.js';
import type { JsonObject } from '../jws/strict-json.js';
import type { IssuerOptions } from './issuer.js';
import type { TokenTimes } from './times.js';

/** What a token says, every part of the type it must have. */
export interface TokenContents extends TokenTimes {
  readonly issuer: string;
  readonly issuerAudience: readonly string[];
  /** what the issuer's clock may differ by */
  readonly leewaySeconds: number;
  readonly clientId: string;
  readonly subject: string | undefined;
  readonly scopes: ReadonlySet<string>;
  readonly audience: readonly string[];
  readonly claims: ReadonlyMap<string, unknown>;
  readonly tokenId: string | undefined;
}

/**
 * Reads the claims of an access token. A claim that is there has the right type, required or not; one that is required
 * is there. `aud`, `exp` and the client are
 * always required, whatever the configuration says; `iss` is what chose the options. Neither times nor audience are judged here.
 *
 * The claims go into a Map, so that one called `__proto__` or `constructor` is a name like any other (D14).
 *
 * @throws Denial token_claims_invalid
 * @see RFC 9068 §2.2; RFC 7519 §4.1; REQUIREMENTS D10-D12, D14, D18
 */
export function parseClaims(object: JsonObject, options: IssuerOptions): TokenContents {
  const claims: ReadonlyMap<string, unknown> = new Map(Object.entries(object));
  checkRequired(claims, options);
  const clientId = parseText(claims, options.clientClaim);
  if (clientId === undefined) throw new Denial('token_claims_invalid', `${options.clientClaim} is missing`);
  const expiresAtSeconds = parseDate(claims, 'exp');
  if (expiresAtSeconds === undefined) throw new Denial('token_claims_invalid', 'exp is missing');
  return {
    issuer: options.issuer,
    issuerAudience: options.audience,
    leewaySeconds: options.leewaySeconds,
    clientId,
    subject: parseText(claims, 'sub'),
    scopes: parseScopes(claims, options.scopeClaim),
    audience: parseAudience(claims.get('aud')),
    claims,
    issuedAtSeconds: parseDate(claims, 'iat'),
    notBeforeSeconds: parseDate(claims, 'nbf'),
    expiresAtSeconds,
    tokenId: parseText(claims, 'jti'),
  };
}

function checkRequired(
  claims: ReadonlyMap<string, unknown>,
  { requiredClaims, clientClaim }: IssuerOptions,
): void {
  for (const required of requiredClaims) {
    const name = required === 'client_id' ? clientClaim : required;
    if ((claims.get(name) ?? undefined) === undefined)
      throw new Denial('token_claims_invalid', `${name} is missing`);
  }
}

function parseText(claims: ReadonlyMap<string, unknown>, name: string): string | undefined {
  const value = claims.get(name);
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  throw new Denial('token_claims_invalid', `${name} is not a non-empty string`);
}

/** JSON can spell numbers that are no dates: 1e400 reads as Infinity. @see RFC 7519 §2; REQUIREMENTS D10 */
function parseDate(claims: ReadonlyMap<string, unknown>, name: string): number | undefined {
  const value = claims.get(name);
  if (value === undefined || (typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER))
    return value;
  throw new Denial('token_claims_invalid', `${name} is not a NumericDate`);
}

function parseAudience(aud: unknown): readonly string[] {
  const values: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (values.length > 0 && isTexts(values)) return values;
  throw new Denial('token_claims_invalid', 'aud is not a string or a non-empty array of strings');
}

/** Only `scp` may be an array: authorization servers that call it so disagree about the form. */
function parseScopes(
  claims: ReadonlyMap<string, unknown>,
  name: IssuerOptions['scopeClaim'],
): ReadonlySet<string> {
  const value = claims.get(name);
  if (value === undefined) return new Set();
  if (typeof value === 'string') return new Set(value.split(' ').filter((scope) => scope !== ''));
  if (name === 'scp' && Array.isArray(value) && isTexts(value)) return new Set(value);
  throw new Denial('token_claims_invalid', `${name} has the wrong type`);
}

function isTexts(values: readonly unknown[]): values is readonly string[] {
  return values.every((value) => typeof value === 'string' && value !== '');
}
