import { parseBase64 } from './base64.js';

// RFC 3986 §2.3 and percent signs; what a dialect leaves unescaped beside that is named by its caller.
const escapedText = /^[A-Za-z0-9._~%-]+$/;
const escapedTextOfAlb = /^[A-Za-z0-9._~%+/=-]+$/;
const block =
  /-----BEGIN CERTIFICATE-----\r?\n((?:[A-Za-z0-9+/=]{1,76}\r?\n)+)-----END CERTIFICATE-----(?:\r?\n|$)/y;

/**
 * Reads percent-encoded PEM, as nginx, Envoy and AWS load balancers write it. A plus sign is a plus sign: AWS leaves
 * it as it is, and read as a form field it would become a space.
 *
 * @param plain - the characters `+/=` may stand unescaped
 * @returns the certificates in DER, at least one, in order; undefined when there is anything else in the text
 * @see RFC 7468 §2, §5
 */
export function parseEscapedPem(text: string, { plain }: { plain: boolean }): Buffer[] | undefined {
  if (!(plain ? escapedTextOfAlb : escapedText).test(text)) return undefined;
  const pem = decodePercent(text);
  if (pem === undefined) return undefined;
  const certificates: Buffer[] = [];
  block.lastIndex = 0;
  for (let at = 0; at < pem.length; at = block.lastIndex) {
    const [, encoded] = block.exec(pem) ?? [];
    const der = encoded === undefined ? undefined : parseBase64(encoded.replace(/\r?\n/g, ''));
    if (der === undefined) return undefined;
    certificates.push(der);
  }
  return certificates.length > 0 ? certificates : undefined;
}

function decodePercent(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
