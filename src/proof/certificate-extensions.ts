import { contentOf, parseElements, tags } from '../support/der.js';
import { type Extension, parseExtensions, parseSigned } from '../support/x509.js';

/** What path validation needs of a certificate and `X509Certificate` of Node does not tell. OIDs are hex of their DER. */
export interface CertificateDetails {
  /** the algorithm of the issuer's signature */
  readonly signatureAlgorithm: string;
  readonly extensions: ReadonlyMap<string, Extension>;
}

/** Object identifiers of certificate extensions. @see RFC 5280 §4.2.1 */
export const extensionIds = {
  keyUsage: '551d0f',
  subjectAltName: '551d11',
  basicConstraints: '551d13',
  nameConstraints: '551d1e',
  policyConstraints: '551d24',
  certificatePolicies: '551d20',
  extKeyUsage: '551d25',
} as const;

/**
 * Reads the extensions of a certificate that OpenSSL has parsed before.
 *
 * Fails closed: anything unexpected throws, a repeated extension too; the caller takes that for a certificate that
 * cannot be judged.
 * @param der - as `X509Certificate.raw`
 * @see RFC 5280 §4.1; X.690 §8
 */
export function parseCertificateDetails(der: Buffer): CertificateDetails {
  const { members, algorithm } = parseSigned(der);
  return { signatureAlgorithm: algorithm, extensions: parseExtensions(members, 'certificate') };
}

/**
 * @param value - of the extension basicConstraints
 * @returns how many intermediate CAs may follow; Infinity where it does not say
 * @see RFC 5280 §4.2.1.9
 */
export function parsePathLength(value: Buffer): number {
  const [constraints] = parseElements(value);
  const length = parseElements(contentOf(constraints, tags.sequence)).find(({ tag }) => tag === tags.integer);
  if (length === undefined) return Number.POSITIVE_INFINITY;
  return length.content.length === 1 ? (length.content[0] ?? 0) : 0;
}

/**
 * @param value - of the extension keyUsage
 * @returns whether its key may sign, or agree on keys: what a TLS client does with it
 * @see RFC 5280 §4.2.1.3
 */
export function isForTlsClients(value: Buffer): boolean {
  const [bits] = parseElements(value);
  const digitalSignature = 0x80;
  const keyAgreement = 0x08;
  return ((contentOf(bits, tags.bitString)[1] ?? 0) & (digitalSignature | keyAgreement)) !== 0;
}
