import { contentOf, type Element, parseElements, tags } from './der.js';

/** What a certificate and a revocation list have in common. OIDs are hex of their DER. */
export interface Signed {
  /** the members of what is signed */
  readonly members: readonly Element[];
  /** the same as it was signed, with its tag and length */
  readonly bytes: Buffer;
  /** the algorithm of the signature */
  readonly algorithm: string;
  readonly signature: Buffer;
}

export interface Extension {
  readonly critical: boolean;
  /** the DER that the OCTET STRING holds */
  readonly value: Buffer;
}

/**
 * Takes apart a certificate or revocation list that OpenSSL has parsed before.
 * @throws RangeError when a part is not where it is due
 * @see RFC 5280 §4.1, §5.1
 */
export function parseSigned(der: Buffer): Signed {
  const [whole] = parseElements(der);
  const parts = contentOf(whole, tags.sequence);
  const [signed, identifier, signature] = parseElements(parts);
  const content = contentOf(signed, tags.sequence);
  const [oid] = parseElements(contentOf(identifier, tags.sequence));
  return {
    members: parseElements(content),
    bytes: parts.subarray(0, content.byteOffset - parts.byteOffset + content.length),
    algorithm: contentOf(oid, tags.oid).toString('hex'),
    // Behind the count of unused bits, which is 0.
    signature: contentOf(signature, tags.bitString).subarray(1),
  };
}

/** Where the members of each have their extensions. */
const extensionsTags = { certificate: 0xa3, list: 0xa0 } as const;

/**
 * @param members - of what is signed
 * @returns by OID; empty when there are none
 * @throws RangeError for anything unexpected, a repeated extension too
 * @see RFC 5280 §4.2, §5.2
 */
export function parseExtensions(
  members: readonly Element[],
  of: keyof typeof extensionsTags,
): ReadonlyMap<string, Extension> {
  const explicit = members.find(({ tag }) => tag === extensionsTags[of]);
  const extensions = new Map<string, Extension>();
  const [sequence] = explicit === undefined ? [] : parseElements(explicit.content);
  for (const one of sequence === undefined ? [] : parseElements(contentOf(sequence, tags.sequence))) {
    const [id, ...rest] = parseElements(contentOf(one, tags.sequence));
    const name = contentOf(id, tags.oid).toString('hex');
    if (extensions.has(name)) throw new RangeError(`extension ${name} twice`);
    const critical = rest.length === 2 && contentOf(rest[0], tags.boolean)[0] !== 0;
    extensions.set(name, { critical, value: contentOf(rest.at(-1), tags.octetString) });
  }
  return extensions;
}
