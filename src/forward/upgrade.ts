import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Fault } from '../denial/fault.js';
import type { RequestFacts } from '../request/facts.js';
import { copyResponseHeaders, type ResponseHygiene } from './hygiene.js';

/**
 * Judges the service's 101 and builds the header fields of ours. Whatever is not the one right answer to this opening
 * handshake is a failure of the service, found before the client has got a byte: from then on nobody could tell whether
 * the service speaks WebSocket, or HTTP to which a client may now write requests that no gate sees.
 *
 * http-proxy opens the request (upgrade-request.ts) and no more. Its `ws()` cannot be made to do this: its own `upgrade`
 * listener writes the 101 from the service's header object and joins the sockets in one go, so that a wrong
 * Sec-WebSocket-Accept or an identity header cannot be kept from the client; a refusal with a chunked body gets out as
 * `Transfer-Encoding: chunked` with the body unchunked, with the service's reason phrase; `//` in the path is collapsed.
 * @returns name, value, …
 * @throws Fault ERR_UPSTREAM_RESPONSE_INVALID
 * @see RFC 6455 §4.1, §4.2.2; RFC 9110 §7.8, §8.6, §15.2.2; REQUIREMENTS A23, B03, B10; trap H17
 */
export function buildSwitchHeaders(
  answer: IncomingMessage,
  { head, requestId }: RequestFacts,
  hygiene: ResponseHygiene,
): string[] {
  const { headers, contentLength, transferEncoding } = copyResponseHeaders(answer.rawHeaders, hygiene);
  const [key = ''] = head.values('sec-websocket-key');
  const invalid =
    answer.httpVersion !== '1.1'
      ? `HTTP/${answer.httpVersion}`
      : contentLength !== undefined || transferEncoding.length > 0
        ? 'a body'
        : valuesOf(answer.rawHeaders, 'upgrade').join().toLowerCase() !== 'websocket'
          ? 'another protocol'
          : !/(?:^|,)[ \t]*upgrade[ \t]*(?:,|$)/i.test(valuesOf(answer.rawHeaders, 'connection').join())
            ? 'connection without upgrade'
            : valuesOf(headers, 'sec-websocket-accept').join() !== acceptFor(key)
              ? 'wrong sec-websocket-accept'
              : undefined;
  if (invalid !== undefined) throw new Fault('ERR_UPSTREAM_RESPONSE_INVALID', { detail: `101: ${invalid}` });
  headers.push('Connection', 'Upgrade', 'Upgrade', 'websocket', 'X-Request-Id', requestId);
  return headers;
}

function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name);
}

/** @see RFC 6455 §1.3 */
function acceptFor(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}
