import { constants, X509Certificate } from 'node:crypto';
import type { ServerOptions } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { CertificateMeaning } from './connection.js';

export interface TlsOptions {
  /** PEM, with the chain */
  readonly certificate: string;
  /** PEM */
  readonly key: string;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly clientCertificates: {
    readonly mode: 'off' | 'optional' | 'required';
    /** PEM; the only trust anchors for client certificates. Empty: possession is all that counts */
    readonly ca: readonly string[];
  };
}

/**
 * The TLS side of the listener. Client certificates are asked for and never refused by Node's own check
 * (`rejectUnauthorized`), which would lose the reason: without CAs any certificate proves possession of its key
 * (RFC 8705 §6.2), with CAs the verdict of OpenSSL is kept and judged by proof/certificate.ts.
 *
 * `ca` is always set, if need be to none, or Node would trust the system's roots (J07). No renegotiation (J13).
 */
export function buildTlsOptions({
  certificate,
  key,
  minVersion,
  clientCertificates,
}: TlsOptions): ServerOptions {
  const { mode, ca } = clientCertificates;
  return {
    cert: certificate,
    key,
    minVersion,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    ALPNProtocols: ['http/1.1'],
    ...(mode === 'off' ? {} : { requestCert: true, rejectUnauthorized: false, ca: [...ca] }),
  };
}

export function certificateMeaning(tls: TlsOptions | undefined): CertificateMeaning {
  if (tls === undefined || tls.clientCertificates.mode === 'off') return 'off';
  return tls.clientCertificates.ca.length === 0 ? 'possession' : 'trust';
}

/**
 * With mode `required` a connection without a certificate, or with one that does not chain to the CAs, ends with the
 * handshake: no byte of HTTP is read from it.
 */
export function isAcceptable(socket: TLSSocket, { clientCertificates: { mode, ca } }: TlsOptions): boolean {
  if (mode !== 'required') return true;
  return ca.length === 0 ? socket.getPeerX509Certificate() !== undefined : socket.authorized;
}

/** When the listener's own certificate ends, for the metric that operators alert on. */
export function certificateExpiries(tls: TlsOptions | undefined): { name: string; expiresAtMs: number }[] {
  if (tls === undefined) return [];
  return [{ name: 'listener', expiresAtMs: Date.parse(new X509Certificate(tls.certificate).validTo) }];
}
