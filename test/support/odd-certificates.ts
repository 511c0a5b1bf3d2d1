import { createHash, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import type { IssuedCertificate } from './certificates.js';
import { type Encoded, element, encodeCertificate, pemOf } from './encoded-certificates.js';

/** A CA whose certificates are encoded byte by byte. */
export interface OddCa {
  readonly cn: string;
  readonly key: KeyObject;
  readonly der: Buffer;
}

export const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** @param oid - hex of its DER */
export function extension(oid: string, value: Buffer, critical = true): Buffer {
  return element(0x30, element(0x06, hex(oid)), ...(critical ? [hex('0101ff')] : []), element(0x04, value));
}

/** @param value - hex */
export const basicConstraints = (value: string) => extension('551d13', hex(value));
export const caExtensions = () => [basicConstraints('30030101ff'), extension('551d0f', hex('03020106'))];
const clientExtensions = () => [extension('551d0f', hex('03020780'))];

/** A root with a P-256 key, unless the parts say otherwise. */
export function makeOddCa(cn: string, parts: Partial<Encoded> = {}): OddCa {
  const { privateKey: key, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const der = encodeCertificate({
    ...{ cn, publicKey, issuer: { cn, key }, extensions: caExtensions() },
    ...parts,
  });
  return { cn, key, der };
}

/** A client certificate, sound but for the parts. @param parts - `publicKey`: default a P-256 key that nobody has */
export function encodeLeaf(issuer: Encoded['issuer'], parts: Partial<Encoded> = {}): Buffer {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return encodeCertificate({
    ...{ cn: 'leaf', publicKey, extensions: clientExtensions() },
    issuer,
    ...parts,
  });
}

/** The same with its key. */
export function issueOdd(
  issuer: Encoded['issuer'],
  parts: Partial<Encoded> = {},
  keys = generateKeyPairSync('ec', { namedCurve: 'P-256' }),
): IssuedCertificate {
  return withKey(encodeLeaf(issuer, { publicKey: keys.publicKey, ...parts }), keys.privateKey);
}

/**
 * A self-signed certificate on a curve that WebCrypto does not know.
 * @param cn - of subject and issuer: with the name of somebody else's CA it poses as that CA
 */
export function makeOnCurve(namedCurve: string, cn: string): IssuedCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
  return withKey(encodeCertificate({ cn, publicKey, issuer: { cn, key: privateKey } }), privateKey);
}

/** SubjectPublicKeyInfo of an RSA key. @param modulus - as the content of an INTEGER, and so is the exponent */
export function rsaKey(modulus: Buffer, exponent: Buffer): Buffer {
  const key = element(0x30, element(0x02, modulus), element(0x02, exponent));
  return element(0x30, hex('300d06092a864886f70d0101010500'), element(0x03, hex('00'), key));
}

/** An RSA modulus of 2048 bits. */
export function makeModulus(): Buffer {
  const { n = '' } = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
  return Buffer.concat([hex('00'), Buffer.from(n, 'base64url')]);
}

/** What an RSA key of 2048 bits with the exponent 1 takes for a signature: the padded digest. @see RFC 8017 §9.2 */
export function signForExponentOne(signed: Buffer): Buffer {
  const digest = Buffer.concat([
    hex('3031300d060960864801650304020105000420'),
    createHash('sha256').update(signed).digest(),
  ]);
  return Buffer.concat([hex('0001'), Buffer.alloc(256 - 3 - digest.length, 0xff), hex('00'), digest]);
}

function withKey(der: Buffer, key: KeyObject): IssuedCertificate {
  return {
    certPem: pemOf(der),
    keyPem: toPem(key),
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
  return { certPem: certificates.map((one) => pemOf(one)).join(''), keyPem: toPem(leaf.privateKey) };
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
