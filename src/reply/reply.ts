import { Denial } from '../denial/denial.js';
import type { Fault } from '../denial/fault.js';
import type { Refusal } from '../gate/refusal.js';
import { exposedHeaders } from '../request/cors.js';
import { buildChallenges, type ChallengeOptions } from './challenge.js';

/** A whole answer of our own, ready to be written. */
export interface Answer {
  readonly status: number;
  /** name, value, name, value, … */
  readonly headers: readonly string[];
  readonly body: string;
}

export interface ReplyOptions extends ChallengeOptions {
  /** a fresh nonce for this origin. @see RFC 9449 §9 */
  readonly issueNonce: (origin: string) => string;
}

/** `error` of a body whose refusal has no OAuth code of its own. */
const plainErrors: Readonly<Record<number, string>> = {
  400: 'invalid_request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  408: 'request_timeout',
  413: 'content_too_large',
  414: 'uri_too_long',
  417: 'expectation_failed',
  421: 'misdirected_request',
  426: 'upgrade_required',
  429: 'too_many_requests',
  431: 'header_fields_too_large',
  500: 'server_error',
  501: 'not_implemented',
  502: 'bad_gateway',
  503: 'temporarily_unavailable',
  504: 'gateway_timeout',
  508: 'loop_detected',
};

const usualMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/**
 * Turns a refusal into the answer on the wire: the catalogue's status, sentence and challenges. Private detail stays
 * in the log, and nothing of the request is echoed but our own request id.
 * @see RFC 6750 §3; RFC 9449 §7.1, §9; REQUIREMENTS section O
 */
export class Replies {
  readonly #options: ReplyOptions;

  constructor(options: ReplyOptions) {
    this.#options = options;
  }

  refuse(refusal: Refusal, requestId: string): Answer {
    const { cause } = refusal;
    const { status, sentence } = cause.entry;
    const headers = cause instanceof Denial ? this.#denialHeaders(refusal, cause) : faultHeaders(cause);
    const error = cause instanceof Denial ? cause.entry.error : undefined;
    const body = {
      error: error ?? plainErrors[status] ?? 'error',
      error_description: sentence,
      request_id: requestId,
    };
    return json(status, body, [...headers, 'X-Request-Id', requestId]);
  }

  #denialHeaders(refusal: Refusal, denial: Denial): string[] {
    const { status, error, retryAfterSeconds } = denial.entry;
    const headers = buildChallenges(refusal, denial, this.#options).flatMap((value) => [
      'WWW-Authenticate',
      value,
    ]);
    if (error === 'use_dpop_nonce' && refusal.facts !== undefined) {
      headers.push('DPoP-Nonce', this.#options.issueNonce(refusal.facts.origin.uri));
    }
    if (status === 405) headers.push('Allow', (denial.allow ?? usualMethods).join(', '));
    // RFC 9110 §15.5.22, RFC 6455 §4.4: what would have been accepted; the connection itself is closed.
    if (status === 426)
      headers.push('Connection', 'Upgrade, close', 'Upgrade', 'websocket', 'Sec-WebSocket-Version', '13');
    if (retryAfterSeconds !== undefined) headers.push('Retry-After', String(retryAfterSeconds));
    // A browser shows a refusal to its script only when the refusal itself says so (G22).
    if (refusal.route?.preflight === 'forward') {
      headers.push('Access-Control-Allow-Origin', '*', 'Access-Control-Expose-Headers', exposedHeaders);
    }
    return headers;
  }
}

function faultHeaders({ entry, retryAfterSeconds }: Fault): string[] {
  return entry.status === 503 ? ['Retry-After', String(retryAfterSeconds ?? 5)] : [];
}

/** An answer that must not be stored. */
export function json(status: number, body: unknown, headers: readonly string[] = []): Answer {
  const text = `${JSON.stringify(body)}\n`;
  return {
    status,
    headers: [
      ...headers,
      'Content-Type',
      'application/json',
      'Content-Length',
      String(Buffer.byteLength(text)),
      'Cache-Control',
      'no-store',
    ],
    body: text,
  };
}
