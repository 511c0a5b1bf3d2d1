/**
 * The certificate that the peer of this connection proved possession of in its TLS handshake. Captured when the
 * connection is set up and immutable: after the socket has closed Node can no longer tell it.
 */
export interface PresentedCertificate {
  /** base64url SHA-256 of the DER encoding: what `x5t#S256` holds. @see RFC 8705 §3.1 */
  readonly thumbprint: string;
  /** whether it chains to the configured client CAs; without any this is false and nothing but the thumbprint counts */
  readonly trusted: boolean;
  /** OpenSSL's code when CAs are configured and the chain did not verify, e.g. CERT_HAS_EXPIRED */
  readonly distrust: string | undefined;
  /**
   * ms since the epoch: within what time a verdict of trust holds, which is that of the certificate and of the
   * intermediates between it and a CA. Without CAs it does not count.
   */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}
