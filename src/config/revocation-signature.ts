import { verify, type X509Certificate } from 'node:crypto';
import { contentOf, parseElements, tags } from '../support/der.js';

interface Algorithm {
  /** of the keys that sign so; with another one `verify` throws */
  readonly keyType: 'rsa' | 'ec' | 'ed25519';
  readonly digest: string | null;
}

/** Signature algorithms by the hex of their DER. @see RFC 5754 §3, RFC 8410 §3 */
const algorithms: ReadonlyMap<string, Algorithm> = new Map([
  ['2a864886f70d01010b', { keyType: 'rsa', digest: 'sha256' }],
  ['2a864886f70d01010c', { keyType: 'rsa', digest: 'sha384' }],
  ['2a864886f70d01010d', { keyType: 'rsa', digest: 'sha512' }],
  ['2a8648ce3d040302', { keyType: 'ec', digest: 'sha256' }],
  ['2a8648ce3d040303', { keyType: 'ec', digest: 'sha384' }],
  ['2a8648ce3d040304', { keyType: 'ec', digest: 'sha512' }],
  ['2b6570', { keyType: 'ed25519', digest: null }],
]);

const extensionsTag = 0xa0;
const keyIdentifierTag = 0x80;
const authorityKeyIdentifier = '551d23';

/**
 * Whether a revocation list claims to be of one of these CAs and is not. It would make all their certificates
 * worthless, and OpenSSL finds that out only at the handshakes.
 *
 * @param list - DER that OpenSSL has parsed
 * @param namesakes - CAs with the name of its issuer
 * @returns false also when it cannot be judged here (RSASSA-PSS, old digests), and when it is of another key, by its
 *   authority key identifier: that of an intermediate with the same name, which only clients send
 * @throws RangeError when its parts are not where they are due
 * @see RFC 5280 §5.1.1, §5.2.1
 */
export function isForged(list: Buffer, namesakes: readonly X509Certificate[]): boolean {
  const [whole] = parseElements(list);
  const parts = contentOf(whole, tags.sequence);
  const [signed, identifier, signature] = parseElements(parts);
  const content = contentOf(signed, tags.sequence);
  const [oid] = parseElements(contentOf(identifier, tags.sequence));
  const algorithm = algorithms.get(contentOf(oid, tags.oid).toString('hex'));
  if (algorithm === undefined) return false;
  // With its tag and length, and a signature without the count of unused bits, which is 0.
  const data = parts.subarray(0, content.byteOffset - parts.byteOffset + content.length);
  const bits = contentOf(signature, tags.bitString).subarray(1);
  const signers = namesakes.filter(({ publicKey }) => publicKey.asymmetricKeyType === algorithm.keyType);
  if (signers.some(({ publicKey }) => verify(algorithm.digest, data, publicKey, bits))) return false;
  const keyId = findKeyIdentifier(content);
  return namesakes.some(({ raw }) => keyId === undefined || raw.includes(keyId));
}

/** @param content - of TBSCertList */
function findKeyIdentifier(content: Buffer): Buffer | undefined {
  const explicit = parseElements(content).find(({ tag }) => tag === extensionsTag);
  const [extensions] = explicit === undefined ? [] : parseElements(explicit.content);
  if (extensions === undefined) return undefined;
  for (const one of parseElements(contentOf(extensions, tags.sequence))) {
    const [id, ...rest] = parseElements(contentOf(one, tags.sequence));
    if (contentOf(id, tags.oid).toString('hex') !== authorityKeyIdentifier) continue;
    const [value] = parseElements(contentOf(rest.at(-1), tags.octetString));
    return parseElements(contentOf(value, tags.sequence)).find(({ tag }) => tag === keyIdentifierTag)
      ?.content;
  }
  return undefined;
}
