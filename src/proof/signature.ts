import { constants, type KeyObject, verify } from 'node:crypto';
import type { ProofAlgorithm } from './jwk.js';

/**
 * Whether the signature is one by this key. node:crypto rather than jose: the same OpenSSL verification without the
 * way through WebCrypto's thread pool, which is a third of its cost. What jose would check besides has been checked.
 *
 * @param signature - JWS form: for ECDSA r and s side by side (RFC 7518 §3.4); any other length does not verify
 */
export function isSignedWith(
  key: KeyObject,
  algorithm: ProofAlgorithm,
  { data, signature }: { data: Buffer; signature: Buffer },
): boolean {
  const { digest, ...parameters } = schemes[algorithm];
  return verify(digest, data, { key, ...parameters }, signature);
}

const es = { dsaEncoding: 'ieee-p1363' } as const;
const edwards = { digest: null } as const;

/** @see RFC 7518 §3.3-§3.5; RFC 8037 §3.1 */
const schemes = {
  ES256: { digest: 'sha256', ...es },
  ES384: { digest: 'sha384', ...es },
  PS256: { digest: 'sha256', padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
  RS256: { digest: 'sha256', padding: constants.RSA_PKCS1_PADDING },
  EdDSA: edwards,
  Ed25519: edwards,
} as const;
