import type { JsonWebKey } from 'node:crypto';
import { isCanonicalBase64url } from './base64url.js';
import { algorithmNames, isSmallOrderPoint } from './ed25519.js';
import { secretMembers } from './jwk.js';
import { keyTypes } from './key-types.js';
import type { JwsAlgorithm } from './signature.js';
import type { JsonObject } from './strict-json.js';

/** A key of an issuer's set that can serve, reduced to the members that matter. */
export interface PublishedKey {
  readonly kid: string | undefined;
  /** of the issuer's algorithms those that this key may be used with, at least one; several for an RSA key without `alg` */
  readonly algorithms: readonly JwsAlgorithm[];
  /** the members of the public key itself */
  readonly members: JsonWebKey;
}

/** Why an entry of a key set is left out. The others stay usable (RFC 7517 §5). */
export class IgnoredKey extends Error {
  override readonly name: string = 'IgnoredKey';
}

/** It is no key to publish: somebody has given away what signs. @see REQUIREMENTS P09 */
export class SecretKey extends IgnoredKey {
  override readonly name = 'SecretKey';
}

/** Longest `kid` that is looked up. */
export const maxKidCharacters = 256;

const coordinateBytes: Readonly<Record<string, number>> = {
  'P-256': 32,
  'P-384': 48,
  'P-521': 66,
  Ed25519: 32,
};

/**
 * Reads one entry of a key set. Whether the numbers make a valid key (a point on the curve) shows when it is imported.
 *
 * Fails closed: a key that says it is for something else than verifying signatures, that is secret, weak, or for an
 * algorithm that is not accepted, serves nothing.
 *
 * @param accepted - the issuer's algorithms
 * @throws IgnoredKey
 * @see RFC 7517 §4; RFC 7518 §6; RFC 8725 §3.2, §3.5; REQUIREMENTS D05, P07, P09
 */
export function parsePublishedKey(entry: unknown, accepted: readonly JwsAlgorithm[]): PublishedKey {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry))
    throw new IgnoredKey('not an object');
  const jwk = entry as JsonObject;
  checkPublic(jwk);
  const kid = parseKid(jwk.kid);
  checkUse(jwk);
  const members = parseMembers(jwk);
  const algorithms = accepted.filter((name) => fits(name, jwk));
  if (algorithms.length === 0) throw new IgnoredKey('for none of the accepted algorithms');
  return { kid, algorithms, members };
}

function checkPublic(jwk: JsonObject): void {
  if (jwk.kty === 'oct') throw new SecretKey('symmetric key in a public set');
  // Its private half is known to whoever can read the set, so signatures by it prove nothing.
  if (secretMembers.some((name) => Object.hasOwn(jwk, name)))
    throw new SecretKey('private key in a public set');
}

function parseKid(kid: unknown): string | undefined {
  if (kid === undefined) return undefined;
  if (typeof kid === 'string' && kid !== '' && kid.length <= maxKidCharacters) return kid;
  throw new IgnoredKey(`kid is not a string of 1 to ${maxKidCharacters} characters`);
}

function checkUse({ use, key_ops: operations }: JsonObject): void {
  if (use !== undefined && use !== 'sig') throw new IgnoredKey('use is not sig');
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    throw new IgnoredKey('key_ops lacks verify');
  }
}

/** A key with `alg` serves that one only; one without may serve what its type and curve allow. */
function fits(algorithm: JwsAlgorithm, { alg, kty, crv }: JsonObject): boolean {
  const needed = keyTypes[algorithm];
  return (
    (alg === undefined || (typeof alg === 'string' && algorithmNames(algorithm).includes(alg))) &&
    kty === needed.kty &&
    (needed.crv === undefined || crv === needed.crv)
  );
}

function parseMembers({ kty, crv, x, y, n, e }: JsonObject): JsonWebKey {
  switch (kty) {
    case 'EC':
      return { kty, crv: checkCurve(crv), x: checkCoordinate(x, crv), y: checkCoordinate(y, crv) };
    case 'OKP':
      return { kty, crv: checkCurve(crv), x: checkPoint(checkCoordinate(x, crv)) };
    case 'RSA':
      return { kty, n: checkModulus(n), e: checkExponent(e) };
    default:
      throw new IgnoredKey('kty is not supported');
  }
}

function checkCurve(crv: unknown): string {
  if (typeof crv === 'string' && Object.hasOwn(coordinateBytes, crv)) return crv;
  throw new IgnoredKey('crv is not supported');
}

function checkCoordinate(value: unknown, crv: unknown): string {
  const bytes = coordinateBytes[checkCurve(crv)] ?? 0;
  const exact =
    typeof value === 'string' && value.length === Math.ceil((bytes * 4) / 3) && isCanonicalBase64url(value);
  if (!exact) throw new IgnoredKey(`a coordinate is not ${bytes} bytes in base64url`);
  return value;
}

/** For a point of small order signatures exist that no private key made. It is no key of anybody. */
function checkPoint(x: string): string {
  if (isSmallOrderPoint(Buffer.from(x, 'base64url'))) throw new IgnoredKey('Ed25519 point of small order');
  return x;
}

function checkModulus(n: unknown): string {
  if (typeof n !== 'string' || !isCanonicalBase64url(n)) throw new IgnoredKey('RSA modulus is not base64url');
  const hex = Buffer.from(n, 'base64url').toString('hex').replace(/^0+/, '');
  const bits = hex.length * 4 - Math.clz32(Number.parseInt(hex.charAt(0), 16)) + 28;
  if (!(bits >= 2048 && bits <= 8192))
    throw new IgnoredKey(`RSA modulus of ${bits} bits, accepted are 2048 to 8192`);
  return n;
}

function checkExponent(e: unknown): string {
  // With e = 1 a signature is the padded message itself: anybody can make one.
  if (e !== 'AQAB') throw new IgnoredKey('RSA exponent is not 65537');
  return e;
}
