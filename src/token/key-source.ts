import { readFile } from 'node:fs/promises';
import { FetchError, type FetchOptions, fetchJson } from './fetch.js';
import type { IssuerOptions } from './issuer.js';

/**
 * Gets the JWK set of an issuer from where its configuration says: its metadata, a URL, or a file.
 *
 * @returns the document, unchecked
 * @throws Error with a message for the log
 * @see RFC 8414 §3; OpenID Connect Discovery 1.0 §4
 */
export async function fetchKeys(
  { issuer, keys, allowCleartext }: IssuerOptions,
  timeoutMs: number,
): Promise<unknown> {
  const options = { allowCleartext, timeoutMs };
  if (keys === 'discovery') return fetchJson(await discoverKeysUrl(issuer, options), options);
  if ('url' in keys) return fetchJson(keys.url, options);
  return JSON.parse(await readFile(keys.file, 'utf8'));
}

async function discoverKeysUrl(issuer: string, options: FetchOptions): Promise<string> {
  const metadata = await fetchMetadata(issuer, options);
  if (typeof metadata !== 'object' || metadata === null) throw new FetchError('metadata is not an object');
  // Whoever answers for another issuer must not bring its keys here (RFC 8414 §3.3).
  if (Reflect.get(metadata, 'issuer') !== issuer) throw new FetchError('metadata names another issuer');
  const url: unknown = Reflect.get(metadata, 'jwks_uri');
  if (typeof url !== 'string') throw new FetchError('metadata has no jwks_uri');
  return url;
}

/** RFC 8414 puts the well-known part before the path of the issuer, OpenID Connect behind it. */
async function fetchMetadata(issuer: string, options: FetchOptions): Promise<unknown> {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  try {
    return await fetchJson(`${origin}/.well-known/oauth-authorization-server${path}`, options);
  } catch (error) {
    const absent =
      error instanceof FetchError && error.status !== undefined && error.status >= 400 && error.status < 500;
    if (!absent) throw error;
    return fetchJson(`${origin}${path}/.well-known/openid-configuration`, options);
  }
}
