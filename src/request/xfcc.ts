import { X509Certificate } from 'node:crypto';
import type { CertificateChain } from './client-certificate.js';
import { parseEscapedPem } from './escaped-pem.js';

// A value is quoted when it holds a separator; quotes inside a value are escaped. Never two ways to read a character.
const pair = / *([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^",;]*)([,;]|$)/y;

// Names of a certificate come unquoted and as they are, so that one of them can end a value, or an element, and begin another.
const keyOfCertificate = /(?:cert|chain)=/i;

/**
 * Reads Envoy's X-Forwarded-Client-Cert. Each proxy on the way may have added an element; the last one is of the
 * proxy that speaks to us, and tells the certificate of its client. The ones before it are hearsay, read only to find
 * where they end, and whether it was their own certificate that ended them.
 *
 * @returns undefined when it is not this, or when the last element holds no certificate: `Hash` and `Subject` alone
 *   prove nothing that could be checked again
 */
export function parseXfcc(text: string): CertificateChain | undefined {
  const elements = parseElements(text);
  const element = elements?.pop();
  if (element === undefined || elements?.some(mayBeEndedByItsCertificate)) return undefined;
  const [cert, chain] = [element.get('cert'), element.get('chain')];
  const [leaf, ...more] = cert === undefined ? [] : (parseEscapedPem(cert, { plain: false }) ?? []);
  const whole = chain === undefined ? [] : (parseEscapedPem(chain, { plain: false }) ?? []);
  if ((cert !== undefined && leaf === undefined) || more.length > 0) return undefined;
  if (chain === undefined) return leaf && { leaf, others: [] };
  // `Chain` begins with the leaf itself.
  const [first, ...others] = whole;
  if (first === undefined || (leaf !== undefined && !leaf.equals(first))) return undefined;
  return { leaf: first, others };
}

/** From key in lower case to value, without quotes. */
type Element = ReadonlyMap<string, string>;

/** @returns at least one; undefined when a key that matters here is repeated, or stands behind names of the certificate */
function parseElements(text: string): Element[] | undefined {
  const elements: Element[] = [];
  let element = new Map<string, string>();
  pair.lastIndex = 0;
  for (;;) {
    const match = pair.exec(text);
    if (match === null) return undefined;
    const [, key = '', value = '', separator] = match;
    const name = key.toLowerCase();
    if (name === 'cert' || name === 'chain') {
      if (element.has(name) || hasNames(element)) return undefined;
    }
    element.set(name, value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value);
    if (separator === ';') continue;
    elements.push(element);
    if (separator === '') return elements;
    element = new Map();
  }
}

/**
 * Whether a certificate of the element holds what would begin another certificate behind it: whoever owns it wrote the
 * elements that follow. Envoy writes the certificate of the handshake first, where no name can reach; where it writes
 * only the names, nobody can tell.
 */
function mayBeEndedByItsCertificate(element: Element): boolean {
  const certificates = [element.get('cert'), element.get('chain')].flatMap(
    (value = '') => parseEscapedPem(value, { plain: false }) ?? [],
  );
  if (certificates.length === 0) return hasNames(element);
  return certificates.some(mayNameCertificate);
}

/** Looked for in the bytes, where no reading of names can miss it, and in the names, whose encoding may be in pieces. */
function mayNameCertificate(der: Buffer): boolean {
  if (keyOfCertificate.test(der.toString('latin1'))) return true;
  try {
    return keyOfCertificate.test(new X509Certificate(der).subjectAltName ?? '');
  } catch {
    return true;
  }
}

function hasNames(element: Element): boolean {
  return element.has('uri') || element.has('dns');
}
