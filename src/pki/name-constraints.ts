import type { Certificate } from './certificate.js';
import { type Element, parseElements, parseOnly, tags } from './der.js';
import { emailsOf, type NamePart, parseName } from './names.js';
import { extensionIds } from './signed.js';

/** Kinds of GeneralName, by number. @see RFC 5280 §4.2.1.6 */
const kinds = { email: 1, dns: 2, directory: 4, uri: 6, ip: 7 } as const;

interface GeneralName {
  readonly kind: number;
  readonly content: Buffer;
}

interface Constraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

const permittedTag = 0xa0;
const excludedTag = 0xa1;

/**
 * Holds the names of a certificate against what a CA above it may vouch for.
 *
 * Fails closed: constraints on a kind of name that is not compared here, where the certificate has such a name.
 * @param ca - that may have nameConstraints
 * @param below - a certificate of the path below it
 * @returns OpenSSL's code; undefined where nothing is wrong
 * @throws RangeError when names or constraints cannot be read
 * @see RFC 5280 §4.2.1.10, §6.1.3 (b) and (c)
 */
export function findNameFault(ca: Certificate, below: Certificate): string | undefined {
  const extension = ca.extensions.get(extensionIds.nameConstraints);
  if (extension === undefined) return undefined;
  const { permitted, excluded } = parseConstraints(extension.value);
  for (const name of namesOf(below)) {
    const ofKind = (one: GeneralName) => one.kind === name.kind;
    if (excluded.some((one) => ofKind(one) && isWithin(name, one) !== false)) return 'EXCLUDED_VIOLATION';
    const allowed = permitted.filter(ofKind);
    if (allowed.length > 0 && !allowed.some((one) => isWithin(name, one) === true))
      return 'PERMITTED_VIOLATION';
  }
  return undefined;
}

function parseConstraints(value: Buffer): Constraints {
  const found = { permitted: [] as GeneralName[], excluded: [] as GeneralName[] };
  const lists = parseElements(parseOnly(value, tags.sequence));
  if (lists.length === 0) throw new RangeError('nameConstraints without any');
  for (const { tag, content } of lists) {
    if (tag !== permittedTag && tag !== excludedTag) throw new RangeError('nameConstraints');
    for (const subtree of parseElements(content)) {
      if (subtree.tag !== tags.sequence) throw new RangeError('nameConstraints');
      const [base, ...more] = parseElements(subtree.content);
      // minimum is 0, which DER leaves out, and maximum is absent.
      if (base === undefined || more.length > 0)
        throw new RangeError('nameConstraints with a minimum or maximum');
      found[tag === permittedTag ? 'permitted' : 'excluded'].push(generalName(base));
    }
  }
  return found;
}

function* namesOf(certificate: Certificate): Generator<GeneralName> {
  const { extensions, subjectElement } = certificate;
  if (subjectElement.content.length > 0) yield { kind: kinds.directory, content: subjectElement.whole };
  const extension = extensions.get(extensionIds.subjectAltName);
  const names =
    extension === undefined ? [] : parseElements(parseOnly(extension.value, tags.sequence)).map(generalName);
  yield* names;
  for (const email of emailsOf(subjectElement))
    yield { kind: kinds.email, content: Buffer.from(email, 'latin1') };
}

function generalName({ tag, content }: Element): GeneralName {
  if ((tag & 0xc0) !== 0x80) throw new RangeError('general name');
  return { kind: tag & 0x1f, content };
}

/** @returns undefined where the kind of name is not compared here */
function isWithin({ kind, content }: GeneralName, base: GeneralName): boolean | undefined {
  switch (kind) {
    case kinds.dns:
      return isWithinDomain(text(content), text(base.content));
    case kinds.email:
      return isEmailWithin(text(content), text(base.content));
    case kinds.uri:
      return isUriWithin(text(content), text(base.content));
    case kinds.ip:
      return isAddressWithin(content, base.content);
    case kinds.directory:
      return isNameWithin(directory(content), directory(base.content));
    default:
      return undefined;
  }
}

/** A DNS name, an email or a URI, to be compared without regard to case. */
function text(content: Buffer): string {
  const value = content.toString('latin1');
  if (!/^[\x21-\x7e]*$/.test(value)) throw new RangeError('a name that is not ASCII');
  return value.toLowerCase();
}

function directory(content: Buffer): readonly NamePart[] {
  const [name, ...more] = parseElements(content);
  if (more.length > 0) throw new RangeError('directory name');
  return parseName(name);
}

/** The domain itself and what is below it. Some CAs write a dot before it, which then means only what is below it. */
function isWithinDomain(name: string, base: string): boolean {
  if (base === '') return true;
  return base.startsWith('.') ? name.endsWith(base) : name === base || name.endsWith(`.${base}`);
}

/** A mailbox, all mailboxes of a host, or with a dot of all hosts below a domain. */
function isEmailWithin(name: string, base: string): boolean {
  const host = name.slice(name.lastIndexOf('@') + 1);
  if (base.includes('@')) return name === base;
  return isHostWithin(host, base);
}

/** @returns undefined where it has no host by a name, which is the CA's to avoid */
function isUriWithin(uri: string, base: string): boolean | undefined {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/.exec(uri)?.[1];
  const host = authority?.slice(authority.lastIndexOf('@') + 1).replace(/:\d*$/, '');
  if (host === undefined || host === '' || /^\[|^[\d.]+$/.test(host)) return undefined;
  return isHostWithin(host, base);
}

function isHostWithin(host: string, base: string): boolean {
  if (base === '') return true;
  return base.startsWith('.') ? host.endsWith(base) : host === base;
}

function isAddressWithin(address: Buffer, base: Buffer): boolean {
  if (base.length !== 8 && base.length !== 32) throw new RangeError('range of addresses');
  const half = base.length / 2;
  if (address.length !== half) return false;
  return address.every((byte, index) => {
    const mask = base[half + index] ?? 0xff;
    return (byte & mask) === ((base[index] ?? 0) & mask);
  });
}

function isNameWithin(name: readonly NamePart[], base: readonly NamePart[]): boolean {
  return base.every((part, index) => part === name[index]);
}
