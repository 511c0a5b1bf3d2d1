import type { CertificateChain } from './client-certificate.js';
import { parseEscapedPem } from './escaped-pem.js';

// A value is quoted when it holds a separator; quotes inside a value are escaped. Never two ways to read a character.
const pair = / *([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^",;]*)([,;]|$)/y;

/**
 * Reads Envoy's X-Forwarded-Client-Cert. Each proxy on the way may have added an element; the last one is of the
 * proxy that speaks to us, and tells the certificate of its client. The ones before it are hearsay, read only to find
 * where they end.
 *
 * @returns undefined when it is not this, or when the last element holds no certificate: `Hash` and `Subject` alone
 *   prove nothing that could be checked again
 */
export function parseXfcc(text: string): CertificateChain | undefined {
  const element = parseLastElement(text);
  const [cert, chain] = [element?.get('cert'), element?.get('chain')];
  const [leaf, ...more] = cert === undefined ? [] : (parseEscapedPem(cert, { plain: false }) ?? []);
  const whole = chain === undefined ? [] : (parseEscapedPem(chain, { plain: false }) ?? []);
  if ((cert !== undefined && leaf === undefined) || more.length > 0) return undefined;
  if (chain === undefined) return leaf && { leaf, others: [] };
  // `Chain` begins with the leaf itself.
  const [first, ...others] = whole;
  if (first === undefined || (leaf !== undefined && !leaf.equals(first))) return undefined;
  return { leaf: first, others };
}

/** @returns key in lower case to value, without quotes; undefined when a key that matters here is repeated */
function parseLastElement(text: string): ReadonlyMap<string, string> | undefined {
  let element = new Map<string, string>();
  pair.lastIndex = 0;
  for (;;) {
    const match = pair.exec(text);
    if (match === null) return undefined;
    const [, key = '', value = '', separator] = match;
    const name = key.toLowerCase();
    if (element.has(name) && (name === 'cert' || name === 'chain')) return undefined;
    element.set(name, value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value);
    if (separator === '') return element;
    if (separator === ',') element = new Map();
  }
}
