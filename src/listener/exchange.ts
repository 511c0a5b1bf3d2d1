import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Denial } from '../denial/denial.js';
import { Fault } from '../denial/fault.js';
import type { Forwarder } from '../forward/forwarder.js';
import type { HeldSocket } from '../forward/held-socket.js';
import { remainingHops } from '../forward/hygiene.js';
import { InboundBody } from '../forward/inbound.js';
import type { Admission } from '../gate/admission.js';
import type { Gate } from '../gate/gate.js';
import { type Refusal, toRefusal } from '../gate/refusal.js';
import {
  type OpenRecord,
  type Outcome,
  openRecord,
  type RequestRecord,
} from '../observability/request-record.js';
import type { ResourceMetadata } from '../reply/metadata.js';
import type { Answer, Replies } from '../reply/reply.js';
import type { RequestFacts } from '../request/facts.js';
import { findRequestId } from '../request/forwarded.js';
import type { Connection, Job } from './connection.js';
import { attachResponse, type Ending, writeAnswer } from './write.js';

export interface ExchangeParts {
  readonly gate: Gate;
  readonly forwarder: Forwarder;
  readonly replies: Replies;
  readonly metadata: ResourceMetadata;
  readonly record: (record: RequestRecord) => void;
}

/** What Node's parser found out about `Expect`. @see RFC 9110 §10.1.1 */
export type Expectation = 'none' | 'continue';

export interface InboundRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly expectation: Expectation;
  /** where the parser took the request for an upgrade: the connection, of which `response` is not the server's own */
  readonly held: HeldSocket | undefined;
}

/**
 * One request on its way through: gate, then service or refusal, then the one event that tells about it. Never
 * throws.
 */
export class Exchange implements Job {
  readonly #parts: ExchangeParts;
  readonly #connection: Connection;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #body: InboundBody;
  readonly #expectation: Expectation;
  readonly #held: HeldSocket | undefined;
  /** filled in on the way, told at the end */
  readonly #record: OpenRecord;
  readonly #startedMs = performance.now();
  /** the whole answer is with the operating system; `writableFinished` also says so of one that was cut off */
  #isGiven = false;
  /** from here on a client that waits for 100 may have got it, and be sending its body */
  #isForwarding = false;
  #isCutOff = false;
  #isRevoked = false;

  constructor(parts: ExchangeParts, connection: Connection, inbound: InboundRequest) {
    this.#parts = parts;
    this.#connection = connection;
    this.#expectation = inbound.expectation;
    this.#request = inbound.request;
    this.#response = inbound.response;
    this.#held = inbound.held;
    this.#body = new InboundBody(inbound.request);
    // Node says `finish` also of an answer that we have just cut off.
    this.#response.once('finish', () => {
      this.#isGiven = !this.#response.destroyed;
    });
    const given = connection.front && findRequestId(inbound.request.rawHeaders);
    this.#record = openRecord(given ?? randomUUID(), connection.remoteAddress);
  }

  failBody(denial: Denial): boolean {
    if (!this.#body.isArriving) return false;
    this.#body.fail(denial);
    return true;
  }

  endConnection(): void {
    if (!this.#response.headersSent) this.#response.shouldKeepAlive = false;
  }

  /**
   * An attempt to upgrade gets its answer like any request, unless that is a 101: an upgraded connection has no answer
   * that would be its last, and ends at once.
   */
  revoke(): void {
    this.#isRevoked = true;
    this.endConnection();
    this.#held?.revoke();
  }

  cutOff(): void {
    const hasEnded = this.#isGiven || this.#response.destroyed || this.#request.socket.destroyed;
    // One that was refused before was refused for its own reason.
    this.#isCutOff = !hasEnded && this.#record.cause === undefined;
  }

  drained(): void {
    this.#response.emit('drain');
  }

  async run(): Promise<void> {
    try {
      if (this.#held !== undefined) attachResponse(this.#response, this.#held);
      await this.#serve();
    } catch (error) {
      await this.#refuse(toRefusal(error, {}));
    }
    if (this.#isCutOff) this.#blameShutdown();
    this.#record.durationMs = performance.now() - this.#startedMs;
    this.#parts.record(this.#record);
  }

  /** Neither side has left or failed, whatever it looked like when both connections were cut. */
  #blameShutdown(): void {
    const record = this.#record;
    record.cause = new Fault('ERR_SHUTTING_DOWN');
    record.status = this.#response.headersSent ? this.#response.statusCode : 0;
    if (record.status !== 101) record.outcome = 'failed';
  }

  async #serve(): Promise<void> {
    const { method = '', url = '', httpVersion, rawHeaders } = this.#request;
    const { remoteAddress, certificate, front } = this.#connection;
    const verdict = await this.#parts.gate.decide({
      requestId: this.#record.requestId,
      method,
      target: url,
      httpVersion,
      rawHeaders,
      remoteAddress,
      certificate,
      front,
      isUpgrade: this.#held !== undefined,
    });
    this.#record.gateMs = performance.now() - this.#startedMs;
    switch (verdict.kind) {
      case 'refused':
        return this.#refuse(verdict);
      case 'metadata':
        return this.#answerLocally(
          this.#parts.metadata.answer(verdict.facts.method, verdict.facts.target.path),
          verdict.facts,
        );
      case 'admitted':
        return this.#forward(verdict.admission);
    }
  }

  async #forward(admission: Admission): Promise<void> {
    const { facts, grant } = admission;
    const { route, token, constraint } = grant;
    const record = this.#record;
    this.#connection.markAdmitted();
    record.facts = facts;
    record.route = route;
    record.token = token;
    record.proof = grant.proof;
    record.key = constraint?.jkt ?? constraint?.x5tS256;
    record.exception = grant.exception?.id;
    // That makes us the final recipient. @see RFC 9110 §7.6.2
    if (remainingHops(facts) === 0) return this.#answerLocally(noContent, facts);
    this.#isForwarding = true;
    try {
      const inbound = {
        request: this.#request,
        response: this.#response,
        body: this.#body,
        held: this.#held,
        isRevoked: () => this.#isRevoked,
      };
      const { status, upstreamMs } = await this.#parts.forwarder.forward(
        admission,
        inbound,
        this.#expectation === 'continue',
      );
      record.upstreamMs = upstreamMs;
      this.#end(status, 'forwarded');
    } catch (error) {
      await this.#refuse(toRefusal(error, { facts, route, ...(token && { token }) }));
    }
  }

  async #answerLocally({ status, headers, body }: Answer, facts: RequestFacts): Promise<void> {
    this.#record.facts = facts;
    const answer = { status, headers: [...headers, 'X-Request-Id', this.#record.requestId], body };
    await this.#write(answer, facts, false);
    this.#end(status, 'local');
  }

  /** Answers with the refusal; where an answer has begun, nothing can be said but by cutting it off (B13). */
  async #refuse(refusal: Refusal): Promise<void> {
    const { cause, facts, route, token } = refusal;
    const record = this.#record;
    record.cause = cause;
    record.facts = facts;
    const { method = '', url: target = '' } = this.#request;
    if (facts === undefined) record.sent = { method, target };
    record.route = route;
    record.token = token;
    record.key ??= refusal.key;
    record.outcome = cause instanceof Denial ? 'refused' : 'failed';
    if (this.#response.headersSent) {
      record.status = this.#response.statusCode;
      if (cause instanceof Denial && cause.entry.endsStream) record.outcome = 'forwarded';
      this.#connection.closeNow();
      return;
    }
    if (this.#response.destroyed) {
      // Whatever became of it, it was for a client that had left.
      record.cause = undefined;
      record.outcome = 'aborted';
      this.#connection.closeNow();
      return;
    }
    record.status = cause.entry.status;
    const answer = this.#parts.replies.refuse(refusal, record.requestId);
    await this.#write(answer, facts, isMessageFault(cause.entry));
  }

  async #write(answer: Answer, facts: RequestFacts | undefined, messageFault: boolean): Promise<void> {
    // A body that came with the head is parsed by then: it is not unread, and need not end the connection.
    if (!this.#request.complete) await nextTurn();
    const ending = this.#ending(facts, messageFault);
    if (ending !== 'keep') this.#connection.closeAfterAnswer();
    const inbound = { request: this.#request, response: this.#response, body: this.#body };
    await writeAnswer(inbound, answer, ending);
  }

  /** A body that is left unread ends the connection, or it would be taken for the next request (A19). */
  #ending(facts: RequestFacts | undefined, messageFault: boolean): Ending {
    if (this.#body.isBroken) return 'close';
    if (this.#request.complete || facts?.framing.kind === 'none') return messageFault ? 'close' : 'keep';
    // Without facts it is not known whether there is a body. A client that waits for 100 sends none.
    return this.#expectation === 'continue' && !this.#isForwarding ? 'close' : 'drain-and-close';
  }

  #end(status: number, outcome: Outcome): void {
    this.#record.status = status;
    // Nobody but the two sides knows when a WebSocket has said everything.
    this.#record.outcome = this.#isGiven || status === 101 ? outcome : 'aborted';
  }
}

const noContent: Answer = { status: 204, headers: ['Cache-Control', 'no-store'], body: '' };

// What is wrong with the message itself: whatever follows on this connection cannot be trusted to be a request.
function isMessageFault(entry: { readonly status: number; readonly error?: string }): boolean {
  return entry.error === undefined && [400, 408, 413, 414, 417, 431, 501].includes(entry.status);
}
