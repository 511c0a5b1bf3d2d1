/** Signature algorithms for access tokens: asymmetric only. @see RFC 7518 §3.1; RFC 8037 §3.1; RFC 9864 §2.2 */
export type TokenAlgorithm =
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'EdDSA'
  | 'Ed25519';

/** The keys that an algorithm works with. */
export interface KeyType {
  readonly kty: 'EC' | 'RSA' | 'OKP';
  /** undefined for RSA */
  readonly crv: string | undefined;
}

const rsa: KeyType = { kty: 'RSA', crv: undefined };
// EdDSA is Ed25519 here: Ed448 is neither common nor supported by WebCrypto on every Node line.
const ed25519: KeyType = { kty: 'OKP', crv: 'Ed25519' };

/** Which keys fit which algorithm: one curve each, so that a key is never used with another one's algorithm. */
export const keyTypes: Readonly<Record<TokenAlgorithm, KeyType>> = Object.freeze({
  ES256: { kty: 'EC', crv: 'P-256' },
  ES384: { kty: 'EC', crv: 'P-384' },
  ES512: { kty: 'EC', crv: 'P-521' },
  PS256: rsa,
  PS384: rsa,
  PS512: rsa,
  RS256: rsa,
  RS384: rsa,
  RS512: rsa,
  EdDSA: ed25519,
  Ed25519: ed25519,
});
