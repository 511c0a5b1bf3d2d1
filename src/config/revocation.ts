import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { type Certificate, parseCertificate } from '../pki/certificate.js';
import { derOf, pemBlocks } from '../pki/pem.js';
import { byAge, type RevocationList as ParsedList, parseRevocationList } from '../pki/revocation-list.js';
import { isListOf, maySignLists } from '../pki/revocations.js';
import { extensionIds } from '../pki/signed.js';
import type { RevocationList } from './config.js';
import type { Context } from './context.js';
import type { Path } from './path.js';

interface FoundList {
  readonly pem: string;
  readonly list: ParsedList;
  /** of the file */
  readonly path: Path;
}

/** A configured CA. */
interface Ca {
  readonly certificate: Certificate;
  readonly shown: string;
}

interface Judged extends Pick<Context, 'report'> {
  readonly cas: readonly Ca[];
}

/**
 * Reads certificate revocation lists. One that is out of date is only warned about, as whatever its issuer vouches for is
 * then refused.
 *
 * Fails closed: a file without a list, or with one that cannot be read or used (a delta, a partition, an indirect list, a
 * weak signature), is a problem, and so is one that no configured CA of its name can have signed.
 * @param path - of the list of names
 * @returns one by one, as Node takes the first of a bundle and ignores the others; latest first
 * @see RFC 5280 §5, §6.3; REQUIREMENTS J15, J18
 */
export function readRevocationLists(
  path: Path,
  names: readonly string[],
  context: Context & { readonly ca: readonly string[] },
): RevocationList[] {
  const found = names.flatMap((name, index) => readFile([...path, index], name, context));
  if (found.length > 0) {
    const cas = context.ca.flatMap(readCa);
    for (const one of found) reportUnusable(one, { cas, report: context.report });
    warnOfMissingLists(path, found, { cas, report: context.report });
  }
  return found
    .toSorted((a, b) => byAge(a.list, b.list))
    .map(({ pem, list: { nextUpdateMs } }) => ({
      pem,
      nextUpdateMs: Number.isFinite(nextUpdateMs) ? nextUpdateMs : undefined,
    }));
}

function readFile(path: Path, name: string, { files, report, nowMs }: Context): FoundList[] {
  const before = report.problems.length;
  const content = files.readLists(path, name);
  if (report.problems.length > before) return [];
  const blocks = pemBlocks(content, 'X509 CRL') ?? [];
  if (blocks.length === 0 || !blocks.every(isReadByOpenSsl)) {
    report.problem(path, 'the file does not hold certificate revocation lists in PEM');
    return [];
  }
  const found: FoundList[] = [];
  for (const pem of blocks) {
    try {
      found.push({ pem, list: parseRevocationList(derOf(pem)), path });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      report.problem(path, `a list cannot be used: ${error.message}`);
    }
  }
  for (const { list } of found) {
    if (list.nextUpdateMs <= nowMs)
      report.warn(
        path,
        `a list is out of date since ${showTime(list.nextUpdateMs)}: certificates of its issuer do not count`,
      );
    if (list.thisUpdateMs > nowMs)
      report.warn(path, `a list is not valid before ${showTime(list.thisUpdateMs)}`);
  }
  return found;
}

function isReadByOpenSsl(pem: string): boolean {
  try {
    createSecureContext({ crl: pem });
    return true;
  } catch {
    return false;
  }
}

/** Says which of the configured CAs should have signed a list and has not, or may not. */
function reportUnusable({ list, path }: FoundList, { cas, report }: Judged): void {
  const namesakes = cas.filter(({ certificate }) => certificate.subject === list.issuer);
  const [one] = namesakes;
  if (one === undefined || isOfOtherKey(list, namesakes)) return;
  try {
    if (namesakes.some(({ certificate }) => isListOf(list, certificate))) return;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    report.problem(path, `a list in the name of ${one.shown} cannot be read: ${error.message}`);
    return;
  }
  report.problem(
    path,
    namesakes.every(({ certificate }) => !maySignLists(certificate))
      ? `a list of ${one.shown} cannot be used: the key usage of this CA lacks cRLSign`
      : `a list in the name of ${one.shown} is not signed by its key`,
  );
}

/** By its authority key identifier: that of an intermediate with the same name, which only clients send. */
function isOfOtherKey({ authorityKey }: ParsedList, namesakes: readonly Ca[]): boolean {
  if (authorityKey === undefined) return false;
  return namesakes.every(({ certificate: { extensions } }) => {
    // The extension is an OCTET STRING, whose head is two bytes for any identifier that is in use.
    const own = extensions.get(extensionIds.subjectKeyIdentifier)?.value.subarray(2);
    return own !== undefined && !own.equals(authorityKey);
  });
}

// OpenSSL wants a list of each CA of a path, the root's included, and so do we.
function warnOfMissingLists(path: Path, found: readonly FoundList[], { cas, report }: Judged): void {
  for (const { certificate, shown } of cas) {
    if (!found.some(({ list }) => list.issuer === certificate.subject))
      report.warn(path, `no list of ${shown}: certificates of this CA do not count`);
  }
}

/** What cannot be read strictly is reported with the CAs. */
function readCa(pem: string): Ca[] {
  try {
    const shown = new X509Certificate(pem).subject.replaceAll('\n', ', ');
    return [{ certificate: parseCertificate(derOf(pem)), shown }];
  } catch {
    return [];
  }
}

function showTime(ms: number): string {
  return new Date(ms).toISOString();
}
