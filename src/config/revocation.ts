import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { contentOf, parseTime, tags } from '../support/der.js';
import { parseSigned } from '../support/x509.js';
import type { RevocationList } from './config.js';
import type { Context } from './context.js';
import { pemBlocks } from './files.js';
import type { Path } from './path.js';
import { isForged } from './revocation-signature.js';

const versionTag = 0xa0;

interface FoundList extends RevocationList {
  /** DER of what its name consists of */
  readonly issuer: Buffer;
  readonly thisUpdateMs: number;
  readonly der: Buffer;
  /** of the file */
  readonly path: Path;
}

/** A configured CA, and the DER of what its name consists of where that can be read. */
interface NamedCa {
  readonly certificate: X509Certificate;
  readonly name: Buffer | undefined;
}

/**
 * Reads certificate revocation lists. One that is out of date is only warned about, as OpenSSL then refuses whatever
 * its issuer vouches for. OpenSSL verifies their signatures at each handshake, by the key of the issuer.
 *
 * Fails closed: a file without a list, or with one that cannot be read, is a problem, and so are one that a configured CA
 * did not sign although it has its name, and two lists between which OpenSSL would choose by their order.
 * @param path - of the list of names
 * @returns one by one, as Node takes the first of a bundle and ignores the others; latest first
 * @see RFC 5280 §5, §6.3; REQUIREMENTS J15
 */
export function readRevocationLists(
  path: Path,
  names: readonly string[],
  context: Context & { readonly ca: readonly string[] },
): RevocationList[] {
  const found = names.flatMap((name, index) => readFile([...path, index], name, context));
  for (const [index, { issuer, thisUpdateMs }] of found.entries()) {
    const twin = found.slice(0, index).some((one) => isOf(one, issuer) && one.thisUpdateMs === thisUpdateMs);
    if (twin) context.report.problem(path, 'two lists of one issuer and date: only one of them would count');
  }
  if (found.length > 0) {
    const all = context.ca.map((pem) => new X509Certificate(pem));
    const cas = all.map((certificate) => ({ certificate, name: subjectOf(certificate) }));
    reportForged(found, { cas, report: context.report });
    warnOfMissingLists(path, found, { cas, report: context.report });
  }
  return found
    .toSorted((a, b) => b.thisUpdateMs - a.thisUpdateMs)
    .map(({ pem, nextUpdateMs }) => ({ pem, nextUpdateMs }));
}

function readFile(path: Path, name: string, { files, report, nowMs }: Context): FoundList[] {
  const before = report.problems.length;
  const content = files.readText(path, name);
  if (report.problems.length > before) return [];
  const lists = pemBlocks(content, 'X509 CRL')?.map((pem) => parseRevocationList(pem, path)) ?? [];
  const good = lists.filter((list) => list !== undefined);
  if (good.length === 0 || good.length < lists.length) {
    report.problem(path, 'the file does not hold certificate revocation lists in PEM');
    return [];
  }
  for (const { thisUpdateMs, nextUpdateMs } of good) {
    if (nextUpdateMs !== undefined && nextUpdateMs <= nowMs)
      report.warn(
        path,
        `a list is out of date since ${showTime(nextUpdateMs)}: certificates of its issuer do not count`,
      );
    if (thisUpdateMs > nowMs) report.warn(path, `a list is not valid before ${showTime(thisUpdateMs)}`);
  }
  return good;
}

interface Judged extends Pick<Context, 'report'> {
  readonly cas: readonly NamedCa[];
}

function reportForged(found: readonly FoundList[], { cas, report }: Judged): void {
  for (const list of found) {
    const namesakes = cas.filter(({ name }) => name !== undefined && isOf(list, name));
    const certificates = namesakes.map(({ certificate }) => certificate);
    const [one] = namesakes;
    if (one === undefined) continue;
    try {
      if (isForged(list.der, certificates))
        report.problem(list.path, `a list in the name of ${show(one)} is not signed by its key`);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      report.problem(list.path, `a list in the name of ${show(one)} cannot be read: ${error.message}`);
    }
  }
}

// Names are compared byte by byte, OpenSSL forgives more: what it will not find is at most warned about in vain.
function warnOfMissingLists(path: Path, found: readonly FoundList[], { cas, report }: Judged): void {
  for (const ca of cas) {
    const { name } = ca;
    if (name === undefined || !found.some((list) => isOf(list, name)))
      report.warn(path, `no list of ${show(ca)}: certificates of this CA do not count`);
  }
}

function isOf({ issuer }: FoundList, name: Buffer): boolean {
  return issuer.equals(name);
}

/** @returns undefined when OpenSSL or we cannot read it */
function parseRevocationList(pem: string, path: Path): FoundList | undefined {
  try {
    createSecureContext({ crl: pem });
    const der = Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64');
    // TBSCertList: version, signature, issuer, thisUpdate, nextUpdate, … of which version and nextUpdate may be absent.
    const members = parseSigned(der).members.filter(({ tag }, index) => index > 0 || tag !== tags.integer);
    const [, name, thisUpdate, nextUpdate] = members;
    const issuer = contentOf(name, tags.sequence);
    const thisUpdateMs = parseTime(thisUpdate);
    return thisUpdateMs === undefined
      ? undefined
      : { pem, der, path, issuer, thisUpdateMs, nextUpdateMs: parseTime(nextUpdate) };
  } catch {
    return undefined;
  }
}

/**
 * TBSCertificate: version, serial number, signature, issuer, validity, subject, … of which version may be absent.
 * @returns DER of what the name consists of; undefined when OpenSSL can read it and we cannot
 */
function subjectOf({ raw }: X509Certificate): Buffer | undefined {
  try {
    const { members } = parseSigned(raw);
    return contentOf(members[members[0]?.tag === versionTag ? 5 : 4], tags.sequence);
  } catch {
    return undefined;
  }
}

function show({ certificate: { subject } }: NamedCa): string {
  return subject.replaceAll('\n', ', ');
}

function showTime(ms: number): string {
  return new Date(ms).toISOString();
}
