import type { Socket } from 'node:net';

// Frames that did not wait for the answer.
const maxAheadBytes = 64 * 1024;
// Each piece costs more than its bytes: as many as this become one.
const maxAheadPieces = 256;
const lingerMs = 1000;

/**
 * The connection of a client that asked for another protocol. Nobody parses it any more: what comes behind the request is
 * kept here, bounded, until it is known whom it is for, and is never taken for a request.
 *
 * Read from the start to the end all the same, or it would not be noticed that the client has left. One that closes its
 * sending side before it has an answer counts as gone. What comes beyond the bound is dropped: the client still gets a
 * refusal, but a connection with a gap is never switched. It ends instead; clients must wait for the 101.
 * @see RFC 6455 §4.1; REQUIREMENTS B12
 */
export class HeldSocket {
  readonly socket: Socket;
  readonly #ahead: Buffer[] = [];
  #bytes = 0;
  #isSwitched = false;
  #isRevoked = false;
  readonly #keep = (chunk: Buffer): void => {
    this.#bytes += chunk.length;
    if (this.#hasGap) this.#ahead.length = 0;
    else this.#ahead.push(chunk);
    if (this.#ahead.length === maxAheadPieces) this.#ahead.push(Buffer.concat(this.#ahead.splice(0)));
  };
  readonly #leave = (): void => void this.socket.destroy();

  /**
   * @param socket - as it comes with Node's `upgrade` event: without a parser, and without any listener for errors
   * @param head - what has been read behind the request
   */
  constructor(socket: Socket, head: Buffer) {
    this.socket = socket;
    socket.on('error', this.#leave);
    // Node's own is off: this is for an answer that is not read (relay.ts), its own or one in front of it.
    socket.on('timeout', this.#leave);
    this.#keep(head);
    socket.on('data', this.#keep);
    socket.on('end', this.#leave);
  }

  /**
   * Hands the connection over; one that was revoked, or of whose bytes some are gone, ends here.
   * @returns what the client has sent ahead, to be delivered first; called once
   */
  release(): Buffer {
    // A tunnel has a clock of its own.
    this.socket.off('timeout', this.#leave);
    this.#letGo();
    this.#isSwitched = true;
    if (this.#hasGap || this.#isRevoked) this.socket.destroy();
    return Buffer.concat(this.#ahead.splice(0));
  }

  /** What it was let in on is no longer certain: it may still get an answer, but it is not switched, or ends now if it was. */
  revoke(): void {
    this.#isRevoked = true;
    if (this.#isSwitched) this.socket.destroy();
  }

  get #hasGap(): boolean {
    return this.#bytes > maxAheadBytes;
  }

  #letGo(): void {
    this.socket.off('data', this.#keep);
    this.socket.off('end', this.#leave);
  }

  /**
   * The answer is given and switches to nothing: the connection ends, and what was sent behind the request is dropped. Not
   * left unread, or the reset would destroy the answer before the client has read it. @see RFC 9112 §9.6
   */
  dismiss(): void {
    this.#letGo();
    const { socket } = this;
    const timer = setTimeout(this.#leave, lingerMs);
    socket.once('close', () => clearTimeout(timer));
    socket.on('end', this.#leave);
    socket.on('data', () => {});
    socket.resume();
    socket.end();
  }
}
