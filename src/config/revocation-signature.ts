import { verify, type X509Certificate } from 'node:crypto';
import { contentOf, parseElements, tags } from '../support/der.js';
import { type Extension, parseExtensions, parseSigned } from '../support/x509.js';

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

const subjectKeyIdentifier = '551d0e';
const authorityKeyIdentifier = '551d23';
const keyIdentifierTag = 0x80;

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
  const { members, bytes, algorithm, signature } = parseSigned(list);
  const known = algorithms.get(algorithm);
  if (known === undefined) return false;
  const signers = namesakes.filter(({ publicKey }) => publicKey.asymmetricKeyType === known.keyType);
  if (signers.some(({ publicKey }) => verify(known.digest, bytes, publicKey, signature))) return false;
  const keyId = keyOfAuthority(parseExtensions(members, 'list').get(authorityKeyIdentifier));
  return keyId === undefined || namesakes.some(({ raw }) => keyOfSubject(raw)?.equals(keyId));
}

/** @returns undefined when it does not name the key by an identifier */
function keyOfAuthority(extension: Extension | undefined): Buffer | undefined {
  if (extension === undefined) return undefined;
  const [value] = parseElements(extension.value);
  return parseElements(contentOf(value, tags.sequence)).find(({ tag }) => tag === keyIdentifierTag)?.content;
}

function keyOfSubject(certificate: Buffer): Buffer | undefined {
  const extensions = parseExtensions(parseSigned(certificate).members, 'certificate');
  const extension = extensions.get(subjectKeyIdentifier);
  const [value] = extension === undefined ? [] : parseElements(extension.value);
  return value && contentOf(value, tags.octetString);
}
