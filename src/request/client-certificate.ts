/**
 * The certificate that the peer of this connection proved possession of in its TLS handshake. Captured when the
 * connection is set up and immutable: after the socket has closed Node can no longer tell it.
 */
export type PresentedCertificate = TrustedCertificate | UntrustedCertificate;

/** It chains to the configured client CAs. */
export interface TrustedCertificate {
  /** base64url SHA-256 of the DER encoding: what `x5t#S256` holds. @see RFC 8705 §3.1 */
  readonly thumbprint: string;
  readonly trusted: true;
  readonly distrust?: undefined;
  /** ms since the epoch: within what time that holds, of the certificate and of the intermediates below the CA */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** It does not, or none are configured: then nothing but the thumbprint counts. */
export interface UntrustedCertificate {
  readonly thumbprint: string;
  readonly trusted: false;
  /** OpenSSL's code when CAs are configured and the chain did not verify, e.g. CERT_HAS_EXPIRED */
  readonly distrust: string | undefined;
}
