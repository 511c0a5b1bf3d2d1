import { parseBase64 } from './base64.js';
import type { CertificateChain, CertificateFields } from './client-certificate.js';

const byteSequence = /^:([A-Za-z0-9+/=]*):$/;

/**
 * Reads Client-Cert and Client-Cert-Chain: the dialect `rfc9440`. Stricter than structured fields in general: no
 * parameters, base64 in canonical form.
 *
 * @param chain - values of all Client-Cert-Chain field lines; a list may be spread over several (RFC 9110 §5.3)
 * @returns undefined when it is not this
 * @see RFC 9440 §2.2, §2.3; RFC 8941 §3.1, §3.3.5
 */
export function parseClientCert(clientCert: string, chain: readonly string[]): CertificateChain | undefined {
  const leaf = parseByteSequence(clientCert);
  const others = chain.flatMap((line) => line.split(',')).map(parseByteSequence);
  if (leaf === undefined || !others.every((one) => one !== undefined)) return undefined;
  return { leaf, others };
}

function parseByteSequence(text: string): Buffer | undefined {
  const [, encoded] = byteSequence.exec(text.trim()) ?? [];
  return encoded === undefined ? undefined : parseBase64(encoded);
}

/** @see RFC 9440 §2.1 */
export function buildClientCert({ leaf, others }: CertificateChain): CertificateFields {
  return {
    clientCert: formatByteSequence(leaf),
    clientCertChain: others.length === 0 ? undefined : others.map(formatByteSequence).join(', '),
  };
}

function formatByteSequence(bytes: Buffer): string {
  return `:${bytes.toString('base64')}:`;
}
