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
  switch (algorithm) {
    case 'ES256':
      return verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, signature);
    case 'ES384':
      return verify('sha384', data, { key, dsaEncoding: 'ieee-p1363' }, signature);
    case 'PS256':
      return verify(
        'sha256',
        data,
        { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
        signature,
      );
    case 'RS256':
      return verify('sha256', data, { key, padding: constants.RSA_PKCS1_PADDING }, signature);
    case 'EdDSA':
    case 'Ed25519':
      return verify(null, data, key, signature);
  }
}
