import type { Judgement } from '../pki/client-cas.js';

/**
 * The certificate that the client proved possession of in its TLS handshake: with us, captured when the connection is
 * set up, as a closed socket can no longer tell it; or with a front proxy that is trusted to say so. Immutable.
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
  /** what the service may be told of it; kept only where `identity.clientCertificate` asks for it */
  readonly fields?: CertificateFields | undefined;
}

/** It does not, or none are configured: then nothing but the thumbprint counts. */
export interface UntrustedCertificate {
  readonly thumbprint: string;
  readonly trusted: false;
  /** the cause when CAs are configured and the chain did not verify, e.g. CERT_HAS_EXPIRED: OpenSSL's code, or one of pki/ */
  readonly distrust: string | undefined;
}

/** Values of the header fields Client-Cert and Client-Cert-Chain. @see RFC 9440 §2.2, §2.3 */
export interface CertificateFields {
  readonly clientCert: string;
  /** undefined when a configured CA has issued the certificate itself */
  readonly clientCertChain: string | undefined;
}

/** Certificates as a front proxy passed them on, in DER. */
export interface CertificateChain {
  readonly leaf: Buffer;
  /** in TLS order, without the leaf; may end in a root */
  readonly others: readonly Buffer[];
}

/** Tells whether a certificate chains to the client CAs in force, and within what time: `ClientCas.judge`. */
export type CertificateJudge = (leaf: Buffer, others: readonly Buffer[], nowMs: number) => Judgement;
