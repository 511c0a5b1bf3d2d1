import { createPublicKey, type KeyObject } from 'node:crypto';
import type { JWK } from 'jose';
import { Denial } from '../denial/denial.js';
import { isCanonicalBase64url } from '../jws/base64url.js';
import { algorithmNames, isSmallOrderPoint } from '../jws/ed25519.js';
import { secretMembers } from '../jws/jwk.js';
import type { JsonObject } from '../jws/strict-json.js';
import { sha256Base64url } from '../support/digest.js';

/** The public key of a proof, checked and ready to verify with. */
export interface ProofKey {
  readonly key: KeyObject;
  /** base64url SHA-256 JWK thumbprint, what `cnf.jkt` holds. @see RFC 7638 §3; RFC 9449 §6.1 */
  readonly thumbprint: string;
}

/** A public key whose members are in order. OpenSSL has not seen it: its import costs as much as a verification. */
export interface ParsedProofKey {
  readonly members: JWK & Readonly<Record<string, string>>;
  /** as of `ProofKey` */
  readonly thumbprint: string;
}

/** JWS algorithms for proofs, and the keys that fit them. @see RFC 7518 §3.1, §6; RFC 8037 §3.1 */
export type ProofAlgorithm = 'ES256' | 'ES384' | 'PS256' | 'RS256' | 'EdDSA' | 'Ed25519';

const ellipticCurve = {
  ES256: { crv: 'P-256', coordinateBytes: 32 },
  ES384: { crv: 'P-384', coordinateBytes: 48 },
} as const;

/**
 * Reads the `jwk` of a proof header: a public, canonical key of sufficient strength that fits the algorithm.
 *
 * jose and OpenSSL import much more: private members, an RSA exponent of 1 (anyone can sign for it), Ed25519 points
 * of small order (an all-zero signature verifies), coordinates of the wrong length. So the members are checked first
 * and only the members that make up the key are handed on.
 *
 * @throws Denial dpop_key_invalid
 * @see RFC 9449 §4.3 check 7; RFC 7518 §6; RFC 7638 §3.2, §7; RFC 8725 §3.4
 */
export function parseProofKey(jwk: unknown, algorithm: ProofAlgorithm): ParsedProofKey {
  const members = parsePublicMembers(jwk, algorithm);
  return { members, thumbprint: thumbprintOf(members) };
}

/** @param members - those that RFC 7638 §3.2 requires and no others, each of them base64url or a registered name */
function thumbprintOf(members: Readonly<Record<string, string>>): string {
  return sha256Base64url(JSON.stringify(members, Object.keys(members).sort()));
}

/** Makes the key ready to verify with. @throws Denial dpop_key_invalid for a point that is not on the curve */
export function importProofKey({ members, thumbprint }: ParsedProofKey): ProofKey {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: members, format: 'jwk' });
  } catch (cause) {
    throw new Denial('dpop_key_invalid', 'not a valid public key', { cause });
  }
  return { key, thumbprint };
}

function parsePublicMembers(jwk: unknown, algorithm: ProofAlgorithm): JWK & Record<string, string> {
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) {
    throw new Denial('dpop_key_invalid', 'jwk is not an object');
  }
  const members = jwk as JsonObject;
  for (const name of secretMembers) {
    // Whatever its value: the client has let its private key out, or tries a key of another kind.
    if (Object.hasOwn(members, name)) throw new Denial('dpop_key_invalid', `jwk has the member ${name}`);
  }
  checkPurpose(members, algorithm);
  switch (algorithm) {
    case 'ES256':
    case 'ES384':
      return parseEllipticCurve(members, ellipticCurve[algorithm]);
    case 'PS256':
    case 'RS256':
      return parseRsa(members);
    case 'EdDSA':
    case 'Ed25519':
      return parseEd25519(members);
  }
}

/** What the key says of itself must fit. EdDSA and Ed25519 name one thing. @see RFC 7517 §4.2-4.4; RFC 9864 §2.2 */
function checkPurpose({ alg, use, key_ops: operations }: JsonObject, algorithm: ProofAlgorithm): void {
  const names: readonly unknown[] = algorithmNames(algorithm);
  if (alg !== undefined && !names.includes(alg))
    throw new Denial('dpop_key_invalid', 'alg of the jwk is not alg of the proof');
  const isForVerification =
    operations === undefined || (Array.isArray(operations) && operations.includes('verify'));
  if ((use !== undefined && use !== 'sig') || !isForVerification)
    throw new Denial('dpop_key_invalid', 'the jwk is not for signatures');
}

function parseEllipticCurve(
  { kty, crv, x, y }: JsonObject,
  expected: { crv: string; coordinateBytes: number },
): JWK & Record<string, string> {
  if (kty !== 'EC' || crv !== expected.crv)
    throw new Denial('dpop_key_invalid', `not an EC key on ${expected.crv}`);
  return {
    kty,
    crv,
    x: checkOctets(x, 'x', expected.coordinateBytes),
    y: checkOctets(y, 'y', expected.coordinateBytes),
  };
}

function parseRsa({ kty, n, e }: JsonObject): JWK & Record<string, string> {
  if (kty !== 'RSA') throw new Denial('dpop_key_invalid', 'not an RSA key');
  // 65537 and nothing else: with e = 1 a signature is the message itself.
  if (e !== 'AQAB') throw new Denial('dpop_key_invalid', 'RSA exponent is not 65537');
  const modulus = typeof n === 'string' && n.length <= 683 && isCanonicalBase64url(n) ? n : undefined;
  const bytes = modulus === undefined ? undefined : Buffer.from(modulus, 'base64url');
  if (modulus === undefined || bytes === undefined || bytes[0] === 0) {
    throw new Denial('dpop_key_invalid', 'RSA modulus is missing, too long or not canonical');
  }
  const bits = bytes.length * 8 - (Math.clz32(bytes[0] ?? 0) - 24);
  if (bits < 2048 || bits > 4096) throw new Denial('dpop_key_invalid', `RSA modulus of ${bits} bits`);
  return { kty, n: modulus, e };
}

function parseEd25519({ kty, crv, x }: JsonObject): JWK & Record<string, string> {
  if (kty !== 'OKP' || crv !== 'Ed25519') throw new Denial('dpop_key_invalid', 'not an Ed25519 key');
  const point = checkOctets(x, 'x', 32);
  if (isSmallOrderPoint(Buffer.from(point, 'base64url'))) {
    throw new Denial('dpop_key_invalid', 'Ed25519 point of small order');
  }
  return { kty, crv, x: point };
}

function checkOctets(value: unknown, name: string, bytes: number): string {
  const exact =
    typeof value === 'string' && value.length === Math.ceil((bytes * 4) / 3) && isCanonicalBase64url(value);
  if (!exact) throw new Denial('dpop_key_invalid', `${name} is not ${bytes} bytes in base64url`);
  return value;
}
