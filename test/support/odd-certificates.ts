import { createHash, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import type { IssuedCertificate } from './certificates.js';
import { element, encodeCertificate, pemOf } from './encoded-certificates.js';

/**
 * A self-signed certificate on a curve that WebCrypto does not know.
 * @param cn - of subject and issuer: with the name of somebody else's CA it poses as that CA
 */
export function makeOnCurve(namedCurve: string, cn: string): IssuedCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
  const der = encodeCertificate({ cn, publicKey, issuer: { cn, key: privateKey } });
  return {
    certPem: pemOf(der),
    keyPem: toPem(privateKey),
    der,
    thumbprint: createHash('sha256').update(der).digest('base64url'),
  };
}

export type CertificateChain = Pick<IssuedCertificate, 'certPem' | 'keyPem'>;

const sha256WithRsa = Buffer.from('300d06092a864886f70d01010b0500', 'hex');
const rsaEncryption = Buffer.from('300d06092a864886f70d0101010500', 'hex');
const rsaBits = 3072;

/**
 * A chain below nobody, of RSA keys of 3072 bits whose exponents have as many: a hundred times the work of a common key,
 * and the longest that OpenSSL takes. No signature verifies, which does not spare anybody from trying.
 * @param count - of issuers behind the leaf, each named as the one before says
 */
export function makeDearChain(count: number): CertificateChain {
  const leaf = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  // A signature of the right length, by somebody else.
  const { privateKey: key } = generateKeyPairSync('rsa', { modulusLength: rsaBits });
  const publicKeys = [leaf.publicKey, ...Array.from({ length: count }, makeDearKey)];
  const certificates = publicKeys.map((publicKey, at) =>
    encodeCertificate({
      cn: `link ${at}`,
      publicKey,
      issuer: { cn: `link ${at + 1}`, key },
      algorithm: sha256WithRsa,
    }),
  );
  return { certPem: certificates.map(pemOf).join(''), keyPem: toPem(leaf.privateKey) };
}

/** @returns a SubjectPublicKeyInfo. @see RFC 8017 §A.1.1 */
function makeDearKey(): Buffer {
  const oddNumber = (first: number) =>
    Buffer.concat([Buffer.from([first]), randomBytes(rsaBits / 8 - 2), Buffer.from([0x01])]);
  const modulus = element(0x02, Buffer.from([0]), oddNumber(0xff));
  const exponent = element(0x02, oddNumber(0x7f));
  return element(0x30, rsaEncryption, element(0x03, Buffer.from([0]), element(0x30, modulus, exponent)));
}

/**
 * Authorities each of which has certified the next, and the last the first, and a leaf below the first of them. All
 * signatures verify.
 */
export function makeCircle(names: readonly [string, ...string[]]): {
  readonly leaf: CertificateChain;
  readonly certPem: string;
} {
  const newKeys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const authorities = names.map((cn) => ({ cn, ...newKeys() }));
  const leaf = { cn: 'leaf', ...newKeys() };
  const [first = leaf] = authorities;
  const certify = ({ cn, publicKey }: typeof leaf, issuer: typeof leaf) =>
    pemOf(encodeCertificate({ cn, publicKey, issuer: { cn: issuer.cn, key: issuer.privateKey } }));
  return {
    leaf: { certPem: certify(leaf, first), keyPem: toPem(leaf.privateKey) },
    certPem: authorities.map((one, at) => certify(one, authorities.at(at - 1) ?? one)).join(''),
  };
}

function toPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
