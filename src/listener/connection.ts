import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Denial } from '../denial/denial.js';
import type { PresentedCertificate } from '../request/client-certificate.js';
import type { TrustedFront, TrustedProxies } from '../request/trusted-proxies.js';
import type { Clock } from '../support/clock.js';
import { type AheadBudget, maxAheadBytes } from './ahead.js';
import type { TlsTrust } from './trust.js';

/** One thing to do on a connection, in the order in which the requests were sent. */
export interface Job {
  run(): Promise<void>;
  /** The parser gave up while the body of this request arrived. @returns false when its body was not at fault */
  failBody(denial: Denial): boolean;
  /** Its answer is the last one on the connection, and says so, unless it has begun. */
  endConnection(): void;
  /** The same, and it does not have the connection for itself beyond its answer, nor any longer if it has. */
  revoke(): void;
  /** The process ends before its answer is whole. */
  cutOff(): void;
  /** what was written to the connection has gone out, and the server is no longer there to say so */
  drained(): void;
}

/** What a connection is found out about when its first request comes. */
export interface PeerRules {
  readonly proxies: TrustedProxies;
  /** whether services are told of trusted certificates, so that more than a thumbprint of them is kept */
  readonly keepCertificates: boolean;
  readonly clock: Clock;
}

// A client may send requests ahead (RFC 9112 §9.3.2), but not as many as it likes.
const maxAhead = 64;

interface Queued {
  readonly job: Job;
  /** what it takes of the budget until its turn comes */
  readonly bytes: number;
}

/**
 * One client connection. Requests that were sent ahead are served one after the other, so that nothing behind a
 * refusal which closes the connection is ever looked at, although the parser has already delivered it (A18).
 */
export class Connection {
  readonly socket: Socket;
  readonly remoteAddress: string;
  /** captured before the first request: a closed socket no longer tells. @see REQUIREMENTS J09 */
  readonly certificate: PresentedCertificate | undefined;
  /** the peer is a front proxy that speaks for its clients; decided by its address, once */
  readonly front: TrustedFront | undefined;
  /** the job at work, then those that wait */
  readonly #jobs: Queued[] = [];
  readonly #ahead: AheadBudget;
  /** taken of the budget */
  #aheadBytes = 0;
  #idleSinceMs = performance.now();
  #worked: Promise<void> = Promise.resolve();
  #closing = false;
  #isAdmitted = false;
  #draining = false;
  #overflown = false;
  /** it has to be closed here: the answer under way may have begun before it could say that it is the last */
  #ending = false;

  constructor(
    socket: Socket,
    { trust, ahead }: { readonly trust: TlsTrust | undefined; readonly ahead: AheadBudget },
    { proxies, keepCertificates, clock }: PeerRules,
  ) {
    this.socket = socket;
    this.#ahead = ahead;
    this.remoteAddress = socket.remoteAddress ?? '';
    this.front = proxies.find(this.remoteAddress);
    // Nobody waits any more for what is still to be done.
    socket.once('close', () => this.closeAfterAnswer());
    this.certificate =
      socket instanceof TLSSocket
        ? trust?.capture(socket, { keepFields: keepCertificates, nowMs: clock.nowMs() })
        : undefined;
  }

  /** whether an answer is still to be given */
  get isBusy(): boolean {
    return this.#jobs.length > 0;
  }

  /** holds when nothing is at work any more, for now: also what a client no longer waits for comes to its end */
  get worked(): Promise<void> {
    return this.#worked;
  }

  /**
   * When the last answer was given, by `performance.now()`; undefined while one is due. Node begins its own count of
   * idleness anew with every byte, also with an empty line, that is no beginning of a request.
   */
  get idleSinceMs(): number | undefined {
    return this.isBusy ? undefined : this.#idleSinceMs;
  }

  /** whether a request on it was let through */
  get isAdmitted(): boolean {
    return this.#isAdmitted;
  }

  markAdmitted(): void {
    this.#isAdmitted = true;
  }

  /**
   * Serves the job when all earlier ones are done; drops it when one of them closed the connection. Of a client that sends
   * more ahead than is kept what came first is answered, and then the connection ends: more requests, or more bytes of them.
   * One may always wait: it may have come while the answer before it was being finished.
   * @param makeJob - called when it is not dropped
   * @param measure - what it takes while it waits, in bytes; called when it has to wait
   */
  enqueue(makeJob: () => Job, measure: () => number): void {
    if (this.#jobs.length === maxAhead) this.#overflown = true;
    if (this.#closing || this.#overflown) {
      stopParsing(this.socket);
      return;
    }
    const bytes = this.#jobs.length < 2 ? 0 : measure();
    if (bytes > 0 && !this.#reserve(bytes)) {
      this.#overflown = true;
      stopParsing(this.socket);
      return;
    }
    this.#jobs.push({ job: makeJob(), bytes });
    if (this.#jobs.length === 1) this.#worked = this.#work();
  }

  /** Finds the request that was arriving when the parser gave up. @returns false when there is none */
  failBody(denial: Denial): boolean {
    return this.#jobs.at(-1)?.job.failBody(denial) ?? false;
  }

  /** The answer being given is the last one: everything sent behind it is dropped unread. */
  closeAfterAnswer(): void {
    this.#closing = true;
    for (const { bytes } of this.#jobs.splice(1)) this.#release(bytes);
  }

  /** The process is about to end: the connection does so with the answer that is under way, or the next one. */
  drain(): void {
    this.#draining = true;
    this.#jobs[0]?.job.endConnection();
  }

  /**
   * What its certificate was worth is no longer certain: the connection ends now, or with the answer that is under way.
   * No other request is served on it, not even one that has arrived. @see REQUIREMENTS J11
   */
  end(): void {
    this.#ending = true;
    this.closeAfterAnswer();
    const [first] = this.#jobs;
    if (first === undefined) this.socket.destroy();
    else first.job.revoke();
  }

  /** It is about to be destroyed, as the process ends. */
  cutOff(): void {
    this.#jobs[0]?.job.cutOff();
  }

  /** The server has let go of the connection, and no longer tells the answer under way to go on writing. */
  detach(): void {
    this.socket.on('drain', () => this.#jobs[0]?.job.drained());
  }

  closeNow(): void {
    this.closeAfterAnswer();
    this.socket.destroy();
  }

  #reserve(bytes: number): boolean {
    if (this.#aheadBytes + bytes > maxAheadBytes || !this.#ahead.take(bytes)) return false;
    this.#aheadBytes += bytes;
    return true;
  }

  #release(bytes: number): void {
    this.#aheadBytes -= bytes;
    this.#ahead.giveBack(bytes);
  }

  async #work(): Promise<void> {
    for (let first = this.#jobs[0]; first !== undefined; first = this.#jobs[0]) {
      const { job, bytes } = first;
      if (this.#draining) job.endConnection();
      await job.run();
      // An answer that said close is the last: what was sent behind it must not be served (RFC 9112 §9.6). Node says it
      // on its own account too, where 100 was not sent or an HTTP/1.0 client gets an answer of unknown length, and has
      // closed the sending side by now: whatever were served behind that would be answered, and logged, never.
      if (this.#draining || !this.socket.writable) this.closeAfterAnswer();
      this.#jobs.shift();
      this.#release(bytes);
    }
    this.#idleSinceMs = performance.now();
    // Node does so where the answer said close. One that had begun before could not, and Node waits for those behind it.
    if (this.#overflown || this.#ending || this.#draining) this.socket.destroySoon();
  }
}

/**
 * Nothing that follows on the connection is a request any more. Whatever becomes of a connection, Node's parser goes on to the
 * end of what was read: thousands of requests, each of which is kept, and some KB, until the connection is closed. There is no
 * public way to stop it; but behind a request that changes the protocol it stops, and it is told so of each that it finds.
 */
function stopParsing(socket: Socket): void {
  const parser: unknown = Reflect.get(socket, 'parser');
  if (typeof parser === 'object' && parser !== null) Reflect.set(parser, 'onIncoming', () => 2);
}
