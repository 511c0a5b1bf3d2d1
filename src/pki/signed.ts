import { booleanOf, contentOf, type Element, oidOf, parseElements, parseOnly, tags } from './der.js';

/** An algorithm and the DER of its parameters; undefined when it has none. @see RFC 5280 §4.1.1.2 */
export interface Algorithm {
  /** hex of its DER */
  readonly oid: string;
  readonly parameters: Element | undefined;
}

/** What a certificate and a revocation list have in common. */
export interface Signed {
  /** the members of what is signed */
  readonly members: readonly Element[];
  /** the same as it was signed, with its tag and length */
  readonly bytes: Buffer;
  readonly algorithm: Algorithm;
  /** as a whole element, to be held against the second one inside */
  readonly algorithmDer: Buffer;
  readonly signature: Buffer;
}

export interface Extension {
  readonly critical: boolean;
  /** the DER that the OCTET STRING holds */
  readonly value: Buffer;
}

/** Object identifiers of extensions, hex of their DER. @see RFC 5280 §4.2, §5.2, §5.3 */
export const extensionIds = {
  subjectKeyIdentifier: '551d0e',
  keyUsage: '551d0f',
  subjectAltName: '551d11',
  basicConstraints: '551d13',
  crlNumber: '551d14',
  reasonCode: '551d15',
  invalidityDate: '551d18',
  deltaCrlIndicator: '551d1b',
  issuingDistributionPoint: '551d1c',
  nameConstraints: '551d1e',
  certificatePolicies: '551d20',
  authorityKeyIdentifier: '551d23',
  policyConstraints: '551d24',
  extKeyUsage: '551d25',
} as const;

export type Extensions = ReadonlyMap<string, Extension>;

/**
 * Takes apart a certificate or revocation list.
 * @throws RangeError when a part is not where it is due, or anything follows
 * @see RFC 5280 §4.1, §5.1
 */
export function parseSigned(der: Buffer): Signed {
  const [signed, identifier, signature, ...more] = parseElements(parseOnly(der, tags.sequence));
  if (signed === undefined || identifier === undefined || more.length > 0) throw new RangeError('parts');
  const bits = contentOf(signature, tags.bitString);
  if (bits[0] !== 0) throw new RangeError('signature of other than whole bytes');
  return {
    members: parseElements(contentOf(signed, tags.sequence)),
    bytes: signed.whole,
    algorithm: parseAlgorithm(identifier),
    algorithmDer: identifier.whole,
    signature: bits.subarray(1),
  };
}

/** @throws RangeError */
export function parseAlgorithm(element: Element | undefined): Algorithm {
  const [id, parameters, ...more] = parseElements(contentOf(element, tags.sequence));
  if (more.length > 0) throw new RangeError('algorithm identifier');
  return { oid: oidOf(id), parameters };
}

/**
 * @param list - the element Extensions; undefined: none
 * @throws RangeError for anything unexpected, a repeated extension too
 * @see RFC 5280 §4.2, §5.2
 */
export function parseExtensions(list: Element | undefined): Extensions {
  const extensions = new Map<string, Extension>();
  if (list === undefined) return extensions;
  for (const one of parseElements(contentOf(list, tags.sequence))) {
    const parts = parseElements(contentOf(one, tags.sequence));
    const name = oidOf(parts[0]);
    if (parts.length < 2 || parts.length > 3) throw new RangeError(`extension ${name}`);
    if (extensions.has(name)) throw new RangeError(`extension ${name} twice`);
    extensions.set(name, {
      critical: parts.length === 3 && booleanOf(parts[1]),
      value: contentOf(parts.at(-1), tags.octetString),
    });
  }
  return extensions;
}

const keyIdentifierTag = 0x80;

/** @returns undefined when it does not name the key by an identifier. @throws RangeError. @see RFC 5280 §4.2.1.1 */
export function parseAuthorityKey(extensions: Extensions): Buffer | undefined {
  const extension = extensions.get(extensionIds.authorityKeyIdentifier);
  return (
    extension &&
    parseElements(parseOnly(extension.value, tags.sequence)).find(({ tag }) => tag === keyIdentifierTag)
      ?.content
  );
}
