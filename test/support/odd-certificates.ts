import { createHash, generateKeyPairSync } from 'node:crypto';
import type { IssuedCertificate } from './certificates.js';
import { encodeCertificate, pemOf } from './encoded-certificates.js';

/**
 * A self-signed certificate on a curve that WebCrypto does not know.
 * @param cn - of subject and issuer: with the name of somebody else's CA it poses as that CA
 */
export function makeOnCurve(namedCurve: string, cn: string): IssuedCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
  const der = encodeCertificate({ cn, publicKey, issuer: { cn, key: privateKey } });
  return {
    certPem: pemOf(der),
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    der,
    thumbprint: createHash('sha256').update(der).digest('base64url'),
  };
}
