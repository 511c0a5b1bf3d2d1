import type { PresentedCertificate, TrustedCertificate } from '../request/client-certificate.js';
import type { Timekeeper } from '../support/clock.js';

let sealEvidence: (thumbprint: string) => CertificateEvidence;

/** The holder of the private key of this certificate is at the other end of the connection. */
export class CertificateEvidence {
  readonly #thumbprint: string;

  private constructor(thumbprint: string) {
    this.#thumbprint = thumbprint;
  }

  static {
    sealEvidence = (thumbprint) => new CertificateEvidence(thumbprint);
  }

  /** base64url SHA-256 of the DER encoding. @see RFC 8705 §3.1 */
  get thumbprint(): string {
    return this.#thumbprint;
  }
}

/** What the certificate of the connection proves. `distrust` says why a certificate that was there proves nothing. */
export type CertificateFinding =
  | { readonly evidence: CertificateEvidence; readonly distrust?: undefined }
  | { readonly evidence?: undefined; readonly distrust: string | undefined };

/** Whether only certificates count that chain to a configured CA, and by which clock they are out of date. */
export interface CertificateRules {
  readonly requireTrust: boolean;
  readonly clock: Timekeeper;
}

const noCertificate: CertificateFinding = { distrust: undefined };

/**
 * Judges the certificate that the TLS layer captured. Without configured CAs possession is all that counts; with
 * them, a certificate that does not chain to one (expired, for another purpose, of another CA) is no evidence.
 * Nothing but the thumbprint is taken from it: no subject, so none can be forged (RFC 8705 §7.4).
 *
 * The verdict is that of the handshake, which may be hours old; the time is looked at for each request. Without CAs it is
 * not: such a certificate is a public key with a thumbprint, and its dates are worth what its names are, nothing.
 *
 * Fails closed: with CAs configured, anything but OpenSSL's own verdict "trusted" is no evidence.
 * @see RFC 8705 §2.1, §3, §6.2, §7.5; RFC 5280 §4.1.2.5; REQUIREMENTS J04-J07, J12
 */
export function verifyCertificate(
  certificate: PresentedCertificate | undefined,
  rules: CertificateRules,
): CertificateFinding {
  if (certificate === undefined) return noCertificate;
  if (certificate.trusted) {
    const outOfDate = findOutOfDate(certificate, rules.clock);
    if (outOfDate !== undefined) return { distrust: outOfDate };
  } else if (rules.requireTrust || certificate.distrust !== undefined) {
    // A distrust without `requireTrust` is of a certificate that a front passed on, and that was held against CAs of its own.
    return { distrust: certificate.distrust ?? 'not verified' };
  }
  return { evidence: sealEvidence(certificate.thumbprint) };
}

/** Ends by the later reading of the clock, and begins by the one that no step moves. Written so that a NaN would refuse. */
function findOutOfDate(
  { notBeforeMs, notAfterMs }: TrustedCertificate,
  clock: Timekeeper,
): string | undefined {
  if (!(clock.nowMs() < notAfterMs)) return 'CERT_HAS_EXPIRED';
  return clock.steadyMs() >= notBeforeMs ? undefined : 'CERT_NOT_YET_VALID';
}
