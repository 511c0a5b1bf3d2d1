import './reflect-metadata.js';
import { createHash, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const keyAlgorithm = { name: 'ECDSA', namedCurve: 'P-256' };
const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' };
const dayMs = 24 * 60 * 60 * 1000;

/** What to put into a certificate. */
export interface CertificateRequest {
  /** common name of the subject */
  readonly cn: string;
  /** who will present it; decides the extended key usage */
  readonly usage: 'client' | 'server';
  /** DNS names and IP addresses of a server; an address is recognised by its form */
  readonly san?: readonly string[];
  /** in place of these, the extension as it is to be encoded */
  readonly encodedSan?: Uint8Array;
  /** default: an hour ago */
  readonly notBefore?: Date;
  /** default: in a day */
  readonly notAfter?: Date;
}

/** A certificate with its private key, made for one run. */
export interface IssuedCertificate {
  readonly certPem: string;
  /** PKCS #8 */
  readonly keyPem: string;
  readonly der: Buffer;
  /** base64url SHA-256 of the DER encoding. @see RFC 8705 §3.1 */
  readonly thumbprint: string;
}

/** A certificate authority that lives as long as the run. */
export interface Ca {
  /** its own certificate, for the trust stores of the others */
  readonly certPem: string;
  issue(request: CertificateRequest): Promise<IssuedCertificate>;
  /** An intermediate CA below this one. */
  issueCa(request: CaRequest): Promise<Ca>;
  /** Another certificate for its name and its key, by the same issuer. */
  renew(dates: Omit<CaRequest, 'cn'>): Promise<Ca>;
  /** A revocation list in PEM. @see RFC 5280 §5 */
  revoke(revoked: readonly IssuedCertificate[], shape?: ListShape): Promise<string>;
}

export interface CaRequest {
  readonly cn?: string;
  /** default: an hour ago */
  readonly notBefore?: Date;
  /** default: in a day */
  readonly notAfter?: Date;
}

export interface ListShape {
  /** default: a minute ago */
  readonly thisUpdate?: Date;
  /** default: in a day; null: not said */
  readonly nextUpdate?: Date | null;
  readonly extensions?: readonly x509.Extension[];
}

/** Makes a certificate that only its own key vouches for. */
export async function makeSelfSigned(request: CertificateRequest): Promise<IssuedCertificate> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(request),
    name: nameOf(request.cn),
    keys,
    signingAlgorithm,
    extensions: [...(await endEntityExtensions(request, keys)), ...subjectAlternativeName(request)],
  });
  return withKey(certificate, keys);
}

/** Makes a certificate authority (P-256) that is known to nobody else; its key never leaves this process. */
export async function makeCa(request: CaRequest = {}): Promise<Ca> {
  const keys = await generateKeys();
  return createCa(request, keys, undefined);
}

/** The same certificate, but not as its CA has signed it: the last byte of the signature is another. */
export function forge(certificate: IssuedCertificate): IssuedCertificate {
  const der = Buffer.from(certificate.der);
  der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1);
  return identify(new x509.X509Certificate(der), certificate.keyPem);
}

async function createCa(
  { cn = 'Holdfast test CA', ...dates }: CaRequest,
  keys: webcrypto.CryptoKeyPair,
  parent: SigningCa | undefined,
): Promise<Ca> {
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity(dates),
    subject: nameOf(cn),
    issuer: parent?.certificate.subject ?? nameOf(cn),
    publicKey: keys.publicKey,
    signingKey: parent?.signingKey ?? keys.privateKey,
    signingAlgorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, parent === undefined ? 1 : 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const self = { certificate, signingKey: keys.privateKey };
  return {
    certPem: toPem(certificate),
    issue: (request) => issue(request, self),
    issueCa: async (request) => createCa(request, await generateKeys(), self),
    renew: (dates) => createCa({ cn, ...dates }, keys, parent),
    revoke: (revoked, shape = {}) => revoke(revoked, shape, self),
  };
}

interface SigningCa {
  readonly certificate: x509.X509Certificate;
  readonly signingKey: webcrypto.CryptoKey;
}

async function revoke(
  revoked: readonly IssuedCertificate[],
  {
    thisUpdate = new Date(Date.now() - 60_000),
    nextUpdate = new Date(Date.now() + dayMs),
    extensions = [],
  }: ListShape,
  { certificate, signingKey }: SigningCa,
): Promise<string> {
  const list = await x509.X509CrlGenerator.create({
    ...{ thisUpdate, signingAlgorithm, signingKey },
    ...(nextUpdate && { nextUpdate }),
    issuer: certificate.subject,
    extensions: [...extensions],
    entries: revoked.map(({ der }) => ({
      serialNumber: new x509.X509Certificate(der).serialNumber,
      revocationDate: thisUpdate,
    })),
  });
  // The label of RFC 7468 §6, which is the one that OpenSSL knows.
  return `${x509.PemConverter.encode(list.rawData, 'X509 CRL')}\n`;
}

async function issue(request: CertificateRequest, ca: SigningCa): Promise<IssuedCertificate> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity(request),
    subject: nameOf(request.cn),
    issuer: ca.certificate.subject,
    publicKey: keys.publicKey,
    signingKey: ca.signingKey,
    signingAlgorithm,
    extensions: [
      ...(await endEntityExtensions(request, keys)),
      await x509.AuthorityKeyIdentifierExtension.create(ca.certificate),
      ...subjectAlternativeName(request),
    ],
  });
  return withKey(certificate, keys);
}

async function endEntityExtensions(
  { usage }: CertificateRequest,
  keys: webcrypto.CryptoKeyPair,
): Promise<x509.Extension[]> {
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([usage === 'server' ? serverAuth : clientAuth]),
    await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
  ];
}

async function withKey(
  certificate: x509.X509Certificate,
  keys: webcrypto.CryptoKeyPair,
): Promise<IssuedCertificate> {
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return identify(certificate, `${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`);
}

function identify(certificate: x509.X509Certificate, keyPem: string): IssuedCertificate {
  const der = Buffer.from(certificate.rawData);
  const thumbprint = createHash('sha256').update(der).digest('base64url');
  return { certPem: toPem(certificate), keyPem, der, thumbprint };
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify']);
}

function validity({ notBefore, notAfter }: Pick<CertificateRequest, 'notBefore' | 'notAfter'>): {
  notBefore: Date;
  notAfter: Date;
} {
  const now = Date.now();
  return { notBefore: notBefore ?? new Date(now - dayMs / 24), notAfter: notAfter ?? new Date(now + dayMs) };
}

// The structured form, so that a comma or an equals sign in a name stays part of the name.
function nameOf(cn: string): x509.JsonName {
  return [{ CN: [cn] }];
}

function subjectAlternativeName({ san: names = [], encodedSan }: CertificateRequest): x509.Extension[] {
  if (encodedSan !== undefined) return [new x509.Extension('2.5.29.17', false, encodedSan)];
  if (names.length === 0) return [];
  return [
    new x509.SubjectAlternativeNameExtension(
      names.map((value) => ({
        type: /^[\d.]+$|^[\dA-Fa-f:]+$/.test(value) ? ('ip' as const) : ('dns' as const),
        value,
      })),
    ),
  ];
}

function toPem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}
