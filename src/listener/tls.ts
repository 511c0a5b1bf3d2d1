import { constants, X509Certificate } from 'node:crypto';
import type { ServerOptions } from 'node:https';

export interface TlsOptions {
  /** PEM, with the chain */
  readonly certificate: string;
  /** PEM */
  readonly key: string;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly clientCertificates: {
    readonly mode: 'off' | 'optional' | 'required';
    /** PEM, one certificate each; the only trust anchors for client certificates. Empty: possession is all that counts */
    readonly ca: readonly string[];
    /**
     * PEM, one list each, latest first: Node would read the first of a bundle, and OpenSSL takes the first of two that are
     * equally new. Empty: revocation is not checked
     */
    readonly crl: readonly { readonly pem: string; readonly nextUpdateMs: number | undefined }[];
  };
}

/**
 * The TLS side of the listener. Client certificates are asked for and never refused by Node's own check
 * (`rejectUnauthorized`), which would lose the reason: without CAs any certificate proves possession of its key
 * (RFC 8705 §6.2), with CAs the verdict of OpenSSL is kept and judged by proof/certificate.ts.
 *
 * `ca` is always set, if need be to none, or Node would trust the system's roots (J07). No renegotiation (J13). With
 * revocation lists OpenSSL checks the whole chain (X509_V_FLAG_CRL_CHECK and CRL_CHECK_ALL), so that a CA without a list
 * vouches for nobody. Used at the start and at every exchange of the context, as `setSecureContext` inherits nothing (J14).
 * @param sessionIdContext - at most 32 bytes; sessions of another one are not resumed
 */
export function buildTlsOptions(
  { certificate, key, minVersion, clientCertificates }: TlsOptions,
  sessionIdContext: string,
): ServerOptions {
  const { mode, ca, crl } = clientCertificates;
  return {
    cert: certificate,
    key,
    minVersion,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    ALPNProtocols: ['http/1.1'],
    sessionIdContext,
    ...(mode === 'off' ? {} : { requestCert: true, rejectUnauthorized: false, ca: [...ca] }),
    ...(crl.length === 0 ? {} : { crl: crl.map(({ pem }) => pem) }),
  };
}

/**
 * The same for a client that is not to be asked for a certificate. It gets no session: one that is resumed later would
 * still be without.
 */
export function withoutRequest({ secureOptions = 0, ...options }: ServerOptions): ServerOptions {
  return { ...options, requestCert: false, secureOptions: secureOptions | constants.SSL_OP_NO_TICKET };
}

/** When what the listener shows and trusts ends, for the metric that operators alert on: of several, the first to end. */
export function certificateExpiries(tls: TlsOptions | undefined): { name: string; expiresAtMs: number }[] {
  if (tls === undefined) return [];
  const { ca, crl } = tls.clientCertificates;
  const ends = {
    listener: endOf(tls.certificate),
    'client-ca': Math.min(...ca.map(endOf)),
    'client-crl': Math.min(...crl.map(({ nextUpdateMs }) => nextUpdateMs ?? Number.POSITIVE_INFINITY)),
  };
  return Object.entries(ends).flatMap(([name, expiresAtMs]) =>
    Number.isFinite(expiresAtMs) ? [{ name, expiresAtMs }] : [],
  );
}

/**
 * When the first certificate of a PEM text ends, in ms since the epoch. Fails closed: 0, which is over, for a time that
 * cannot be read.
 */
export function endOf(pem: string): number {
  const endMs = Date.parse(new X509Certificate(pem).validTo);
  return Number.isNaN(endMs) ? 0 : endMs;
}
