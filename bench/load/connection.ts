import type { Socket } from 'node:net';

const headEndMark = '\r\n\r\n';

export interface Answer {
  readonly status: string;
  readonly latencyMs: number;
}

/**
 * One kept-alive connection that sends prepared bytes and waits for the end of the answer. Reads of an answer only its
 * status and Content-Length, so that it costs less than what it measures.
 */
export class LoadConnection {
  readonly #socket: Socket;
  readonly #onAnswer: (answer: Answer) => void;
  #head = '';
  #status = '';
  /** bytes of the body still to come; undefined while the head is incomplete */
  #missing: number | undefined;
  #sentAt = 0;
  #closed = false;

  /** @param onAnswer - called when an answer is complete; status `none` when the connection has failed */
  constructor(socket: Socket, onAnswer: (answer: Answer) => void) {
    this.#socket = socket;
    this.#onAnswer = onAnswer;
    socket.setNoDelay();
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('error', () => this.#fail());
    socket.on('end', () => this.#fail());
  }

  send(request: Buffer): void {
    this.#sentAt = performance.now();
    this.#socket.write(request);
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    if (this.#missing === undefined) this.#receiveHead(chunk);
    else this.#missing -= chunk.length;
    if (this.#missing === undefined || this.#missing > 0) return;
    const tooMuch = this.#missing < 0;
    this.#missing = undefined;
    if (tooMuch) this.#fail();
    else this.#answer(this.#status);
  }

  #receiveHead(chunk: Buffer): void {
    this.#head += chunk.toString('latin1');
    const end = this.#head.indexOf(headEndMark);
    if (end < 0) return;
    const length = /\r\ncontent-length: (\d+)\r\n/i.exec(this.#head)?.[1];
    if (length === undefined) throw new Error(`answer without Content-Length:\n${this.#head.slice(0, end)}`);
    this.#status = this.#head.slice(9, 12);
    this.#missing = end + headEndMark.length + Number(length) - this.#head.length;
    this.#head = '';
  }

  #fail(): void {
    if (this.#closed) return;
    this.close();
    this.#answer('none');
  }

  #answer(status: string): void {
    this.#onAnswer({ status, latencyMs: performance.now() - this.#sentAt });
  }
}
