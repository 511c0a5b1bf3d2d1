import type { JwsAlgorithm } from './signature.js';

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
export const keyTypes: Readonly<Record<JwsAlgorithm, KeyType>> = Object.freeze({
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
