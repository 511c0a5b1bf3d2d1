import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Denial } from '../denial/denial.js';
import type { PresentedCertificate } from '../request/client-certificate.js';
import { sha256Base64url } from '../support/digest.js';

/** One thing to do on a connection, in the order in which the requests were sent. */
export interface Job {
  run(): Promise<void>;
  /** The parser gave up while the body of this request arrived. @returns false when its body was not at fault */
  failBody(denial: Denial): boolean;
  /** Its answer is the last one on the connection, and says so, unless it has begun. */
  endConnection(): void;
}

/**
 * What a client certificate says: nothing, as none is asked for; that its key is held; or that it also chains to
 * a configured CA.
 */
export type CertificateMeaning = 'off' | 'possession' | 'trust';

// A client may send requests ahead (RFC 9112 §9.3.2), but not as many as it likes.
const maxAhead = 64;

/**
 * One client connection. Requests that were sent ahead are served one after the other, so that nothing behind a
 * refusal which closes the connection is ever looked at, although the parser has already delivered it (A18).
 */
export class Connection {
  readonly socket: Socket;
  readonly remoteAddress: string;
  /** captured before the first request: a closed socket no longer tells. @see REQUIREMENTS J09 */
  readonly certificate: PresentedCertificate | undefined;
  /** the job at work, then those that wait */
  readonly #jobs: Job[] = [];
  #closing = false;
  #draining = false;
  #overflown = false;

  constructor(socket: Socket, meaning: CertificateMeaning) {
    this.socket = socket;
    this.remoteAddress = socket.remoteAddress ?? '';
    // Nobody waits any more for what is still to be done.
    socket.once('close', () => this.closeAfterAnswer());
    this.certificate = socket instanceof TLSSocket ? captureCertificate(socket, meaning) : undefined;
  }

  /** whether an answer is still to be given */
  get isBusy(): boolean {
    return this.#jobs.length > 0;
  }

  /** Serves the job when all earlier ones are done; drops it when one of them closed the connection. */
  enqueue(job: Job): void {
    if (this.#closing || this.#overflown) return;
    // Of a client that sends this much ahead what came first is answered, and then the connection ends.
    if (this.#jobs.length === maxAhead) this.#overflown = true;
    else this.#jobs.push(job);
    if (this.#jobs.length === 1 && !this.#overflown) void this.#work();
  }

  /** Finds the request that was arriving when the parser gave up. @returns false when there is none */
  failBody(denial: Denial): boolean {
    return this.#jobs.at(-1)?.failBody(denial) ?? false;
  }

  /** The answer being given is the last one: everything sent behind it is dropped unread. */
  closeAfterAnswer(): void {
    this.#closing = true;
    this.#jobs.length = Math.min(this.#jobs.length, 1);
  }

  /** The process is about to end: the connection does so with the answer that is under way, or the next one. */
  drain(): void {
    this.#draining = true;
    this.#jobs[0]?.endConnection();
  }

  closeNow(): void {
    this.closeAfterAnswer();
    this.socket.destroy();
  }

  async #work(): Promise<void> {
    for (let job = this.#jobs[0]; job !== undefined; job = this.#jobs[0]) {
      if (this.#draining) job.endConnection();
      await job.run();
      // An answer that said close is the last: what was sent behind it must not be served (RFC 9112 §9.6).
      if (this.#draining) this.closeAfterAnswer();
      this.#jobs.shift();
    }
    if (this.#overflown) this.socket.destroySoon();
  }
}

/** @see RFC 8705 §3.1; REQUIREMENTS J01, J05 */
function captureCertificate(
  socket: TLSSocket,
  meaning: CertificateMeaning,
): PresentedCertificate | undefined {
  if (meaning === 'off') return undefined;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  const thumbprint = sha256Base64url(certificate.raw);
  // Without configured CAs OpenSSL's verdict, against none or the system's, means nothing.
  if (meaning === 'possession') return { thumbprint, trusted: false, distrust: undefined };
  const trusted = socket.authorized;
  return { thumbprint, trusted, distrust: trusted ? undefined : String(socket.authorizationError) };
}
