import { constants, type KeyObject, verify } from 'node:crypto';

/**
 * Whether the signature is one by this key. node:crypto rather than jose: the same OpenSSL verification without the
 * way through WebCrypto's thread pool, which is a third of its cost. What jose would check besides has been checked.
 *
 * @param signature - JWS form: for ECDSA r and s side by side (RFC 7518 §3.4); any other length does not verify
 */
export function isSignedWith(
  key: KeyObject,
  algorithm: JwsAlgorithm,
  { data, signature }: { data: Buffer; signature: Buffer },
): boolean {
  const { digest, ...parameters } = schemes[algorithm];
  return verify(digest, data, { key, ...parameters }, signature);
}

const es = { dsaEncoding: 'ieee-p1363' } as const;
const pkcs1 = { padding: constants.RSA_PKCS1_PADDING } as const;
const pss = { padding: constants.RSA_PKCS1_PSS_PADDING } as const;
const edwards = { digest: null } as const;

/** @see RFC 7518 §3.3-§3.5; RFC 8037 §3.1 */
const schemes = {
  ES256: { digest: 'sha256', ...es },
  ES384: { digest: 'sha384', ...es },
  ES512: { digest: 'sha512', ...es },
  PS256: { digest: 'sha256', ...pss, saltLength: 32 },
  PS384: { digest: 'sha384', ...pss, saltLength: 48 },
  PS512: { digest: 'sha512', ...pss, saltLength: 64 },
  RS256: { digest: 'sha256', ...pkcs1 },
  RS384: { digest: 'sha384', ...pkcs1 },
  RS512: { digest: 'sha512', ...pkcs1 },
  EdDSA: edwards,
  Ed25519: edwards,
} as const;

/** The signature algorithms that can be verified: asymmetric ones only. */
export type JwsAlgorithm = keyof typeof schemes;
