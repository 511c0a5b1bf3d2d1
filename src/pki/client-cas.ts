import { type Certificate, isSelfIssued, parseCertificate } from './certificate.js';
import { findLeafFault, findPathFault, type Path, validityOf } from './path.js';
import { derOf, pemBlocks } from './pem.js';
import { Revocations } from './revocations.js';
import { isSignedBy } from './signature.js';

/** What a certificate is worth by the configured client CAs. */
export type Judgement =
  | {
      readonly trusted: true;
      /** DER of the certificates between the leaf and the first configured CA, each signed by the key of the next one */
      readonly intermediates: readonly Buffer[];
      /** ms since the epoch: within what time that holds, by the certificates of the path and the lists of their issuers */
      readonly notBeforeMs: number;
      readonly notAfterMs: number;
    }
  | {
      readonly trusted: false;
      /** OpenSSL's code, or a word of ours for a rule that only we have; behind a colon what cannot be read */
      readonly cause: string;
    };

/** Causes that others act on. */
export const causes = { noIssuer: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' } as const;

const maxPathLength = 8;
// Otherwise a stranger decides how long a search takes, by the certificates that he sends along.
const maxSignatures = 64;

/** One search: what it may still spend, and the best that it has found. */
interface Search {
  readonly others: readonly Certificate[];
  readonly nowMs: number;
  signatures: number;
  /** without fault, but not at this time */
  outOfDate: Path | undefined;
  fault: string | undefined;
}

/**
 * Tells whether a certificate chains to the configured client CAs: the one judge, of what a trusted proxy passed on and of
 * what a TLS handshake showed, there beside OpenSSL. It is put together here because Node opens OpenSSL's path validation
 * to nothing but a handshake, and OpenSSL takes what no CA should issue (explicit curves, an RSA exponent of 1).
 *
 * A path ends at a self-signed certificate of the configuration; an intermediate among the CAs does not end one. Of several
 * paths one that is valid now is taken: a CA may be renewed with its key. At most 64 signatures are verified for each
 * certificate, and a path has at most eight certificates.
 *
 * Fails closed: what cannot be read, followed or decided is not trusted.
 * @see RFC 5280 §6.1; RFC 8705 §2.1; REQUIREMENTS J06, J07, J18, J19, K06
 */
export class ClientCas {
  readonly #anchors: readonly Certificate[];
  /** those that end a path */
  readonly #roots: ReadonlySet<Certificate>;
  readonly #revocations: Revocations;

  /**
   * @param pems - PEM bundles of CA certificates, checked by the configuration; what cannot be read vouches for nothing
   * @param lists - revocation lists in PEM, one each; none: revocation is not checked
   */
  constructor(pems: readonly string[], lists: readonly string[] = []) {
    this.#anchors = pems
      .flatMap((pem) => pemBlocks(pem, 'CERTIFICATE') ?? [])
      .flatMap((block) => tryParse(derOf(block)) ?? []);
    this.#roots = new Set(this.#anchors.filter(isSelfSigned));
    this.#revocations = new Revocations(lists.map(derOf));
  }

  /**
   * Does not refuse by time: the judgement says between which moments it holds, and proof/certificate.ts compares them with the
   * clock. The time only chooses among several paths or lists.
   * @param others - certificates that came with the leaf, in any order; none of them is believed for being there
   */
  judge(leaf: Buffer, others: readonly Buffer[], nowMs: number): Judgement {
    return judgeReadable(() => {
      const certificate = readLeaf(leaf);
      return typeof certificate === 'string'
        ? { trusted: false, cause: certificate }
        : this.#search(certificate, others, nowMs);
    });
  }

  /**
   * The same where what came with the certificate is not known: with a path among the configured CAs if there is one, and
   * else by what the certificate itself says. Only for what OpenSSL has found trusted.
   */
  judgeAlone(leaf: Buffer, nowMs: number): Judgement {
    const judged = this.judge(leaf, [], nowMs);
    if (judged.trusted || judged.cause !== causes.noIssuer) return judged;
    return judgeReadable(() => {
      const certificate = parseCertificate(leaf);
      const cause = findLeafFault(certificate);
      return cause === undefined
        ? { trusted: true, intermediates: [], ...validityOf([certificate]) }
        : { trusted: false, cause };
    });
  }

  #search(leaf: Certificate, others: readonly Buffer[], nowMs: number): Judgement {
    const readable = others.flatMap((other) => tryParse(other) ?? []);
    const search: Search = {
      ...{ others: readable, nowMs, signatures: 0, outOfDate: undefined, fault: undefined },
    };
    const path = this.#extend([this.#anchors.find(({ der }) => der.equals(leaf.der)) ?? leaf], search);
    const found = path ?? search.outOfDate;
    if (found === undefined) {
      const unreadable = readable.length < others.length ? 'CERT_CANNOT_BE_READ: an intermediate' : undefined;
      return { trusted: false, cause: search.fault ?? unreadable ?? causes.noIssuer };
    }
    const validity = validityOf(found);
    const revocation = this.#revocations.check(found, nowMs);
    if (revocation?.fault !== undefined) return { trusted: false, cause: revocation.fault };
    const firstCa = found.findIndex((one, depth) => depth > 0 && this.#anchors.includes(one));
    return {
      trusted: true,
      intermediates: found.slice(1, firstCa === -1 ? 1 : firstCa).map(({ der }) => der),
      notBeforeMs: Math.max(validity.notBeforeMs, revocation?.notBeforeMs ?? Number.NEGATIVE_INFINITY),
      notAfterMs: Math.min(validity.notAfterMs, revocation?.notAfterMs ?? Number.POSITIVE_INFINITY),
    };
  }

  /** @returns a path without fault that is valid now; what else is found is left in the search */
  #extend(path: Path, search: Search): Path | undefined {
    const last = path.at(-1);
    if (last === undefined) return undefined;
    if (this.#roots.has(last)) return this.#finish(path, search);
    if (path.length === maxPathLength) return undefined;
    for (const issuer of this.#issuersOf(last, search)) {
      if (path.includes(issuer) || !isIssuerOf(issuer, last, search)) continue;
      const found = this.#extend([...path, issuer], search);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #finish(path: Path, search: Search): Path | undefined {
    const fault = findPathFault(path);
    search.fault ??= fault;
    if (fault !== undefined) return undefined;
    const { notBeforeMs, notAfterMs } = validityOf(path);
    if (notBeforeMs <= search.nowMs && search.nowMs < notAfterMs) return path;
    // Of several that are out of date, the one that ended last.
    if (search.outOfDate === undefined || validityOf(search.outOfDate).notAfterMs < notAfterMs)
      search.outOfDate = path;
    return undefined;
  }

  /** Those with the name of the issuer: configured ones first, and of these and of the others the ones that are valid now. */
  #issuersOf({ issuer }: Certificate, { others, nowMs }: Search): Certificate[] {
    const isInForce = ({ notBeforeMs, notAfterMs }: Certificate) =>
      notBeforeMs <= nowMs && nowMs < notAfterMs;
    const named = [...this.#anchors, ...others].filter(({ subject }) => subject === issuer);
    return [...named.filter(isInForce), ...named.filter((one) => !isInForce(one))];
  }
}

function judgeReadable(judge: () => Judgement): Judgement {
  try {
    return judge();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { trusted: false, cause: `CERT_CANNOT_BE_READ: ${error.message}` };
  }
}

/** @returns what is wrong with its key instead. @throws RangeError */
function readLeaf(leaf: Buffer): Certificate | string {
  const certificate = parseCertificate(leaf);
  if (certificate.keyFault !== undefined) return certificate.keyFault;
  certificate.key(); // A point that is not on its curve throws.
  return certificate;
}

/** Keys are looked at first: with some, anybody can sign, and with some, verifying takes long. */
function isIssuerOf(issuer: Certificate, subject: Certificate, search: Search): boolean {
  if (issuer.keyFault !== undefined) {
    search.fault ??= issuer.keyFault;
    return false;
  }
  if (search.signatures === maxSignatures) {
    search.fault ??= 'PATH_TOO_MANY_SIGNATURES';
    return false;
  }
  search.signatures++;
  return isSignedBy(subject.signed, issuer.key());
}

function tryParse(der: Buffer): Certificate | undefined {
  try {
    return parseCertificate(der);
  } catch {
    return undefined;
  }
}

/** A root with a key that counts for nothing still ends a path, so that the path is refused for it. */
function isSelfSigned(certificate: Certificate): boolean {
  if (!isSelfIssued(certificate)) return false;
  try {
    return certificate.keyFault !== undefined || isSignedBy(certificate.signed, certificate.key());
  } catch {
    return false;
  }
}
