import type { IncomingMessage, ServerResponse } from 'node:http';
import { Denial } from '../denial/denial.js';
import type { HeldSocket } from './held-socket.js';
import { joinPieces } from './pieces.js';

const maxDropMs = 1000;
// Clients that write a whole upload before they read must still get to the answer.
const maxDroppedBytes = 16 * 1024 * 1024;

/** The body of a request while it arrives: what can turn out to be wrong with it after its head was accepted. */
export class InboundBody {
  readonly #request: IncomingMessage;
  #failure: Denial | undefined;
  #isBroken = false;
  #onFailure: ((denial: Denial) => void) | undefined;
  /** set while the rest is dropped */
  #endDropping: (() => void) | undefined;

  /** @param request - of which no more has come than its head */
  constructor(request: IncomingMessage) {
    joinPieces(request);
    this.#request = request;
  }

  /** whether more of it is to come */
  get isArriving(): boolean {
    return !this.#request.complete;
  }

  /** whether the parser has given up on it: nothing more can be read from this connection, not even to drop it */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** The parser gave up in the middle of the body, or it was too slow. */
  fail(denial: Denial): void {
    this.#isBroken = true;
    this.#report(denial);
  }

  /**
   * Counts what arrives, for a body that no length announced. @see REQUIREMENTS A17
   * @param stop - called at once when it is too much: a body that has arrived in one piece goes out in one piece, its end
   *   with it, before a promise tells anybody
   */
  limit(maxBytes: number, stop: () => void): void {
    let bytes = 0;
    // In front of those who pass the same chunk on.
    this.#request.prependListener('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes || this.#endDropping !== undefined) return;
      this.#report(new Denial('body_too_large', `more than ${maxBytes} bytes`));
      stop();
    });
  }

  /** @returns a promise that never resolves: it rejects with the Denial when the body turns out bad */
  failure(): Promise<never> {
    return new Promise((_, reject) => {
      this.#onFailure = reject;
      if (this.#failure !== undefined) reject(this.#failure);
    });
  }

  /**
   * Reads the rest and drops it, for an answer that is given before its request has come whole: a connection that is closed
   * with bytes unread is reset, and that would destroy the answer before the client has read it. Nothing is wrong any more
   * with a body that nobody wants.
   *
   * @returns a promise that resolves when all of it has come, or the parser gave up, or it is too much or too long in
   *   coming, or the client has left
   * @see RFC 9112 §9.6
   */
  dropRest(): Promise<void> {
    const request = this.#request;
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        // Whoever goes on sending is not to keep an answer alive that he does not read.
        if (!request.complete) request.pause();
        resolve();
      };
      const timer = setTimeout(done, maxDropMs);
      this.#endDropping = done;
      let left = maxDroppedBytes;
      request.on('data', (chunk: Buffer) => {
        left -= chunk.length;
        if (left < 0) done();
      });
      request.once('end', done);
      request.once('close', done);
      // Whoever read the body before may have left it paused, or would pause it when he hears that the service has gone.
      request.unpipe();
      request.resume();
      if (this.#isBroken || request.destroyed) done();
    });
  }

  #report(denial: Denial): void {
    this.#failure ??= denial;
    if (this.#endDropping === undefined) this.#onFailure?.(this.#failure);
    else this.#endDropping();
  }
}

/** Whether the client has gone. A response that waits behind another one on its connection is not told. */
export function hasLeft({ request, response }: Pick<Inbound, 'request' | 'response'>): boolean {
  return response.destroyed || request.socket.destroyed;
}

/** The client's side of an exchange. */
export interface Inbound {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: InboundBody;
  /** where the client asked for another protocol: its connection, which nobody parses any more */
  readonly held: HeldSocket | undefined;
  /** whether what its certificate was worth is no longer certain */
  readonly isRevoked: () => boolean;
}
