import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Denial } from '../denial/denial.js';
import type { Forwarded, Forwarder } from '../forward/forwarder.js';
import { InboundBody } from '../forward/inbound.js';
import type { Admission } from '../gate/admission.js';
import type { Gate } from '../gate/gate.js';
import { type Refusal, toRefusal } from '../gate/refusal.js';
import type { Outcome, RequestRecord } from '../observability/request-record.js';
import type { ResourceMetadata } from '../reply/metadata.js';
import type { Answer, Replies } from '../reply/reply.js';
import type { RequestFacts } from '../request/facts.js';
import type { Connection, Job } from './connection.js';
import { type Ending, writeAnswer } from './write.js';

export interface ExchangeParts {
  readonly gate: Gate;
  readonly forwarder: Forwarder;
  readonly replies: Replies;
  readonly metadata: ResourceMetadata;
  readonly record: (record: RequestRecord) => void;
}

/** What Node's parser found out about `Expect`. @see RFC 9110 §10.1.1 */
export type Expectation = 'none' | 'continue' | 'unknown';

export interface InboundRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly expectation: Expectation;
}

type Unfinished = Partial<RequestRecord> & Pick<RequestRecord, 'outcome' | 'status'>;

/** The record of a request of which nothing is known. */
export const unknownRequest = {
  ...{
    facts: undefined,
    route: undefined,
    token: undefined,
    proof: undefined,
    key: undefined,
    exception: undefined,
  },
  ...{ cause: undefined, durationMs: 0, gateMs: undefined, upstreamMs: undefined },
} satisfies Partial<RequestRecord>;

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
  readonly #requestId = randomUUID();
  readonly #startedMs = performance.now();
  #gateMs: number | undefined;

  constructor(parts: ExchangeParts, connection: Connection, inbound: InboundRequest) {
    this.#parts = parts;
    this.#connection = connection;
    this.#expectation = inbound.expectation;
    this.#request = inbound.request;
    this.#response = inbound.response;
    this.#body = new InboundBody(inbound.request);
  }

  failBody(denial: Denial): boolean {
    if (!this.#body.isArriving) return false;
    this.#body.fail(denial);
    return true;
  }

  async run(): Promise<void> {
    const result = await this.#serve().catch((error: unknown) => this.#refuse(toRefusal(error, {})));
    this.#parts.record({
      ...unknownRequest,
      ...result,
      requestId: this.#requestId,
      remoteAddress: this.#connection.remoteAddress,
      durationMs: performance.now() - this.#startedMs,
      gateMs: this.#gateMs,
    });
  }

  async #serve(): Promise<Unfinished> {
    const { gate, metadata } = this.#parts;
    const { method = '', url = '', httpVersion, rawHeaders } = this.#request;
    if (this.#expectation === 'unknown') return this.#refuse(toRefusal(new Denial('expectation_failed'), {}));
    const { remoteAddress, certificate } = this.#connection;
    const verdict = await gate.decide({
      ...{ requestId: this.#requestId, method, target: url, httpVersion, rawHeaders },
      ...{ remoteAddress, certificate },
    });
    this.#gateMs = performance.now() - this.#startedMs;
    switch (verdict.kind) {
      case 'refused':
        return this.#refuse(verdict);
      case 'metadata':
        return this.#answerMetadata(verdict.facts, metadata.answer(method, verdict.facts.target.path));
      case 'admitted':
        return this.#forward(verdict.admission, this.#expectation === 'continue');
    }
  }

  async #forward(admission: Admission, expectsContinue: boolean): Promise<Unfinished> {
    const { facts, grant } = admission;
    const { route, token, constraint, exception, proof } = grant;
    const about = {
      facts,
      route,
      token,
      proof,
      key: constraint?.jkt ?? constraint?.x5tS256,
      exception: exception?.id,
    };
    try {
      const inbound = { request: this.#request, response: this.#response, body: this.#body };
      const forwarded: Forwarded = await this.#parts.forwarder.forward(admission, inbound, expectsContinue);
      return {
        ...about,
        ...forwarded,
        outcome: this.#outcome(forwarded.upstreamMs === undefined ? 'local' : 'forwarded'),
      };
    } catch (error) {
      return {
        ...about,
        ...(await this.#refuse(toRefusal(error, { facts, route, ...(token && { token }) }))),
      };
    }
  }

  async #answerMetadata(facts: RequestFacts, answer: Answer): Promise<Unfinished> {
    const headers = [...answer.headers, 'X-Request-Id', this.#requestId];
    await this.#write({ ...answer, headers }, this.#ending(facts, false));
    return { facts, status: answer.status, outcome: this.#outcome('local') };
  }

  /** Answers with the refusal; where an answer has begun, nothing can be said but by cutting it off (B13). */
  async #refuse(refusal: Refusal): Promise<Unfinished> {
    const { cause, facts, route, token } = refusal;
    const about = { cause, facts, route, token, status: cause.entry.status };
    const outcome: Outcome = cause instanceof Denial ? 'refused' : 'failed';
    if (this.#response.headersSent || this.#response.destroyed) {
      this.#connection.closeNow();
      return { ...about, outcome: this.#response.headersSent ? outcome : 'aborted' };
    }
    // A body that came with the head is parsed by then: it is not unread, and need not end the connection.
    if (!this.#request.complete) await nextTurn();
    const answer = this.#parts.replies.refuse(refusal, this.#requestId);
    await this.#write(answer, this.#ending(facts, isMessageFault(cause.entry)));
    return { ...about, outcome };
  }

  async #write(answer: Answer, ending: Ending): Promise<void> {
    if (ending !== 'keep') this.#connection.closeAfterAnswer();
    await writeAnswer({ request: this.#request, response: this.#response }, answer, ending);
  }

  /** A body that is left unread ends the connection, or it would be taken for the next request (A19). */
  #ending(facts: RequestFacts | undefined, messageFault: boolean): Ending {
    if (this.#body.isBroken) return 'close';
    if (this.#request.complete || facts?.framing.kind === 'none') return messageFault ? 'close' : 'keep';
    // Without facts it is not known whether there is a body. A client that waits for 100 sends none.
    return this.#expectation === 'continue' ? 'close' : 'drain-and-close';
  }

  #outcome(whole: Outcome): Outcome {
    return this.#response.writableFinished ? whole : 'aborted';
  }
}

// What is wrong with the message itself: whatever follows on this connection cannot be trusted to be a request.
function isMessageFault(entry: { readonly status: number; readonly error?: string }): boolean {
  return entry.error === undefined && [400, 408, 413, 414, 417, 431, 501].includes(entry.status);
}
