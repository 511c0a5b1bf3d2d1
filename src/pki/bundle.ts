import { X509Certificate } from 'node:crypto';
import { type Certificate, isSelfIssued, parseCertificate } from './certificate.js';
import { derOf, pemBlocks } from './pem.js';

/** What is wrong with a bundle of client CAs. */
export interface BundleFaults {
  /** with these it must not be used */
  readonly problems: readonly string[];
  /** CAs in it that vouch for nobody */
  readonly warnings: readonly string[];
}

/**
 * Looks at client CAs as `ClientCas` will. CAs that certify each other are a problem: OpenSSL and Node follow issuers by
 * name alone, and would go round.
 * @param pems - all bundles that are used together, certificates that OpenSSL can read
 * @see REQUIREMENTS J16, J19
 */
export function findBundleFaults(pems: readonly string[]): BundleFaults {
  const problems: string[] = [];
  const warnings: string[] = [];
  const readable: Certificate[] = [];
  for (const block of pems.flatMap((pem) => pemBlocks(pem, 'CERTIFICATE') ?? [])) {
    try {
      const certificate = parseCertificate(derOf(block));
      readable.push(certificate);
      if (certificate.keyFault !== undefined)
        warnings.push(`the key of ${show(certificate)} counts for nothing (${certificate.keyFault})`);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      problems.push(`a CA certificate cannot be read strictly: ${error.message}`);
    }
  }
  const circle = readable.find((ca) => isInCircle(ca, readable));
  if (circle !== undefined)
    problems.push(`CAs that certify each other: issuers lead from ${show(circle)} back to it`);
  return { problems, warnings };
}

function isInCircle(start: Certificate, all: readonly Certificate[]): boolean {
  const seen = new Set<string>();
  const waiting = [start];
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    const { issuer } = one;
    if (isSelfIssued(one) || seen.has(issuer)) continue;
    if (issuer === start.subject) return true;
    seen.add(issuer);
    waiting.push(...all.filter(({ subject }) => subject === issuer));
  }
  return false;
}

/** As OpenSSL writes its name. */
function show({ der }: Certificate): string {
  return new X509Certificate(der).subject.replaceAll('\n', ', ');
}
