import type { PresentedCertificate } from '../request/client-certificate.js';

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

const noCertificate: CertificateFinding = { distrust: undefined };

/**
 * Judges the certificate that the TLS layer captured. Without configured CAs possession is all that counts; with
 * them, a certificate that does not chain to one (expired, for another purpose, of another CA) is no evidence.
 * Nothing but the thumbprint is taken from it: no subject, so none can be forged (RFC 8705 §7.4).
 *
 * Fails closed: with CAs configured, anything but OpenSSL's own verdict "trusted" is no evidence.
 * @see RFC 8705 §2.1, §3, §6.2; REQUIREMENTS J04-J07
 */
export function verifyCertificate(
  certificate: PresentedCertificate | undefined,
  { requireTrust }: { requireTrust: boolean },
): CertificateFinding {
  if (certificate === undefined) return noCertificate;
  if (requireTrust && !certificate.trusted) return { distrust: certificate.distrust ?? 'not verified' };
  return { evidence: sealEvidence(certificate.thumbprint) };
}
