import { lookup } from 'node:dns';
import * as http from 'node:http';
import * as https from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';

export interface FetchOptions {
  /** http:// off loopback */
  readonly allowCleartext: boolean;
  /** for the whole exchange */
  readonly timeoutMs: number;
}

const maxBodyBytes = 256 * 1024;
const jsonType = /^application\/(?:[a-z0-9.-]+\+)?json[ \t]*(?:;|$)/i;

/** Where cloud providers serve credentials to whoever asks. @see REQUIREMENTS P01 */
const linkLocal = new BlockList();
linkLocal.addSubnet('169.254.0.0', 16);
linkLocal.addSubnet('fe80::', 10, 'ipv6');

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/** An answer other than the document: its status tells "not there" from "broken". */
export class FetchError extends Error {
  override readonly name = 'FetchError';
  readonly status: number | undefined;

  constructor(message: string, status?: number, options?: { cause: unknown }) {
    super(message, options);
    this.status = status;
  }
}

/**
 * Fetches one JSON document of at most 256 KiB. Follows no redirect, takes no other content type, and connects to no
 * link-local address, whatever the name resolves to: the check is made on the address that is connected to.
 *
 * @param url - https, or http on loopback, or http anywhere with `allowCleartext`
 * @throws FetchError
 * @see REQUIREMENTS P01, P02
 */
export async function fetchJson(url: string, { allowCleartext, timeoutMs }: FetchOptions): Promise<unknown> {
  const parsed = parseUrl(url, allowCleartext);
  const text = await new Promise<string>((resolve, reject) => {
    const client = parsed.protocol === 'https:' ? https : http;
    const headers = { Accept: 'application/json, application/jwk-set+json' };
    const request = client.get(parsed, { headers, agent: false, lookup: guardedLookup });
    const timer = setTimeout(
      () => request.destroy(new FetchError(`no answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    request.on('error', (error) => reject(toFetchError(error)));
    request.on('close', () => clearTimeout(timer));
    request.on('response', (response) =>
      readBody(response).then(resolve, (error: unknown) => {
        request.destroy();
        reject(toFetchError(error));
      }),
    );
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FetchError('not JSON', 200, { cause });
  }
}

function parseUrl(text: string, allowCleartext: boolean): URL {
  const url = URL.parse(text);
  if (url === null) throw new FetchError('not a URL');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && isListed(linkLocal, host)) throw new FetchError('link-local address');
  const onLoopback = host === 'localhost' || (isIP(host) !== 0 && isListed(loopback, host));
  if (url.protocol === 'https:' || (url.protocol === 'http:' && (allowCleartext || onLoopback))) return url;
  throw new FetchError('not https (see issuers[].allowCleartext)');
}

async function readBody(response: http.IncomingMessage): Promise<string> {
  const { statusCode, headers } = response;
  if (statusCode !== 200) throw new FetchError(`status ${statusCode}`, statusCode);
  if (!jsonType.test(headers['content-type'] ?? '')) throw new FetchError('content type is not JSON', 200);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw new FetchError(`more than ${maxBodyBytes} bytes`, 200);
  }
  if (!response.complete) throw new FetchError('broken off', 200);
  return Buffer.concat(chunks).toString('utf8');
}

const guardedLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    const [first] = addresses ?? [];
    if (error !== null || first === undefined) {
      callback(error ?? new Error('no address'), '', 0);
    } else if (addresses.some(({ address }) => isListed(linkLocal, address))) {
      callback(new FetchError(`${hostname} resolves to a link-local address`), '', 0);
    } else if (options.all === true) {
      callback(null, addresses);
    } else {
      callback(null, first.address, first.family);
    }
  });
};

function isListed(list: BlockList, address: string): boolean {
  // BlockList sees through ::ffff:a.b.c.d by itself.
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

function toFetchError(error: unknown): FetchError {
  if (error instanceof FetchError) return error;
  return new FetchError(error instanceof Error ? error.message : String(error), undefined, { cause: error });
}
