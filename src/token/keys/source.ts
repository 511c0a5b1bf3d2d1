import { createReadStream } from 'node:fs';
import { maxDocumentBytes } from '../../jws/published-set.js';
import { type JsonObject, parseStrictJsonObject } from '../../jws/strict-json.js';
import type { IssuerOptions } from '../issuer.js';
import { fetchJson, readBounded, UnexpectedStatus } from './fetch-json.js';

/** Reads the key set of an issuer anew. @throws Error with the cause, fit for the log */
export type KeySource = (signal: AbortSignal) => Promise<JsonObject>;

type SourceOptions = Pick<IssuerOptions, 'issuer' | 'keys' | 'allowCleartext'>;

/** The way to an issuer's keys that the configuration names. */
export function keySource(options: SourceOptions): KeySource {
  const { keys } = options;
  if (keys === 'discovery') return (signal) => readDiscovered(options, signal);
  if ('file' in keys) return (signal) => readFile(keys.file, signal);
  return (signal) => fetchJson(new URL(keys.url), options, signal);
}

/** The metadata is read at each refresh, so that a `jwks_uri` that has moved is followed. */
async function readDiscovered(options: SourceOptions, signal: AbortSignal): Promise<JsonObject> {
  const { issuer, jwks_uri: location } = await readMetadata(options, signal);
  // Otherwise one tenant of a server could speak for another (RFC 8414 §3.3).
  if (issuer !== options.issuer) throw new Error('issuer of the metadata is not the configured one');
  if (typeof location !== 'string' || !URL.canParse(location)) throw new Error('metadata without jwks_uri');
  return fetchJson(new URL(location), options, signal);
}

/**
 * RFC 8414 first; where the server has nothing there, OpenID Connect Discovery. Any 4xx counts as nothing: servers
 * that do not know the path answer 400, 401 or 403 too, and the document is held against the issuer in both cases.
 */
async function readMetadata(options: SourceOptions, signal: AbortSignal): Promise<JsonObject> {
  try {
    return await fetchJson(authorizationServerMetadata(options.issuer), options, signal);
  } catch (error) {
    if (!(error instanceof UnexpectedStatus && error.status >= 400 && error.status < 500)) throw error;
    return await fetchJson(openidConfiguration(options.issuer), options, signal);
  }
}

/** @see RFC 8414 §3.1 */
function authorizationServerMetadata(issuer: string): URL {
  const url = new URL(issuer);
  url.pathname = `/.well-known/oauth-authorization-server${url.pathname.replace(/\/$/, '')}`;
  return url;
}

/** @see OpenID Connect Discovery 1.0 §4 */
function openidConfiguration(issuer: string): URL {
  const url = new URL(issuer);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/.well-known/openid-configuration`;
  return url;
}

async function readFile(file: string, signal: AbortSignal): Promise<JsonObject> {
  // Never reads further than one byte beyond the bound, whatever the path names.
  const object = parseStrictJsonObject(
    await readBounded(createReadStream(file, { end: maxDocumentBytes, signal })),
  );
  if (object === undefined) throw new Error(`${file} is not a strict JSON object`);
  return object;
}
