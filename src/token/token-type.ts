import { Denial } from '../denial/denial.js';
import type { CompactJws } from '../jws/compact.js';
import type { JsonObject } from '../jws/strict-json.js';
import type { IssuerOptions } from './issuer.js';

/**
 * Claims that other kinds of JWT carry and access tokens do not: the hashes and nonce of an ID token (OpenID Connect
 * Core §2, §3.3.2.11), the events of a logout or security event token (RFC 8417 §2.2), the request that a DPoP proof
 * is for (RFC 9449 §4.2), the answer of an introspection (RFC 9701 §5).
 */
const foreignClaims = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events', 'htm', 'htu', 'token_introspection'];

/** What authorization servers without `at+jwt` say in the payload when it is an access token, in lower case. */
const accessTokenMarks: ReadonlyMap<string, readonly string[]> = new Map([
  ['typ', ['bearer', 'dpop']], // Keycloak: others are ID, Refresh, Offline, Logout
  ['token_use', ['access']], // Cognito: the other is id
]);

/**
 * The token says that it is an access token, by its `typ`; so no other JWT of the same issuer passes for one.
 *
 * With `tokenType: jwt` it may also be silent (`typ` JWT or absent). Then it must show no mark of another kind: none of
 * the foreign claims, no other kind named in `typ` or `token_use` of the payload, and not its own issuer as `sub` (an
 * assertion, RFC 7523 §3). What cannot be told apart that way is left to `aud`: an ID token names its client there.
 *
 * @throws Denial token_type_refused
 * @see RFC 9068 §2.1, §4; RFC 8725 §3.11, §3.12; REQUIREMENTS D02
 */
export function checkTokenType({ header, claims }: CompactJws, { tokenType }: IssuerOptions): void {
  const type = mediaType(header.typ);
  if (type === 'at+jwt') return;
  const isSilent = tokenType === 'jwt' && (type === 'jwt' || !Object.hasOwn(header, 'typ'));
  if (!isSilent)
    throw new Denial('token_type_refused', `typ is ${type?.slice(0, 64) ?? 'absent or no text'}`);
  const mark = findForeignMark(claims);
  if (mark !== undefined) throw new Denial('token_type_refused', `${mark} marks another kind of JWT`);
}

/** Media types are compared without case, and `application/` may be left out. @see RFC 7515 §4.1.9 */
function mediaType(typ: unknown): string | undefined {
  return typeof typ === 'string' ? typ.toLowerCase().replace(/^application\/(?=[^/]*$)/, '') : undefined;
}

function findForeignMark(claims: JsonObject): string | undefined {
  const foreign = foreignClaims.find((name) => Object.hasOwn(claims, name));
  if (foreign !== undefined) return foreign;
  for (const [name, accepted] of accessTokenMarks) {
    if (!Object.hasOwn(claims, name)) continue;
    const value = claims[name];
    if (typeof value !== 'string' || !accepted.includes(value.toLowerCase())) return name;
  }
  return claims.sub !== undefined && claims.sub === claims.iss ? 'sub' : undefined;
}
