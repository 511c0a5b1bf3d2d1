import { verify, type X509Certificate } from 'node:crypto';
import { contentOf, parseElements, tags } from '../support/der.js';

/** Signature algorithms by the hex of their DER, and their digests. @see RFC 5754 §3, RFC 8410 §3 */
const digests: ReadonlyMap<string, string | null> = new Map([
  ['2a864886f70d01010b', 'sha256'],
  ['2a864886f70d01010c', 'sha384'],
  ['2a864886f70d01010d', 'sha512'],
  ['2a8648ce3d040302', 'sha256'],
  ['2a8648ce3d040303', 'sha384'],
  ['2a8648ce3d040304', 'sha512'],
  ['2b6570', null],
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
  const [signed, algorithm, signature] = parseElements(parts);
  const content = contentOf(signed, tags.sequence);
  const [oid] = parseElements(contentOf(algorithm, tags.sequence));
  const digest = digests.get(contentOf(oid, tags.oid).toString('hex'));
  if (digest === undefined) return false;
  // With its tag and length, and a signature without the count of unused bits, which is 0.
  const data = parts.subarray(0, content.byteOffset - parts.byteOffset + content.length);
  const bits = contentOf(signature, tags.bitString).subarray(1);
  if (namesakes.some(({ publicKey }) => verify(digest, data, publicKey, bits))) return false;
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
