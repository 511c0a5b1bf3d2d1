import type { IncomingMessage } from 'node:http';
import { Fault } from '../denial/fault.js';
import { exposedHeaders } from '../request/cors.js';
import type { UpstreamCall } from './upstream.js';

/** @throws Fault ERR_UPSTREAM_RESPONSE_INVALID for what may not be passed on. @see RFC 9112 §4, §6.3; RFC 9110 §15 */
export function checkAnswer(
  answer: IncomingMessage,
  transferEncoding: readonly string[],
  call: UpstreamCall,
): number {
  const { statusCode = 0, httpVersion } = answer;
  const invalid =
    statusCode < 200 || statusCode > 599
      ? `status ${statusCode}`
      : httpVersion !== '1.1' && httpVersion !== '1.0'
        ? `HTTP/${httpVersion}`
        : httpVersion === '1.0' && transferEncoding.length > 0
          ? 'transfer coding in HTTP/1.0'
          : transferEncoding.some((coding) => coding.toLowerCase() !== 'chunked') ||
              transferEncoding.length > 1
            ? 'transfer coding other than chunked'
            : answer.destroyed && !answer.complete
              ? 'broken off'
              : undefined;
  if (invalid === undefined) return statusCode;
  call.abort();
  throw new Fault('ERR_UPSTREAM_RESPONSE_INVALID', { detail: invalid });
}

/** A new nonce before the client's own ends; an answer that carries one is not for sharing. @see RFC 9449 §8.2 */
export function addNonce(headers: string[], nonce: string, exposed: boolean): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    if (headers[i]?.toLowerCase() === 'cache-control') headers.splice(i, 2);
  }
  headers.push('Cache-Control', 'no-store', 'DPoP-Nonce', nonce);
  if (exposed) headers.push('Access-Control-Expose-Headers', exposedHeaders);
}
