import { X509Certificate } from 'node:crypto';
import type { PresentedCertificate, TrustedCertificate } from '../request/client-certificate.js';
import { sha256Base64url } from '../support/digest.js';
import {
  type CertificateDetails,
  extensionIds,
  isForTlsClients,
  parseCertificateDetails,
  parsePathLength,
} from './certificate-extensions.js';

/** One certificate of a path, with what is asked about it more than once. */
interface Link {
  readonly certificate: X509Certificate;
  readonly details: CertificateDetails;
}

const clientAuth = '1.3.6.1.5.5.7.3.2';
const maxPathLength = 8;
const minRsaBits = 2048;
const curves: ReadonlySet<string | undefined> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

/** SHA-2 with ECDSA or RSA, Ed25519, Ed448. @see RFC 5758 §3.2; RFC 4055 §5; RFC 8410 §3 */
const signatureAlgorithms: ReadonlySet<string> = new Set([
  ...['2a8648ce3d040302', '2a8648ce3d040303', '2a8648ce3d040304'],
  ...['2a864886f70d01010b', '2a864886f70d01010c', '2a864886f70d01010d'],
  ...['2b6570', '2b6571'],
]);

/** Extensions whose meaning is honoured here, or that restrict nothing when no policy is demanded. */
const understood: ReadonlySet<string> = new Set([
  extensionIds.basicConstraints,
  extensionIds.keyUsage,
  extensionIds.extKeyUsage,
  extensionIds.subjectAltName,
  extensionIds.certificatePolicies,
]);

/**
 * Tells whether the certificate that a trusted front passed on chains to the configured client CAs. Where we end the
 * handshake ourselves, OpenSSL tells that, and nothing here is used (J08). A certificate in a header never
 * was in a handshake of ours, and Node opens OpenSSL's validation to nothing else; of the libraries, PKI.js let pass a
 * server's certificate, an unknown critical extension, and a path longer than its root allows. So this is put
 * together from what OpenSSL does tell through Node (names, key identifiers, signatures, CA or not), and
 * a rule set that is narrower than RFC 5280 on purpose. Refused although RFC 5280 can tell what they mean: name and
 * policy constraints, every critical extension but five, an extended key usage of nothing but `any`, RSASSA-PSS, RSA below
 * 2048 bits, paths of more than eight certificates, path lengths that only hold when self-issued CAs are not counted,
 * and paths that are found only by trying alternatives. Revocation is the front's to check.
 *
 * Fails closed: what cannot be read, followed or decided is not trusted.
 * @see RFC 5280 §4.2, §6.1; RFC 8705 §2.1; REQUIREMENTS J06, J07, K06
 */
export class ClientCas {
  readonly #anchors: readonly X509Certificate[];
  /** fingerprints of those that end a path. As with OpenSSL, an intermediate among the CAs is none: its root must be there */
  readonly #roots: ReadonlySet<string>;

  /** @param pems - PEM bundles of CA certificates, checked by the configuration */
  constructor(pems: readonly string[]) {
    const blocks = pems.flatMap(
      (pem) => pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [],
    );
    this.#anchors = blocks.map((block) => new X509Certificate(block));
    this.#roots = new Set(
      this.#anchors.filter((anchor) => isIssuer(anchor, anchor)).map(({ fingerprint256 }) => fingerprint256),
    );
  }

  /**
   * Does not look at the time: what it returns holds between the two moments in it, and proof/certificate.ts asks.
   * @param others - certificates that came with the leaf, in any order; none of them is believed for being there
   */
  judge(leaf: X509Certificate, others: readonly X509Certificate[]): PresentedCertificate {
    const thumbprint = sha256Base64url(leaf.raw);
    let distrust: string | undefined = 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY';
    try {
      const path = this.#buildPath(leaf, others);
      if (path === undefined) return { thumbprint, trusted: false, distrust };
      distrust = findFault(
        path.map((certificate) => ({ certificate, details: parseCertificateDetails(certificate.raw) })),
      );
      if (distrust === undefined) return { thumbprint, trusted: true, ...validityOf(path) };
    } catch {
      distrust = 'CERT_CANNOT_BE_JUDGED';
    }
    return { thumbprint, trusted: false, distrust };
  }

  /** From the leaf to a root, issuer by issuer: one of the configured CAs where one fits, else one that came along. */
  #buildPath(leaf: X509Certificate, others: readonly X509Certificate[]): X509Certificate[] | undefined {
    const path = [leaf];
    for (let last = leaf; !this.#roots.has(last.fingerprint256); ) {
      const isNext = (one: X509Certificate) => !path.includes(one) && isIssuer(one, last);
      const issuer = this.#anchors.find(isNext) ?? others.find(isNext);
      if (issuer === undefined || path.length === maxPathLength) return undefined;
      path.push(issuer);
      last = issuer;
    }
    return path;
  }
}

/** Whether the issuer has the name that the subject gives, and the key that has signed it. */
export function isIssuer(issuer: X509Certificate, subject: X509Certificate): boolean {
  return subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
}

/** @returns OpenSSL's code, or a word of ours for a rule that only we have; undefined when there is no fault */
function findFault(path: readonly Link[]): string | undefined {
  for (const [depth, link] of path.entries()) {
    const isRoot = depth === path.length - 1;
    const fault =
      findFaultOfAny(link, isRoot) ?? (depth === 0 ? findFaultOfLeaf(link) : findFaultOfCa(link, depth - 1));
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function findFaultOfAny({ certificate, details }: Link, isRoot: boolean): string | undefined {
  const { extensions, signatureAlgorithm } = details;
  if (extensions.has(extensionIds.nameConstraints)) return 'NAME_CONSTRAINTS_NOT_SUPPORTED';
  if (extensions.has(extensionIds.policyConstraints)) return 'POLICY_CONSTRAINTS_NOT_SUPPORTED';
  for (const [id, { critical }] of extensions)
    if (critical && !understood.has(id)) return 'UNHANDLED_CRITICAL_EXTENSION';
  if (certificate.keyUsage?.includes(clientAuth) === false) return 'INVALID_PURPOSE';
  if (!isStrongKey(certificate)) return 'KEY_TOO_SMALL';
  // Nobody relies on the signature of a root: it is trusted for being configured.
  return isRoot || signatureAlgorithms.has(signatureAlgorithm) ? undefined : 'MD_TOO_WEAK';
}

function findFaultOfLeaf({ details }: Link): string | undefined {
  const usage = details.extensions.get(extensionIds.keyUsage);
  return usage === undefined || isForTlsClients(usage.value) ? undefined : 'INVALID_PURPOSE';
}

/** @param below - how many CAs stand between this one and the leaf */
function findFaultOfCa({ certificate, details }: Link, below: number): string | undefined {
  const constraints = details.extensions.get(extensionIds.basicConstraints);
  // `ca` is OpenSSL's word for basicConstraints and keyUsage taken together.
  if (!certificate.ca || constraints === undefined) return 'INVALID_CA';
  return below > parsePathLength(constraints.value) ? 'PATH_LENGTH_EXCEEDED' : undefined;
}

function isStrongKey({ publicKey }: X509Certificate): boolean {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = publicKey;
  switch (type) {
    case 'rsa':
      return (details?.modulusLength ?? 0) >= minRsaBits;
    case 'ec':
      return curves.has(details?.namedCurve);
    default:
      return type === 'ed25519' || type === 'ed448';
  }
}

function validityOf(
  path: readonly X509Certificate[],
): Pick<TrustedCertificate, 'notBeforeMs' | 'notAfterMs'> {
  return {
    notBeforeMs: Math.max(...path.map(({ validFrom }) => Date.parse(validFrom))),
    notAfterMs: Math.min(...path.map(({ validTo }) => Date.parse(validTo))),
  };
}
