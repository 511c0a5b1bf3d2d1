import { type KeyObject, sign } from 'node:crypto';

const ecdsaWithSha256 = Buffer.from('300a06082a8648ce3d040302', 'hex');
const commonName = Buffer.from('0603550403', 'hex');

/** A certificate that is written byte by byte, so that any part of it can be wrong. */
export interface Encoded {
  readonly cn: string;
  /** or the DER of a SubjectPublicKeyInfo */
  readonly publicKey: KeyObject | Buffer;
  /** its key, or what signs in place of one */
  readonly issuer: { readonly cn: string; readonly key: KeyObject | ((signed: Buffer) => Buffer) };
  /** as it is encoded: 2 is version 3 */
  readonly version?: number;
  /** DER of each; none: no extensions */
  readonly extensions?: readonly Buffer[];
  readonly notBefore?: Buffer;
  readonly notAfter?: Buffer;
  readonly digest?: string;
  readonly algorithm?: Buffer;
  /** where it is to differ from the one that is signed */
  readonly outerAlgorithm?: Buffer;
  /** bytes that follow inside the outermost sequence */
  readonly behind?: Buffer;
}

export function encodeCertificate(encoded: Encoded): Buffer {
  const { version = 2, extensions = [], digest = 'sha256', algorithm = ecdsaWithSha256 } = encoded;
  const { cn, publicKey, issuer, behind = Buffer.alloc(0), outerAlgorithm = algorithm } = encoded;
  const { notBefore = utcTime('200101000000Z'), notAfter = utcTime('491231235959Z') } = encoded;
  const signed = element(
    0x30,
    element(0xa0, element(0x02, Buffer.from([version]))),
    element(0x02, Buffer.from([1])),
    algorithm,
    nameOf(issuer.cn),
    element(0x30, notBefore, notAfter),
    nameOf(cn),
    Buffer.isBuffer(publicKey) ? publicKey : publicKey.export({ type: 'spki', format: 'der' }),
    ...(extensions.length === 0 ? [] : [element(0xa3, element(0x30, ...extensions))]),
  );
  const { key } = issuer;
  const signature = typeof key === 'function' ? key(signed) : sign(digest, signed, key);
  return element(0x30, signed, outerAlgorithm, element(0x03, Buffer.from([0]), signature), behind);
}

export function pemOf(der: Buffer, label = 'CERTIFICATE'): string {
  return `-----BEGIN ${label}-----\n${der.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END ${label}-----\n`;
}

/** @see ITU-T X.690 §8.1.3: the length in one byte, or in one or two behind their number */
export function element(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const many = length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(length < 0x80 ? [tag, length] : many), content]);
}

function utcTime(text: string): Buffer {
  return element(0x17, Buffer.from(text));
}

function nameOf(cn: string): Buffer {
  return element(0x30, element(0x31, element(0x30, commonName, element(0x0c, Buffer.from(cn)))));
}
