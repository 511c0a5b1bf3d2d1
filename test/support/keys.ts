import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';

export interface KeyPairOptions {
  readonly namedCurve?: string;
  readonly modulusLength?: number;
  readonly publicExponent?: number;
}

/**
 * A fresh key pair, imported from its encoding.
 *
 * Not the objects that `generateKeyPairSync` itself returns: in Node 20 these share a lock with the job that made them,
 * and when that job is collected while one of them is being exported the process stands still for ever.
 */
export function makeKeyPair(
  type: 'ec' | 'rsa' | 'ed25519' | 'x25519',
  options: KeyPairOptions = {},
): { publicKey: KeyObject; privateKey: KeyObject } {
  const privateKeyEncoding = { type: 'pkcs8', format: 'der' } as const;
  const publicKeyEncoding = { type: 'spki', format: 'der' } as const;
  const { publicKey, privateKey } = Reflect.apply(generateKeyPairSync, undefined, [
    type,
    { ...options, publicKeyEncoding, privateKeyEncoding },
  ]) as unknown as { publicKey: Buffer; privateKey: Buffer };
  return {
    publicKey: createPublicKey({ key: publicKey, ...publicKeyEncoding }),
    privateKey: createPrivateKey({ key: privateKey, ...privateKeyEncoding }),
  };
}
