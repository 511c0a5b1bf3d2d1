import './reflect-metadata.js';
import { webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const dayMs = 86_400_000;

/** What a certificate is to say; everything that is left out is as a good CA would have it. */
export interface Shape {
  readonly cn?: string;
  /** undefined: self-signed */
  readonly issuer?: Made;
  /** null: no basicConstraints at all */
  readonly ca?: boolean | null;
  readonly pathLength?: number;
  /** null: no keyUsage */
  readonly keyUsage?: number | null;
  /** OIDs; empty: no extKeyUsage */
  readonly extKeyUsage?: readonly string[];
  readonly more?: readonly x509.Extension[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly key?: webcrypto.EcKeyGenParams | webcrypto.RsaHashedKeyGenParams;
  readonly hash?: string;
}

/** A certificate that was made to order, and the key that it certifies. */
export interface Made {
  readonly certificate: X509Certificate;
  readonly pem: string;
  readonly keys: webcrypto.CryptoKeyPair;
  readonly shape: Shape;
}

export const { keyCertSign, digitalSignature, keyEncipherment } = x509.KeyUsageFlags;
export const { clientAuth, serverAuth } = x509.ExtendedKeyUsage;

/** An extension that nobody knows. @param critical - whether it must not be overlooked */
export function unknownExtension(critical: boolean): x509.Extension {
  return new x509.Extension('1.2.3.4.5', critical, Buffer.from('0500', 'hex'));
}

/** nameConstraints that permit the names below good.test. @see RFC 5280 §4.2.1.10 */
export function nameConstraints(critical: boolean): x509.Extension {
  return new x509.Extension('2.5.29.30', critical, Buffer.from('300fa00d300b8209676f6f642e74657374', 'hex'));
}

/** policyConstraints that demand an explicit policy at once. @see RFC 5280 §4.2.1.11 */
export function policyConstraints(critical: boolean): x509.Extension {
  return new x509.Extension('2.5.29.36', critical, Buffer.from('3003800100', 'hex'));
}

export async function makeCertificate(shape: Shape): Promise<Made> {
  const { cn = 'subject', issuer, notBefore, notAfter, hash = 'SHA-256' } = shape;
  const algorithm = shape.key ?? { name: 'ECDSA', namedCurve: 'P-256' };
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  const signing = issuer ?? { keys, shape };
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [cn] }],
    issuer: [{ CN: [signing.shape.cn ?? 'subject'] }],
    notBefore: notBefore ?? new Date(Date.now() - dayMs),
    notAfter: notAfter ?? new Date(Date.now() + dayMs),
    publicKey: keys.publicKey,
    signingKey: signing.keys.privateKey,
    signingAlgorithm: { name: signing.shape.key?.name ?? 'ECDSA', hash, saltLength: 32 },
    extensions: [...extensionsOf(shape)],
  });
  return {
    certificate: new X509Certificate(Buffer.from(certificate.rawData)),
    pem: `${certificate.toString('pem')}\n`,
    keys,
    shape,
  };
}

/** A CA: by default one without a limit to what stands below it. */
export function makeAuthority(shape: Shape): Promise<Made> {
  return makeCertificate({ ca: true, keyUsage: keyCertSign, extKeyUsage: [], ...shape });
}

function* extensionsOf({
  ca = false,
  pathLength,
  keyUsage = digitalSignature,
  extKeyUsage,
  more = [],
}: Shape) {
  if (ca !== null) yield new x509.BasicConstraintsExtension(ca, pathLength, true);
  if (keyUsage !== null) yield new x509.KeyUsagesExtension(keyUsage, true);
  const purposes = extKeyUsage ?? [clientAuth];
  if (purposes.length > 0) yield new x509.ExtendedKeyUsageExtension([...purposes]);
  yield* more;
}
