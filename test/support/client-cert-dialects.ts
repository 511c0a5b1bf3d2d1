import type { IssuedCertificate } from './certificates.js';

/** `Client-Cert` as a front writes it that knows RFC 9440. */
export function clientCert({ der }: Pick<IssuedCertificate, 'der'>): string {
  return `:${der.toString('base64')}:`;
}

/** `$ssl_client_escaped_cert` of nginx: percent-encoded but for letters, digits and `-._~`. */
export function nginxEscaped(...pems: string[]): string {
  return encodeURIComponent(pems.join('')).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16)}`);
}

/** PEM as Envoy puts it into X-Forwarded-Client-Cert: only what would get in the way is encoded. */
export function envoyEscaped(...pems: string[]): string {
  const codes: Readonly<Record<string, string>> = {
    '\n': '%0A',
    ' ': '%20',
    '+': '%2B',
    '/': '%2F',
    '=': '%3D',
  };
  return pems.join('').replace(/[\n +/=]/g, (one) => codes[one] ?? '');
}

/** PEM as load balancers of AWS write it: `+`, `=` and `/` stay as they are. */
export function albEscaped(...pems: string[]): string {
  return nginxEscaped(...pems).replace(/%2B|%3D|%2F/g, (one) => decodeURIComponent(one));
}
