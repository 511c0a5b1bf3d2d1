import { Denial } from '../denial/denial.js';
import type { CompactJws } from '../jws/compact.js';

/**
 * Checks that the JWT is an access token and not another kind that the same issuer signs with the same keys. With
 * `at+jwt` the type says so. With `jwt`, for authorization servers that do not set it, the kinds that could be
 * confused are told by their claims: ID tokens, logout tokens, DPoP proofs; a client assertion lacks the claims that
 * an access token needs.
 *
 * @throws Denial token_type_refused
 * @see RFC 9068 §4; RFC 8725 §3.11, §3.12; REQUIREMENTS D02
 */
export function checkTokenType({ header, claims }: CompactJws, tokenType: 'at+jwt' | 'jwt'): void {
  const { typ } = header;
  if (typeof typ === 'string' && /^(?:application\/)?at\+jwt$/i.test(typ)) return;
  if (tokenType === 'at+jwt') throw new Denial('token_type_refused', 'typ is not at+jwt');
  if (typ !== undefined && !(typeof typ === 'string' && /^(?:application\/)?jwt$/i.test(typ))) {
    throw new Denial('token_type_refused', 'typ is neither at+jwt nor JWT nor absent');
  }
  for (const [claim, kind] of tellingClaims) {
    if (Object.hasOwn(claims, claim)) throw new Denial('token_type_refused', `${claim} makes it ${kind}`);
  }
  // Keycloak and Cognito say the kind in a claim of their own.
  for (const claim of ['typ', 'token_use']) {
    const kind = claims[claim];
    if (typeof kind === 'string' && /^(?:id|logout|refresh|offline)$/i.test(kind)) {
      throw new Denial('token_type_refused', `${claim} says it is another kind of token`);
    }
  }
}

const tellingClaims: readonly (readonly [claim: string, kind: string])[] = [
  ['nonce', 'an ID token'],
  ['at_hash', 'an ID token'],
  ['c_hash', 'an ID token'],
  ['s_hash', 'an ID token'],
  ['events', 'a security event or logout token'],
  ['htm', 'a DPoP proof'],
  ['htu', 'a DPoP proof'],
];
