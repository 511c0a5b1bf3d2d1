import type { IncomingMessage } from 'node:http';
import { Denial } from '../denial/denial.js';
import type { Admission } from '../gate/admission.js';
import { type Framing, hasBody, isBodyUnexpected } from '../request/framing.js';
import { addNonce, checkAnswer } from './answer.js';
import type { AssertionSigner } from './assertion.js';
import type { ExpiryWatch } from './expiry.js';
import {
  buildRequestHeaders,
  type CopiedResponseHeaders,
  copyResponseHeaders,
  type HygieneOptions,
} from './hygiene.js';
import { buildIdentity, type IdentityOptions } from './identity.js';
import { hasLeft, type Inbound } from './inbound.js';
import type { Pool } from './pool.js';
import { relay } from './relay.js';
import { tunnel } from './tunnel.js';
import { buildSwitchHeaders } from './upgrade.js';
import type { Upstream, UpstreamCall } from './upstream.js';

export interface ForwarderOptions {
  readonly hygiene: HygieneOptions;
  readonly identity: IdentityOptions;
  /** bytes of a body that no length announced; Infinity: no bound */
  readonly maxBodyBytes: number;
  /** no body of any method shares a connection */
  readonly separateBodies: boolean;
  /** silence in the middle of a body */
  readonly idleTimeoutMs: number;
  /** the same for text/event-stream and upgraded connections */
  readonly streamIdleTimeoutMs: number;
}

export interface ForwarderParts {
  readonly upstream: Upstream;
  readonly pool: Pool;
  readonly assertion: AssertionSigner | undefined;
  readonly expiry: ExpiryWatch;
  /** @see RFC 9449 §8.2 */
  readonly issueNonce: (origin: string) => string;
}

/** @see RFC 9110 §8.3.1: media types are compared without case */
const eventStream = /^text\/event-stream[ \t]*(?:;|$)/i;

/** What became of a forwarded request, for log and metrics. */
export interface Forwarded {
  /** as sent to the client; 0 when it left before; 101 when the connection was upgraded, and has ended since */
  readonly status: number;
  /** from sending the request to the head of the answer; undefined when the service was not asked */
  readonly upstreamMs: number | undefined;
}

/**
 * Carries an admitted request to the service and its answer back, both as streams: no body is held in memory, and a
 * slow reader on one side slows the other.
 */
export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #parts: ForwarderParts;

  constructor(options: ForwarderOptions, parts: ForwarderParts) {
    this.#options = options;
    this.#parts = parts;
  }

  /**
   * Resolves when the exchange with the client has ended, whole or cut short.
   *
   * @param expectsContinue - the client waits for 100 before it sends its body; it has not been sent yet
   * @throws Denial identity_*, client_certificate_untrusted, body_too_large, *_expired_while_streaming, websocket_idle; Fault
   *   ERR_UPSTREAM_*
   * @see REQUIREMENTS A23, A24, B10-B15, J11
   */
  async forward(admission: Admission, inbound: Inbound, expectsContinue: boolean): Promise<Forwarded> {
    const { facts, grant } = admission;
    const { response } = inbound;
    const statements = buildIdentity(grant, this.#options.identity);
    const signer = this.#parts.assertion;
    const assertion = signer && (await signer.sign(admission));
    if (signer !== undefined && assertion !== undefined) statements.push([signer.header, assertion]);
    if (hasLeft(inbound)) return neverSent;

    const entered = this.#parts.pool.enter(admission, response);
    const leave = entered instanceof Promise ? await entered : entered;
    try {
      if (hasLeft(inbound)) return neverSent;
      checkTrust(admission, inbound);
      const headers = buildRequestHeaders(admission, statements, this.#options.hygiene);
      // Only now, so that a refused client never sends its body (A24).
      if (expectsContinue) response.writeContinue();
      const startedMs = performance.now();
      const call = this.#parts.upstream.send(inbound, {
        method: facts.method,
        target: facts.target.raw,
        headers,
        hasBody: hasBody(facts.framing),
        isSeparate: hasBody(facts.framing) && this.#travelsAlone(admission),
      });
      try {
        const answer = await this.#awaitAnswer(call, inbound, facts.framing);
        const upstreamMs = performance.now() - startedMs;
        if (answer.statusCode === 101) {
          await this.#switchProtocols(admission, answer, inbound);
          return { status: 101, upstreamMs };
        }
        // The service is done with the request then, however long the client takes to read.
        answer.once('end', leave);
        const status = await this.#relay(admission, { answer, call }, inbound);
        return { status, upstreamMs };
      } catch (error) {
        call.abort();
        throw error;
      }
    } finally {
      leave();
    }
  }

  /**
   * Whether the body could become a request of its own: a service that does not read it takes what it says for the next
   * request on the connection, past the gate, and whoever comes next gets the answer. On a connection that is closed
   * nobody comes next, and `Connection: close` tells the service so. Without credentials anybody could try.
   * @see REQUIREMENTS B18
   */
  #travelsAlone({ facts, grant }: Admission): boolean {
    return this.#options.separateBodies || grant.token === undefined || isBodyUnexpected(facts.method);
  }

  /** Waits for the head of the answer; gives the call up when the client leaves or its body turns out bad. */
  async #awaitAnswer(
    call: UpstreamCall,
    { response, body }: Inbound,
    framing: Framing,
  ): Promise<IncomingMessage> {
    response.once('close', () => {
      if (!response.writableFinished) call.abort();
    });
    if (framing.kind === 'none') return call.response;
    if (framing.kind === 'chunked' && Number.isFinite(this.#options.maxBodyBytes))
      body.limit(this.#options.maxBodyBytes, () => call.abort());
    const failure = body.failure();
    failure.catch(() => {
      call.abort();
      // An answer that has begun cannot be taken back; cut off, it is not taken for whole (B13).
      if (response.headersSent) response.destroy();
    });
    return Promise.race([call.response, failure]);
  }

  async #relay(
    admission: Admission,
    { answer, call }: { answer: IncomingMessage; call: UpstreamCall },
    { request, response, body }: Inbound,
  ): Promise<number> {
    const { facts, grant } = admission;
    const { names } = this.#options.hygiene;
    const guarded = grant.route.proof !== 'none';
    const copied = copyResponseHeaders(answer.rawHeaders, { names, guarded });
    const status = checkAnswer(answer, copied.transferEncoding, call);
    const bodiless = facts.method === 'HEAD' || status === 204 || status === 304;
    const { headers, contentLength } = copied;
    // A service that sends the body after all would have it read as the answer to whoever comes next.
    if (bodiless && (facts.method === 'HEAD' || announcesBody(copied))) call.retire();
    // It has answered before it had the body. The rest, which is still on its way, it may never read.
    else if (hasBody(facts.framing) && !call.isSent()) call.retire();
    if (contentLength !== undefined && status !== 204) headers.push('Content-Length', contentLength);
    if (admission.nonceExpiresSoon) this.#addNonce(admission, headers);
    headers.push('X-Request-Id', facts.requestId);

    const streams = copied.contentType !== undefined && eventStream.test(copied.contentType);
    const idleMs = streams ? this.#options.streamIdleTimeoutMs : this.#options.idleTimeoutMs;
    // The reason phrase is never copied (B10).
    response.writeHead(status, headers);
    // The first event of a stream may be long in coming.
    if (!bodiless && !answer.complete && contentLength === undefined) response.flushHeaders();
    const { expiry } = this.#parts;
    await relay({ answer, call, bodiless, idleMs, expiry, admission }, { request, response, body });
    settleRequest(request, call, answer);
    return status;
  }

  /** The service has agreed to the upgrade. Resolves when both connections are closed. */
  async #switchProtocols(
    admission: Admission,
    answer: IncomingMessage,
    { response, held }: Inbound,
  ): Promise<void> {
    const { facts, grant } = admission;
    const service = answer.socket;
    try {
      if (held === undefined) throw new TypeError('101 to an ordinary request');
      this.#parts.expiry.check(admission);
      const hygiene = { names: this.#options.hygiene.names, guarded: grant.route.proof !== 'none' };
      const headers = buildSwitchHeaders(answer, facts, hygiene);
      if (admission.nonceExpiresSoon) this.#addNonce(admission, headers);
      response.writeHead(101, headers);
      response.flushHeaders();
      response.detachSocket(held.socket);
      await tunnel({
        client: held,
        service,
        idleMs: this.#options.streamIdleTimeoutMs,
        closingMs: this.#options.idleTimeoutMs,
        watchExpiry: (end) => this.#parts.expiry.watch(admission, end),
      });
    } finally {
      service.destroy();
    }
  }

  #addNonce({ facts, grant }: Admission, headers: string[]): void {
    const nonce = this.#parts.issueNonce(facts.origin.uri);
    addNonce(headers, nonce, grant.route.preflight === 'forward');
  }
}

function announcesBody({ contentLength = '0', transferEncoding }: CopiedResponseHeaders): boolean {
  return contentLength !== '0' || transferEncoding.length > 0;
}

/** A request that waited for its place was admitted on a trust that may have ended since. @see REQUIREMENTS J11 */
function checkTrust({ grant: { constraint } }: Admission, { isRevoked }: Inbound): void {
  if (constraint?.x5tS256 !== undefined && isRevoked())
    throw new Denial(
      'client_certificate_untrusted',
      'its CAs or revocation lists have changed while it waited',
    );
}

/** The client left before the service was asked. */
const neverSent: Forwarded = { status: 0, upstreamMs: undefined };

/**
 * After the answer: a request that is still being sent has nobody to read it, so its connection ends (A19). So does the
 * connection to the service, where that has answered and does not read the rest: nothing else would ever end it, and its
 * place is another's already.
 */
function settleRequest(request: IncomingMessage, call: UpstreamCall, answer: IncomingMessage): void {
  if (request.complete && answer.complete && call.isSent()) return;
  call.abort();
  if (!request.complete) request.socket.destroySoon();
}
