import { constants, type KeyObject, randomUUID, sign } from 'node:crypto';
import { makeKeyPair } from './keys.js';

/** A key pair of a client, made for one run. */
export interface ClientKey {
  readonly alg: 'ES256' | 'ES384' | 'PS256' | 'RS256' | 'EdDSA' | 'Ed25519';
  readonly privateKey: KeyObject;
  readonly publicJwk: Readonly<Record<string, unknown>>;
}

/** Makes a key pair that fits the algorithm. */
export function makeClientKey(alg: ClientKey['alg'] = 'ES256', { modulusLength = 2048 } = {}): ClientKey {
  const { privateKey, publicKey } = generate(alg, modulusLength);
  return { alg, privateKey, publicJwk: { ...publicKey.export({ format: 'jwk' }) } };
}

function generate(alg: ClientKey['alg'], modulusLength: number) {
  switch (alg) {
    case 'ES256':
      return makeKeyPair('ec', { namedCurve: 'P-256' });
    case 'ES384':
      return makeKeyPair('ec', { namedCurve: 'P-384' });
    case 'PS256':
    case 'RS256':
      return makeKeyPair('rsa', { modulusLength });
    case 'EdDSA':
    case 'Ed25519':
      return makeKeyPair('ed25519');
  }
}

/** base64url of the JSON text, or of the text itself: for what `JSON.stringify` would not write. */
export function segment(content: object | string): string {
  return Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)).toString('base64url');
}

/** Signs the two segments as they are, so that a test can sign anything at all. @returns compact JWS */
export function signSegments(header: string, payload: string, { alg, privateKey }: ClientKey): string {
  const input = `${header}.${payload}`;
  return `${input}.${signature(Buffer.from(input), alg, privateKey).toString('base64url')}`;
}

function signature(data: Buffer, alg: ClientKey['alg'], key: KeyObject): Buffer {
  switch (alg) {
    case 'ES256':
      return sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' });
    case 'ES384':
      return sign('sha384', data, { key, dsaEncoding: 'ieee-p1363' });
    case 'PS256':
      return sign('sha256', data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
    case 'RS256':
      return sign('sha256', data, key);
    case 'EdDSA':
    case 'Ed25519':
      return sign(null, data, key);
  }
}

/** Members to set; one that is undefined is left out. */
type Changes = Readonly<Record<string, unknown>>;

/**
 * Makes a DPoP proof: a good one, but for the changes.
 * @param claims - on top of a fresh `jti`; the test states htm, htu, iat and ath
 */
export function makeProof(key: ClientKey, claims: Changes, header: Changes = {}): string {
  return signSegments(
    segment({ typ: 'dpop+jwt', alg: key.alg, jwk: key.publicJwk, ...header }),
    segment({ jti: randomUUID(), ...claims }),
    key,
  );
}
