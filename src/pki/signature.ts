import { constants, type KeyObject, verify } from 'node:crypto';
import { contentOf, type Element, naturalOf, parseElements, tags } from './der.js';
import { type Algorithm, parseAlgorithm, type Signed } from './signed.js';

interface Scheme {
  /** as Node names the type of a key that signs so; with another one `verify` throws */
  readonly keyTypes: readonly string[];
  readonly digest: string | null;
  /** of RSASSA-PSS */
  readonly saltLength?: number;
  /** its digest is broken, so that it only says something about a root, which is trusted for being configured */
  readonly isWeak?: boolean;
}

const rsa = ['rsa'];
/** @see RFC 5754 §3, RFC 8410 §3 */
const schemes: ReadonlyMap<string, Scheme> = new Map([
  ['2a864886f70d01010b', { keyTypes: rsa, digest: 'sha256' }],
  ['2a864886f70d01010c', { keyTypes: rsa, digest: 'sha384' }],
  ['2a864886f70d01010d', { keyTypes: rsa, digest: 'sha512' }],
  ['2a8648ce3d040302', { keyTypes: ['ec'], digest: 'sha256' }],
  ['2a8648ce3d040303', { keyTypes: ['ec'], digest: 'sha384' }],
  ['2a8648ce3d040304', { keyTypes: ['ec'], digest: 'sha512' }],
  ['2b6570', { keyTypes: ['ed25519'], digest: null }],
  ['2a864886f70d010105', { keyTypes: rsa, digest: 'sha1', isWeak: true }],
  ['2a864886f70d010104', { keyTypes: rsa, digest: 'md5', isWeak: true }],
  ['2a864886f70d01010e', { keyTypes: rsa, digest: 'sha224', isWeak: true }],
  ['2a8648ce3d0401', { keyTypes: ['ec'], digest: 'sha1', isWeak: true }],
  ['2a8648ce3d040301', { keyTypes: ['ec'], digest: 'sha224', isWeak: true }],
]);

const rsassaPss = '2a864886f70d01010a';
const mgf1 = '2a864886f70d010108';
const digests: ReadonlyMap<string, string> = new Map([
  ['608648016503040201', 'sha256'],
  ['608648016503040202', 'sha384'],
  ['608648016503040203', 'sha512'],
]);

/** @returns a word for why a signature of this algorithm counts for nothing; undefined when it counts. @throws RangeError */
export function findAlgorithmFault(algorithm: Algorithm): string | undefined {
  const scheme = schemeOf(algorithm);
  if (scheme === undefined) return 'SIGNATURE_ALGORITHM_NOT_SUPPORTED';
  return scheme.isWeak === true ? 'MD_TOO_WEAK' : undefined;
}

/**
 * Whether this key made the signature. Weak digests are verified as well: see `findAlgorithmFault`.
 * @throws RangeError when the parameters of the algorithm cannot be read
 */
export function isSignedBy({ algorithm, bytes, signature }: Signed, key: KeyObject): boolean {
  const scheme = schemeOf(algorithm);
  if (scheme === undefined || !scheme.keyTypes.includes(key.asymmetricKeyType ?? '')) return false;
  try {
    return scheme.saltLength === undefined
      ? verify(scheme.digest, bytes, key, signature)
      : verify(
          scheme.digest,
          bytes,
          { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: scheme.saltLength },
          signature,
        );
  } catch {
    return false; // A key that is bound to other parameters of RSASSA-PSS, or a digest that OpenSSL was built without.
  }
}

function schemeOf({ oid, parameters }: Algorithm): Scheme | undefined {
  if (oid === rsassaPss) return parsePss(parameters);
  const scheme = schemes.get(oid);
  if (scheme === undefined) return undefined;
  // RFC 4055 §5 wants NULL with RSA and takes its absence, RFC 5758 §3.2 and RFC 8410 §3 want none.
  const isNull = parameters?.tag === tags.null && parameters.content.length === 0;
  if (parameters !== undefined && !(isNull && scheme.keyTypes === rsa))
    throw new RangeError('parameters of a signature algorithm');
  return scheme;
}

/** SHA-1 wherever nothing else is said. @see RFC 4055 §3.1 */
function parsePss(parameters: Element | undefined): Scheme {
  const keyTypes = ['rsa', 'rsa-pss'];
  const weak = { keyTypes, digest: 'sha1', saltLength: 20, isWeak: true };
  const members = new Map(
    parameters === undefined
      ? []
      : parseElements(contentOf(parameters, tags.sequence)).map(({ tag, content }) => [tag, content]),
  );
  const [hash, mask, salt] = [members.get(0xa0), members.get(0xa1), members.get(0xa2)];
  if (hash === undefined || mask === undefined) return weak;
  const [hashId] = parseElements(hash);
  const digest = digests.get(parseAlgorithm(hashId).oid);
  const [maskId] = parseElements(mask);
  const generator = parseAlgorithm(maskId);
  const maskDigest = digests.get(parseAlgorithm(generator.parameters).oid);
  if (digest === undefined || generator.oid !== mgf1 || maskDigest !== digest) return weak;
  const [length] = salt === undefined ? [] : parseElements(salt);
  return { keyTypes, digest, saltLength: length === undefined ? 20 : naturalOf(length) };
}
