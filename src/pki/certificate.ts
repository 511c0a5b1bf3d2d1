import { createPublicKey, type KeyObject } from 'node:crypto';
import {
  booleanOf,
  contentOf,
  type Element,
  integerOf,
  naturalOf,
  oidOf,
  parseElements,
  parseOnly,
  parseTime,
  tags,
} from './der.js';
import { findKeyFault } from './keys.js';
import { type NamePart, nameKey, parseName } from './names.js';
import { type Extensions, extensionIds, parseExtensions, parseSigned, type Signed } from './signed.js';

/** A certificate in parts. Nothing in it has been verified. */
export interface Certificate {
  readonly der: Buffer;
  readonly signed: Signed;
  /** hex of the integer */
  readonly serial: string;
  /** comparable: equal texts are equal names */
  readonly issuer: string;
  readonly subject: string;
  readonly subjectParts: readonly NamePart[];
  readonly subjectElement: Element;
  /** ms since the epoch, never NaN */
  readonly notBeforeMs: number;
  /** the first moment at which it no longer holds */
  readonly notAfterMs: number;
  /** SubjectPublicKeyInfo */
  readonly spki: Buffer;
  /** what the rule for keys finds wrong with it; then `key` must not be asked for */
  readonly keyFault: string | undefined;
  /** @throws RangeError when OpenSSL cannot read it: a point that is not on its curve */
  readonly key: () => KeyObject;
  readonly extensions: Extensions;
  /** undefined: it does not say */
  readonly basicConstraints: { readonly ca: boolean; readonly pathLength: number } | undefined;
  /** bits as in RFC 5280 §4.2.1.3, the first one lowest; undefined: it does not say */
  readonly keyUsage: number | undefined;
  /** OIDs, hex of their DER; undefined: it does not say */
  readonly extKeyUsage: readonly string[] | undefined;
}

/** Bits of `keyUsage`. @see RFC 5280 §4.2.1.3 */
export const usages = {
  digitalSignature: 1 << 0,
  keyAgreement: 1 << 4,
  keyCertSign: 1 << 5,
  crlSign: 1 << 6,
} as const;

// The members of a TBSCertificate that may be absent.
const optional = { version: 0xa0, issuerId: 0x81, subjectId: 0x82, extensions: 0xa3 } as const;
const maxSerialBytes = 64;

// The same buffer is judged again and again: an intermediate that is remembered, a certificate of a bundle.
const parsed = new WeakMap<Buffer, Certificate>();

/**
 * Reads a certificate strictly. Does not verify anything in it, and does not look at what its extensions but three say.
 *
 * Fails closed: what is not DER to the last byte, or not what RFC 5280 §4.1 has in that place, is no certificate:
 * another version than 1, 2 or 3, extensions in a version that has none, an extension twice, a time that cannot be read.
 * @throws RangeError that says what cannot be read
 * @see RFC 5280 §4.1, §4.2
 */
export function parseCertificate(der: Buffer): Certificate {
  const known = parsed.get(der);
  if (known !== undefined) return known;
  const certificate = parse(der);
  parsed.set(der, certificate);
  return certificate;
}

function parse(der: Buffer): Certificate {
  const signed = parseSigned(der);
  const { version, rest } = takeVersion(signed.members);
  const [serial, algorithm, issuer, validity, subject, spki, ...more] = rest;
  if (algorithm === undefined || subject === undefined || spki === undefined) throw new RangeError('members');
  if (!algorithm.whole.equals(signed.algorithmDer)) throw new RangeError('two signature algorithms');
  const extensions = parseExtensions(takeExtensions(more, version));
  const serialBytes = integerOf(serial);
  if (serialBytes.length > maxSerialBytes) throw new RangeError('serial number');
  const issuerParts = parseName(issuer);
  if (issuerParts.length === 0) throw new RangeError('no name of the issuer');
  const subjectParts = parseName(subject);
  contentOf(spki, tags.sequence);
  let key: KeyObject | undefined;
  return {
    ...{ der, signed, subjectParts, extensions, ...parseValidity(validity) },
    serial: serialBytes.toString('hex'),
    issuer: nameKey(issuerParts),
    subject: nameKey(subjectParts),
    subjectElement: subject,
    spki: spki.whole,
    keyFault: findKeyFault(spki),
    key: () => {
      key ??= importKey(spki.whole);
      return key;
    },
    basicConstraints: parseBasicConstraints(extensions),
    keyUsage: parseKeyUsage(extensions),
    extKeyUsage: parseExtKeyUsage(extensions),
  };
}

function importKey(spki: Buffer): KeyObject {
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' });
  } catch {
    throw new RangeError('a key that OpenSSL cannot read');
  }
}

function takeVersion(members: readonly Element[]): { version: number; rest: readonly Element[] } {
  const [first, ...rest] = members;
  if (first?.tag !== optional.version) return { version: 1, rest: members };
  const [number, ...more] = parseElements(first.content);
  const version = naturalOf(number) + 1;
  if (more.length > 0) throw new RangeError('version');
  if (version !== 2 && version !== 3) throw new RangeError(`version ${version}`);
  return { version, rest };
}

function takeExtensions(members: readonly Element[], version: number): Element | undefined {
  let last = 0;
  let found: Element | undefined;
  for (const one of members) {
    const isKnown =
      (version >= 2 && (one.tag === optional.issuerId || one.tag === optional.subjectId)) ||
      (version === 3 && one.tag === optional.extensions);
    if (!isKnown || one.tag <= last) throw new RangeError(`member ${one.tag} in version ${version}`);
    last = one.tag;
    if (one.tag !== optional.extensions) continue;
    const [list, ...more] = parseElements(one.content);
    if (list === undefined || list.content.length === 0 || more.length > 0)
      throw new RangeError('extensions');
    found = list;
  }
  return found;
}

function parseValidity(validity: Element | undefined): Pick<Certificate, 'notBeforeMs' | 'notAfterMs'> {
  const [from, to, ...more] = parseElements(contentOf(validity, tags.sequence));
  const [notBeforeMs, lastMs] = [parseTime(from), parseTime(to)];
  if (notBeforeMs === undefined || lastMs === undefined || more.length > 0)
    throw new RangeError('a time that cannot be read');
  return { notBeforeMs, notAfterMs: lastMs };
}

function parseBasicConstraints(extensions: Extensions): Certificate['basicConstraints'] {
  const extension = extensions.get(extensionIds.basicConstraints);
  if (extension === undefined) return undefined;
  const members = parseElements(parseOnly(extension.value, tags.sequence));
  const hasFlag = members[0]?.tag === tags.boolean;
  const ca = hasFlag && booleanOf(members[0]);
  const [length, ...more] = hasFlag ? members.slice(1) : members;
  if (more.length > 0 || (length !== undefined && !ca)) throw new RangeError('basicConstraints');
  return { ca, pathLength: length === undefined ? Number.POSITIVE_INFINITY : naturalOf(length) };
}

function parseKeyUsage(extensions: Extensions): number | undefined {
  const extension = extensions.get(extensionIds.keyUsage);
  if (extension === undefined) return undefined;
  const [unused = 8, ...bytes] = parseOnly(extension.value, tags.bitString);
  const isWhole = bytes.length === 0 ? unused === 0 : unused < 8 && (bytes.at(-1) ?? 0) % 2 ** unused === 0;
  if (!isWhole || bytes.length > 2) throw new RangeError('keyUsage');
  let bits = 0;
  for (const [index, byte] of bytes.entries())
    for (let bit = 0; bit < 8; bit++) if ((byte & (0x80 >> bit)) !== 0) bits |= 1 << (index * 8 + bit);
  return bits;
}

function parseExtKeyUsage(extensions: Extensions): readonly string[] | undefined {
  const extension = extensions.get(extensionIds.extKeyUsage);
  if (extension === undefined) return undefined;
  const purposes = parseElements(parseOnly(extension.value, tags.sequence)).map(oidOf);
  if (purposes.length === 0) throw new RangeError('extKeyUsage');
  return purposes;
}

/** Whether issuer and subject have the same name. @see RFC 5280 §3.2 */
export function isSelfIssued({ issuer, subject }: Certificate): boolean {
  return issuer === subject;
}
