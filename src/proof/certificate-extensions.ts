/** What path validation needs of a certificate and `X509Certificate` of Node does not tell. OIDs are hex of their DER. */
export interface CertificateDetails {
  /** the algorithm of the issuer's signature */
  readonly signatureAlgorithm: string;
  readonly extensions: ReadonlyMap<string, Extension>;
}

export interface Extension {
  readonly critical: boolean;
  /** the DER that the OCTET STRING holds */
  readonly value: Buffer;
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

const tags = { boolean: 0x01, integer: 0x02, bitString: 0x03, octetString: 0x04, oid: 0x06, sequence: 0x30 };
const extensionsTag = 0xa3;

interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

/**
 * Reads the extensions of a certificate that OpenSSL has parsed before.
 *
 * Fails closed: anything unexpected throws, a repeated extension too; the caller takes that for a certificate that
 * cannot be judged.
 * @param der - as `X509Certificate.raw`
 * @see RFC 5280 §4.1; X.690 §8
 */
export function parseCertificateDetails(der: Buffer): CertificateDetails {
  const [certificate] = readElements(der);
  const [tbs, algorithm] = readElements(contentOf(certificate, tags.sequence));
  const [oid] = readElements(contentOf(algorithm, tags.sequence));
  const list = readElements(contentOf(tbs, tags.sequence)).find(({ tag }) => tag === extensionsTag);
  const extensions = new Map<string, Extension>();
  const [sequence] = list === undefined ? [] : readElements(list.content);
  for (const one of sequence === undefined ? [] : readElements(contentOf(sequence, tags.sequence))) {
    const [id, ...rest] = readElements(contentOf(one, tags.sequence));
    const name = contentOf(id, tags.oid).toString('hex');
    if (extensions.has(name)) throw new RangeError(`extension ${name} twice`);
    const critical = rest.length === 2 && contentOf(rest[0], tags.boolean)[0] !== 0;
    extensions.set(name, { critical, value: contentOf(rest.at(-1), tags.octetString) });
  }
  return { signatureAlgorithm: contentOf(oid, tags.oid).toString('hex'), extensions };
}

/**
 * @param value - of the extension basicConstraints
 * @returns how many intermediate CAs may follow; Infinity where it does not say
 * @see RFC 5280 §4.2.1.9
 */
export function parsePathLength(value: Buffer): number {
  const [constraints] = readElements(value);
  const length = readElements(contentOf(constraints, tags.sequence)).find(({ tag }) => tag === tags.integer);
  if (length === undefined) return Number.POSITIVE_INFINITY;
  return length.content.length === 1 ? (length.content[0] ?? 0) : 0;
}

/**
 * @param value - of the extension keyUsage
 * @returns whether its key may sign, or agree on keys: what a TLS client does with it
 * @see RFC 5280 §4.2.1.3
 */
export function isForTlsClients(value: Buffer): boolean {
  const [bits] = readElements(value);
  const digitalSignature = 0x80;
  const keyAgreement = 0x08;
  return ((contentOf(bits, tags.bitString)[1] ?? 0) & (digitalSignature | keyAgreement)) !== 0;
}

function contentOf(element: Element | undefined, tag: number): Buffer {
  if (element?.tag !== tag) throw new RangeError(`tag ${element?.tag} where ${tag} is due`);
  return element.content;
}

/** Single-byte tags and definite lengths: all that certificates consist of. */
function readElements(bytes: Buffer): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes.readUInt8(at);
    const first = bytes.readUInt8(at + 1);
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    if (lengthBytes > 3 || first === 0x80) throw new RangeError('length of an element');
    const start = at + 2 + lengthBytes;
    const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
    const end = start + length;
    if (end > bytes.length) throw new RangeError('an element is cut off');
    elements.push({ tag, content: bytes.subarray(start, end) });
    at = end;
  }
  return elements;
}
