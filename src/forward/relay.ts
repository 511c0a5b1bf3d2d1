import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Denial } from '../denial/denial.js';
import { Fault } from '../denial/fault.js';
import type { Admission } from '../gate/admission.js';
import type { ExpiryWatch } from './expiry.js';
import type { Inbound } from './inbound.js';
import type { UpstreamCall } from './upstream.js';

/** An answer of the service whose head was judged and written to the client. */
export interface RelayedAnswer {
  readonly answer: IncomingMessage;
  readonly call: UpstreamCall;
  /** the client's side gets no body whatever the service sends: HEAD, 204, 304 */
  readonly bodiless: boolean;
  /** silence in the middle of the body that ends it, ms */
  readonly idleMs: number;
  /** ends an answer that outlives what the request was admitted on */
  readonly expiry: ExpiryWatch;
  readonly admission: Admission;
}

/**
 * Carries the body of an answer to the client. When the service dies or falls silent in the middle, or the client stops
 * reading, the client's connection is cut without a valid end, so that half an answer is never taken for a whole
 * one (B11). An answer that is whole before its request is ends the call: what is left of the request is dropped, within
 * bounds (A19).
 *
 * @param client - the head of the answer is written; while the body of the request still flows, the call is not silent
 * @returns a promise that resolves when the client has the answer or has left
 * @throws Fault ERR_UPSTREAM_RESPONSE_INVALID, ERR_UPSTREAM_TIMEOUT; Denial *_expired_while_streaming: when it was cut
 */
export function relay(
  relayed: RelayedAnswer,
  client: Pick<Inbound, 'request' | 'response' | 'body'>,
): Promise<void> {
  const { answer, bodiless, idleMs, call } = relayed;
  const { request, response } = client;
  return new Promise((resolve, reject) => {
    let dropped: Promise<void> | undefined;
    response.on('close', () => resolve(dropped));
    // From here on nothing but the client keeps the answer, and it gets no longer than the service would.
    answer.on('end', () => {
      const unread = response.socket?.writableLength ?? 0;
      if (unread > 0) limitUnread(response, idleMs);
    });
    // Most answers are whole by now: they go out in one write, and there is nothing to watch over.
    if (answer.complete && request.complete) endWith(bodiless ? null : answer.read(), answer, response);
    else {
      const cut = (cause: Denial | Fault) => {
        reject(cause);
        response.destroy();
      };
      watch(relayed, client, cut);
      const end = () => {
        if (request.complete) response.end();
        else dropped = endEarly(client, call);
      };
      if (bodiless) end();
      else pump(answer, response, end);
    }
    if (bodiless) answer.resume();
  });
}

/** Ends an answer whose request is still being sent. @returns a promise that resolves when the rest of that is dropped */
function endEarly(
  { request, response, body }: Pick<Inbound, 'request' | 'response' | 'body'>,
  call: UpstreamCall,
): Promise<void> {
  call.abort();
  const dropped = body.dropRest();
  // Node ends the connection with the answer where it says so, and behind one of unknown length to an HTTP/1.0 client: then
  // all of the answer but its end goes out before.
  const goesOn = response.shouldKeepAlive && request.httpVersionMinor > 0;
  if (goesOn) response.end();
  else {
    response.flushHeaders();
    void dropped.then(() => response.end());
  }
  return dropped;
}

function limitUnread(response: ServerResponse, idleMs: number): void {
  response.setTimeout(idleMs, () => response.destroy());
  // In front of Node's own listener, which sets the limit of an idle connection or begins the next answer: that is not
  // to inherit this one.
  response.prependOnceListener('finish', () => response.setTimeout(0));
}

/** Newer releases of Node hand out what has come in the pieces in which it came, older ones in one. */
function endWith(first: Buffer | null, answer: IncomingMessage, response: ServerResponse): void {
  if (first === null) {
    response.end();
    return;
  }
  let chunk = first;
  for (let next: Buffer | null = answer.read(); next !== null; next = answer.read()) {
    response.write(chunk);
    chunk = next;
  }
  response.end(chunk);
}

function watch(
  { answer, call, idleMs, expiry, admission }: RelayedAnswer,
  { request, response }: Pick<Inbound, 'request' | 'response'>,
  cut: (cause: Denial | Fault) => void,
): void {
  const end = (cause: Denial | Fault) => {
    // The client's side first: giving the call up drops what is unread of the answer and lets it seem to end well.
    cut(cause);
    call.abort();
  };
  const timer = setTimeout(() => {
    end(new Fault('ERR_UPSTREAM_TIMEOUT', { detail: 'silent in the body' }));
  }, idleMs);
  const unwatch = expiry.watch(admission, end);
  const extend = () => void timer.refresh();
  answer.on('data', extend);
  if (!request.complete) request.on('data', extend);
  answer.on('close', () => {
    clearTimeout(timer);
    if (!answer.complete && !response.destroyed)
      cut(new Fault('ERR_UPSTREAM_RESPONSE_INVALID', { detail: 'broken off in the body' }));
  });
  response.on('close', () => {
    clearTimeout(timer);
    unwatch();
  });
}

/** `pipe` for one pair: what it adds, listeners for errors and for streams that come and go, others do here. */
function pump(answer: IncomingMessage, response: ServerResponse, end: () => void): void {
  const resume = () => void answer.resume();
  answer.on('data', (chunk: Buffer) => {
    if (response.destroyed || response.write(chunk)) return;
    answer.pause();
    response.once('drain', resume);
  });
  answer.on('end', end);
}
