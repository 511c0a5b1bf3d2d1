import * as http from 'node:http';
import * as https from 'node:https';
import { maxDocumentBytes } from '../../jws/published-set.js';
import { type JsonObject, parseStrictJsonObject } from '../../jws/strict-json.js';
import { checkDestination, type DestinationRules, guardedLookup } from './destination.js';

/** The server answered, but not with 200. */
export class UnexpectedStatus extends Error {
  override readonly name = 'UnexpectedStatus';
  readonly status: number;

  constructor(url: URL, status: number) {
    super(`${url.href} answered ${status}`);
    this.status = status;
  }
}

const jsonType = /^application\/(?:json|[a-z0-9.!#$&^_-]+\+json)[ \t]*(?:;|$)/i;

/**
 * Fetches a JSON object of at most 256 KiB. Redirects are an error: an answer counts only when it comes from the
 * place that was named. TLS certificates are always verified.
 *
 * node:http and not `fetch`, which has no way to see the addresses that a name resolves to.
 *
 * @param signal - ends the whole exchange, the body included
 * @throws UnexpectedStatus, Error with the cause, fit for the log
 * @see RFC 8414 §3; RFC 7517 §8.5.1; REQUIREMENTS P01, P02
 */
export async function fetchJson(url: URL, rules: DestinationRules, signal: AbortSignal): Promise<JsonObject> {
  checkDestination(url, rules);
  const response = await open(url, rules, signal);
  try {
    if (response.statusCode !== 200) throw new UnexpectedStatus(url, response.statusCode ?? 0);
    const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = response.headers;
    if (!jsonType.test(type)) throw new Error(`${url.href} is not JSON by its content type`);
    if (encoding !== 'identity')
      throw new Error(`${url.href} came in a content coding that was not asked for`);
    const object = parseStrictJsonObject(await readBounded(response));
    if (object === undefined) throw new Error(`${url.href} is not a strict JSON object`);
    return object;
  } finally {
    response.destroy();
  }
}

/** Collects a stream. @throws Error when it is longer than 256 KiB, at the chunk that exceeds it */
export async function readBounded(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > maxDocumentBytes) throw new Error(`document longer than ${maxDocumentBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function open(url: URL, rules: DestinationRules, signal: AbortSignal): Promise<http.IncomingMessage> {
  const options: https.RequestOptions = {
    agent: false,
    headers: { accept: 'application/json', 'accept-encoding': 'identity' },
    lookup: guardedLookup(url, rules),
    rejectUnauthorized: true,
    signal,
  };
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? https : http).get(url, options, resolve);
    request.on('error', reject);
    // An answer like 101 is neither a response nor an error. After a response this has no effect.
    request.once('close', () => reject(new Error(`${url.href} closed without an answer`)));
  });
}
