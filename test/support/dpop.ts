import { createHash, type KeyObject, randomUUID, sign } from 'node:crypto';
import { makeKeyPair } from './keys.js';

/** A client's DPoP key, ES256, made at run time. */
export interface DpopKey {
  readonly privateKey: KeyObject;
  readonly jwk: Readonly<Record<string, unknown>>;
  /** RFC 7638 thumbprint */
  readonly jkt: string;
}

export function makeDpopKey(): DpopKey {
  const { privateKey, publicKey } = makeKeyPair('ec', { namedCurve: 'P-256' });
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' });
  const jkt = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
  return { privateKey, jwk: { kty, crv, x, y }, jkt };
}

export interface ProofRequest {
  readonly key: DpopKey;
  readonly method: string;
  readonly uri: string;
  readonly token?: string;
  readonly nonce?: string;
  /** override or, with undefined, leave out */
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
}

/** A DPoP proof for one request. @see RFC 9449 §4.2 */
export function makeProof({ key, method, uri, token, nonce, claims, header }: ProofRequest): string {
  const ath = token === undefined ? undefined : createHash('sha256').update(token).digest('base64url');
  return signCompact(
    key.privateKey,
    { typ: 'dpop+jwt', alg: 'ES256', jwk: key.jwk, ...header },
    {
      jti: randomUUID(),
      htm: method,
      htu: uri,
      iat: Math.floor(Date.now() / 1000),
      ath,
      nonce,
      ...claims,
    },
  );
}

/** Signs with ES256 whatever it is given, also what no library would sign. */
export function signCompact(key: KeyObject, header: object, claims: object): string {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${signText(key, input)}`;
}

/** The ES256 signature of a text that is the signing input already. */
export function signText(key: KeyObject, input: string): string {
  return sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
