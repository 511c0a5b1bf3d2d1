import { isSmallOrderPoint } from '../jws/ed25519.js';
import {
  bytesOf,
  contentOf,
  type Element,
  integerOf,
  naturalOf,
  oidOf,
  parseElements,
  parseOnly,
  tags,
} from './der.js';
import { parseAlgorithm } from './signed.js';

const rsaEncryption = '2a864886f70d010101';
const rsassaPss = '2a864886f70d01010a';
const ecPublicKey = '2a8648ce3d0201';
const ed25519 = '2b6570';

/** Named curves and the bytes of a coordinate: P-256, P-384, P-521. @see RFC 5480 §2.1.1.1 */
const curves: ReadonlyMap<string, number> = new Map([
  ['2a8648ce3d030107', 32],
  ['2b81040022', 48],
  ['2b81040023', 66],
]);

const minRsaBits = 2048;
// A signature of a longer one costs more than a stranger should be able to ask for.
const maxRsaBits = 8192;
const rsaExponent = 65_537;

/**
 * The one rule for keys in certificates: RSA of 2048 to 8192 bits with the exponent 65537, the named curves P-256, P-384
 * and P-521, and Ed25519. By the DER alone, so that OpenSSL never sees a key that it would spend long on or fail with.
 * Does not check that a point is on its curve, which OpenSSL does.
 * @param spki - SubjectPublicKeyInfo
 * @returns a word for what is wrong with it
 * @throws RangeError when it cannot be read
 * @see RFC 5280 §4.1.2.7; RFC 5480 §2.1.1; RFC 8410 §4; NIST SP 800-131A; REQUIREMENTS J19
 */
export function findKeyFault(spki: Element): string | undefined {
  const [identifier, bits, ...more] = parseElements(contentOf(spki, tags.sequence));
  if (more.length > 0) throw new RangeError('public key');
  const { oid, parameters } = parseAlgorithm(identifier);
  const key = bytesOf(bits);
  switch (oid) {
    case rsaEncryption:
      if (parameters?.tag !== tags.null) throw new RangeError('parameters of an RSA key');
      return findRsaFault(key);
    case rsassaPss:
      return findRsaFault(key);
    case ecPublicKey:
      return findEcFault(parameters, key);
    case ed25519:
      if (parameters !== undefined || key.length !== 32) throw new RangeError('Ed25519 key');
      return isSmallOrderPoint(key) ? 'KEY_OF_SMALL_ORDER' : undefined;
    default:
      return 'KEY_TYPE_NOT_SUPPORTED';
  }
}

function findRsaFault(key: Buffer): string | undefined {
  const [first, second, ...more] = parseElements(parseOnly(key, tags.sequence));
  const modulus = integerOf(first);
  if (more.length > 0 || (modulus[0] ?? 0) >= 0x80) throw new RangeError('RSA key');
  const exponent = naturalOf(second);
  const number = modulus[0] === 0 ? modulus.subarray(1) : modulus;
  const bits = number.length * 8 - Math.clz32(number[0] ?? 0) + 24;
  if (bits < minRsaBits) return 'KEY_TOO_SMALL';
  if (bits > maxRsaBits) return 'KEY_TOO_LARGE';
  if (exponent !== rsaExponent) return 'KEY_EXPONENT_NOT_65537';
  if (((number.at(-1) ?? 0) & 1) === 0) return 'KEY_MODULUS_EVEN';
  return isRoca(number) ? 'KEY_IS_ROCA' : undefined;
}

function findEcFault(parameters: Element | undefined, point: Buffer): string | undefined {
  if (parameters?.tag === tags.sequence) return 'KEY_CURVE_PARAMETERS_EXPLICIT';
  const bytes = curves.get(oidOf(parameters));
  if (bytes === undefined) return 'KEY_CURVE_NOT_SUPPORTED';
  const isCompressed = point[0] === 2 || point[0] === 3;
  const isPoint = isCompressed
    ? point.length === 1 + bytes
    : point[0] === 4 && point.length === 1 + 2 * bytes;
  if (!isPoint) throw new RangeError('point of a curve');
  return undefined;
}

const rocaPrimes = [
  ...[3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103],
  ...[107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167],
];

/** For each prime what the moduli of the flawed library leave: the powers of 65537. */
const rocaResidues = rocaPrimes.map((prime) => {
  const residues = new Set<number>();
  for (let power = 1; !residues.has(power); power = (power * rsaExponent) % prime) residues.add(power);
  return { prime, residues };
});

/**
 * Whether an RSA modulus is from the library whose private keys can be computed (CVE-2017-15361). By chance one of 2^50
 * others looks so.
 * @see Nemec et al., The Return of Coppersmith's Attack, 2017, §3
 */
function isRoca(modulus: Buffer): boolean {
  return rocaResidues.every(({ prime, residues }) =>
    residues.has(modulus.reduce((rest, byte) => (rest * 256 + byte) % prime, 0)),
  );
}
