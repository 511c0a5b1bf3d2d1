import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { IssuedCertificate } from './certificates.js';

const spki = { type: 'spki', format: 'der' } as const;
const ecdsaWithSha256 = Buffer.from('06082a8648ce3d040302', 'hex');
const validity = element(
  0x30,
  element(0x17, Buffer.from('200101000000Z')),
  element(0x17, Buffer.from('491231235959Z')),
);
const commonName = Buffer.from('0603550403', 'hex');

/**
 * A self-signed certificate on a curve that WebCrypto does not know, written by hand.
 * @param cn - of subject and issuer: with the name of somebody else's CA it poses as that CA
 */
export function makeOnCurve(namedCurve: string, cn: string): IssuedCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
  const der = signBy({ cn, privateKey }, { cn, publicKey });
  return {
    certPem: toPem(der),
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    der,
    thumbprint: createHash('sha256').update(der).digest('base64url'),
  };
}

/**
 * A chain below nobody, of RSA keys of 3072 bits whose exponents have as many: a hundred times the work of a common key,
 * and the longest that OpenSSL takes. No signature verifies, which does not spare anybody from trying.
 * @param count - of issuers behind the leaf, each named as the one before says
 * @param curve - of the leaf
 */
export function makeDearChain(count: number, curve = 'P-256'): Pick<IssuedCertificate, 'certPem' | 'keyPem'> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: curve });
  const certificates = [publicKey.export(spki), ...Array.from({ length: count }, makeDearKey)].map(
    (key, at) => toPem(forge(`link ${at}`, `link ${at + 1}`, key)),
  );
  return {
    certPem: certificates.join(''),
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/**
 * Authorities each of which has certified the next, and the last the first, and a leaf below the first of them. All
 * signatures verify.
 */
export function makeCircle(names: readonly string[]): {
  readonly leaf: Pick<IssuedCertificate, 'certPem' | 'keyPem'>;
  readonly certPem: string;
} {
  const authorities = names.map((cn) => ({ cn, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) }));
  const certPems = authorities.map((subject, at) =>
    toPem(signBy(authorities.at(at - 1) ?? subject, subject)),
  );
  const leaf = { cn: 'leaf', ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
  const [first = leaf] = authorities;
  return {
    leaf: {
      certPem: toPem(signBy(first, leaf)),
      keyPem: leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    },
    certPem: certPems.join(''),
  };
}

interface Holder {
  readonly cn: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const dearBytes = 3072 / 8;
const sha256WithRsa = element(0x30, Buffer.from('06092a864886f70d01010b0500', 'hex'));
const rsaEncryption = element(0x30, Buffer.from('06092a864886f70d0101010500', 'hex'));

/** @returns a SubjectPublicKeyInfo. @see RFC 8017 §A.1.1 */
function makeDearKey(): Buffer {
  const odd = (first: number) =>
    Buffer.concat([Buffer.from([first]), randomBytes(dearBytes - 2), Buffer.from([0x01])]);
  const modulus = element(0x02, Buffer.from([0]), odd(0xff));
  const exponent = element(0x02, odd(0x7f));
  return element(0x30, rsaEncryption, element(0x03, Buffer.from([0]), element(0x30, modulus, exponent)));
}

/** A certificate with a signature that nobody made. */
function forge(subject: string, issuer: string, key: Buffer): Buffer {
  const signed = toBeSigned({ algorithm: sha256WithRsa, issuer, subject }, key);
  const signature = Buffer.concat([Buffer.from([0, 0]), randomBytes(dearBytes - 1)]);
  return element(0x30, signed, sha256WithRsa, element(0x03, signature));
}

function toPem(der: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}

function nameOf(cn: string): Buffer {
  return element(0x30, element(0x31, element(0x30, commonName, element(0x0c, Buffer.from(cn)))));
}

function signBy(issuer: Omit<Holder, 'publicKey'>, { cn, publicKey }: Omit<Holder, 'privateKey'>): Buffer {
  const algorithm = element(0x30, ecdsaWithSha256);
  const signed = toBeSigned({ algorithm, issuer: issuer.cn, subject: cn }, publicKey.export(spki));
  const signature = sign('sha256', signed, issuer.privateKey);
  return element(0x30, signed, algorithm, element(0x03, Buffer.from([0]), signature));
}

/** @see RFC 5280 §4.1 */
function toBeSigned(
  { algorithm, issuer, subject }: { algorithm: Buffer; issuer: string; subject: string },
  key: Buffer,
): Buffer {
  return element(
    0x30,
    element(0xa0, element(0x02, Buffer.from([2]))),
    element(0x02, Buffer.from([1])),
    algorithm,
    nameOf(issuer),
    validity,
    nameOf(subject),
    key,
  );
}

/** @see ITU-T X.690 §8.1.3: the length in one byte, or in two behind their number */
function element(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 0x80 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}
