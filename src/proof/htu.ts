import { normalizePercentEncoding } from '../request/target.js';

const uriGrammar = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)/;
const visibleAscii = /^[\x21-\x7e]+$/;
const authorityGrammar = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]*))?$/;
const defaultPorts: Readonly<Record<string, string>> = { http: '80', https: '443' };

/**
 * Whether `htu` of a proof names the URI of the request, after scheme-based and syntax-based normalisation. Query
 * and fragment of the claim are ignored. Only this side may be repaired: an ambiguous request path was refused before.
 *
 * @param htu - as claimed, any string
 * @param uri - effective request URI without query, in normal form (request/facts.ts)
 * @see RFC 9449 §4.3 check 9; RFC 3986 §6.2.2, §6.2.3; REQUIREMENTS N
 */
export function equalsHtu(htu: string, uri: string): boolean {
  return htu === uri || normalizeHtu(htu) === uri;
}

function normalizeHtu(htu: string): string | undefined {
  if (htu.length > 8192 || !visibleAscii.test(htu)) return undefined;
  const [, rawScheme, rawAuthority, rawPath] = uriGrammar.exec(htu) ?? [];
  if (rawScheme === undefined || rawAuthority === undefined || rawPath === undefined) return undefined;
  const scheme = rawScheme.toLowerCase();
  const port = defaultPorts[scheme];
  if (port === undefined) return undefined; // neither http nor https
  const match = authorityGrammar.exec(rawAuthority); // no userinfo: `@` is not in it
  if (match === null) return undefined;
  const path = removeDotSegments(normalizePercentEncoding(rawPath));
  if (path === undefined) return undefined;
  const host = rawAuthority.toLowerCase();
  const authority = match[1] === port || match[1] === '' ? host.slice(0, host.lastIndexOf(':')) : host;
  return `${scheme}://${authority}${path === '' ? '/' : path}`;
}

/** @see RFC 3986 §5.2.4 */
function removeDotSegments(path: string | undefined): string | undefined {
  if (path === undefined || !path.includes('/.')) return path;
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  for (const [index, segment] of segments.entries()) {
    const isDot = segment === '.' || segment === '..';
    if (segment === '..') kept.pop();
    if (!isDot) kept.push(segment);
    else if (index === segments.length - 1) kept.push('');
  }
  return `/${kept.join('/')}`;
}
