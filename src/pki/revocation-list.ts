import { contentOf, type Element, integerOf, naturalOf, parseElements, parseTime, tags } from './der.js';
import { nameKey, parseName } from './names.js';
import { findAlgorithmFault } from './signature.js';
import {
  type Extensions,
  extensionIds,
  parseAuthorityKey,
  parseExtensions,
  parseSigned,
  type Signed,
} from './signed.js';

/** A certificate revocation list in parts. Its signature has not been verified. */
export interface RevocationList {
  readonly signed: Signed;
  /** comparable */
  readonly issuer: string;
  readonly thisUpdateMs: number;
  /** Infinity where it does not say */
  readonly nextUpdateMs: number;
  /** hex of the CRL number, '' where it has none */
  readonly number: string;
  /** of the key that it says to be signed by */
  readonly authorityKey: Buffer | undefined;
  /** serial numbers that are revoked, hex of the integer */
  readonly serials: ReadonlySet<string>;
}

const extensionsTag = 0xa0;
const certificateIssuer = '551d1d';

/** Extensions that change nothing about what a list revokes. */
const harmless: ReadonlySet<string> = new Set([extensionIds.authorityKeyIdentifier, extensionIds.crlNumber]);
const harmlessOfEntry: ReadonlySet<string> = new Set([extensionIds.reasonCode, extensionIds.invalidityDate]);

/**
 * Reads a complete list of one CA. Does not verify its signature.
 *
 * Fails closed: a list that revokes other than all it names, of all certificates of its issuer, is not used: a delta, one
 * of a part of the certificates, one that names certificates of other CAs, and any with a critical extension that is not
 * understood. An entry that would lift a revocation counts as one.
 * @throws RangeError that says why it cannot be used
 * @see RFC 5280 §5.1, §5.2.4, §5.2.5, §5.3; REQUIREMENTS J18
 */
export function parseRevocationList(der: Buffer): RevocationList {
  const signed = parseSigned(der);
  const members = [...signed.members];
  const hasVersion = members[0]?.tag === tags.integer;
  if (hasVersion && naturalOf(members.shift()) !== 1) throw new RangeError('it is of an unknown version');
  const algorithm = members.shift();
  if (algorithm?.whole.equals(signed.algorithmDer) !== true)
    throw new RangeError('it has two signature algorithms');
  const fault = findAlgorithmFault(signed.algorithm);
  if (fault !== undefined) throw new RangeError(`its signature counts for nothing (${fault})`);
  const issuer = parseName(members.shift());
  const thisUpdateMs = parseTime(members.shift());
  if (thisUpdateMs === undefined) throw new RangeError('its date cannot be read');
  const nextUpdateMs = parseNextUpdate(members);
  const entries = members[0]?.tag === tags.sequence ? members.shift() : undefined;
  const extensions = parseListExtensions(members, hasVersion);
  return {
    ...{ signed, issuer: nameKey(issuer), thisUpdateMs, nextUpdateMs },
    number: parseNumber(extensions),
    authorityKey: parseAuthorityKey(extensions),
    serials: parseEntries(entries),
  };
}

function parseNextUpdate(members: Element[]): number {
  const isTime = members[0]?.tag === tags.utcTime || members[0]?.tag === tags.generalizedTime;
  if (!isTime) return Number.POSITIVE_INFINITY;
  const ms = parseTime(members.shift());
  if (ms === undefined) throw new RangeError('the date of its next update cannot be read');
  return ms;
}

function parseListExtensions([explicit, ...more]: readonly Element[], hasVersion: boolean): Extensions {
  if (explicit === undefined) return new Map();
  const [list, ...behind] = parseElements(contentOf(explicit, extensionsTag));
  if (!hasVersion || more.length > 0 || behind.length > 0) throw new RangeError('it has unknown members');
  const extensions = parseExtensions(list);
  if (extensions.has(extensionIds.deltaCrlIndicator))
    throw new RangeError('it is a delta list, which says nothing without its base: use complete lists');
  if (extensions.has(extensionIds.issuingDistributionPoint))
    throw new RangeError(
      'it is of one distribution point or indirect: use lists for all certificates of a CA',
    );
  for (const [id, { critical }] of extensions)
    if (critical && !harmless.has(id))
      throw new RangeError('it has a critical extension that is not understood');
  return extensions;
}

function parseNumber(extensions: Extensions): string {
  const extension = extensions.get(extensionIds.crlNumber);
  if (extension === undefined) return '';
  const [number, ...more] = parseElements(extension.value);
  if (more.length > 0) throw new RangeError('its number cannot be read');
  return integerOf(number).toString('hex');
}

function parseEntries(list: Element | undefined): ReadonlySet<string> {
  const serials = new Set<string>();
  for (const entry of list === undefined ? [] : parseElements(list.content)) {
    const [serial, date, extensions, ...more] = parseElements(contentOf(entry, tags.sequence));
    if (parseTime(date) === undefined || more.length > 0) throw new RangeError('an entry cannot be read');
    for (const [id, { critical }] of parseExtensions(extensions)) {
      if (id === certificateIssuer)
        throw new RangeError('it names certificates of other CAs (an indirect list)');
      if (critical && !harmlessOfEntry.has(id))
        throw new RangeError('an entry has a critical extension that is not understood');
    }
    serials.add(integerOf(serial).toString('hex'));
  }
  return serials;
}

/** The latest first: by their dates, and of one date by their numbers. */
export function byAge(a: RevocationList, b: RevocationList): number {
  if (a.thisUpdateMs !== b.thisUpdateMs) return b.thisUpdateMs - a.thisUpdateMs;
  return b.number.length - a.number.length || (a.number < b.number ? 1 : a.number > b.number ? -1 : 0);
}
