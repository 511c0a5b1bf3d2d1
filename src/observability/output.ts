import { fstatSync, write } from 'node:fs';
import { Socket } from 'node:net';

/** Hands bytes to the operating system. */
interface Sink {
  /** @param done - called once: without anything when all of it is written */
  write(bytes: Buffer, done: (failed?: FailedWrite) => void): void;
}

interface FailedWrite {
  readonly unwritten: Buffer;
  /** whether what was written before may end in the middle of a line; undefined: nothing of this was */
  readonly isTorn: boolean | undefined;
}

interface Block {
  readonly bytes: Buffer;
  readonly lines: number;
}

const blockCharacters = 32 * 1024;
const flushEveryMs = 100;
const retryMs = 50;
const maxFlushMs = 1000;
const lineFeed = 0x0a;
const stdoutFd = 1;

// Of lines that wait for somebody to read them; what comes on top is lost.
const maxWaitingBytes = 16 * 1024 * 1024;

/**
 * Lines on their way to standard output, in blocks: one system call for many lines, at the latest 100 ms after the
 * first. Nothing here ever throws, waits or holds the process up: a line that cannot be written is lost, and counted.
 *
 * Not sonic-boom, pino's own: it has no answer to a disk that is full but to try again until the process ends, and drops
 * without counting.
 * @see REQUIREMENTS S16
 */
export class Output {
  readonly #sink = openSink();
  #text = '';
  #lines = 0;
  /** the first one is being written */
  readonly #blocks: Block[] = [];
  #waitingBytes = 0;
  #lost = 0;
  /** what was written last may have ended in the middle of a line */
  #isTorn = false;
  #timer: NodeJS.Timeout | undefined;
  #written: (() => void) | undefined;

  /** lines that nobody will read, since the start */
  get lostLines(): number {
    return this.#lost;
  }

  /** @param line - one, with its line feed */
  write(line: string): void {
    if (this.#waitingBytes >= maxWaitingBytes) {
      this.#lost++;
      return;
    }
    this.#text += line;
    this.#lines++;
    if (this.#text.length >= blockCharacters) this.#cut();
    else
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.#cut();
      }, flushEveryMs).unref();
  }

  /** Holds when everything is written or lost, after a second at most: what is still on its way then is lost. */
  async flush(): Promise<void> {
    this.#cut();
    if (this.#blocks.length === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, maxFlushMs);
      this.#written = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#written = undefined;
    // What is being written now may still arrive; nobody will know.
    for (const { lines } of this.#blocks) this.#lost += lines;
  }

  #cut(): void {
    if (this.#lines === 0) return;
    const block = { bytes: Buffer.from(this.#text), lines: this.#lines };
    this.#text = '';
    this.#lines = 0;
    this.#waitingBytes += block.bytes.length;
    if (this.#blocks.push(block) === 1) this.#writeNext();
  }

  #writeNext(): void {
    const [block] = this.#blocks;
    if (block === undefined) {
      this.#written?.();
      return;
    }
    const bytes = this.#isTorn ? Buffer.concat([Buffer.of(lineFeed), block.bytes]) : block.bytes;
    this.#sink.write(bytes, (failed) => {
      if (failed === undefined) this.#isTorn = false;
      else {
        this.#isTorn = failed.isTorn ?? this.#isTorn;
        this.#lost += Math.min(countLines(failed.unwritten), block.lines);
      }
      this.#blocks.shift();
      this.#waitingBytes -= block.bytes.length;
      this.#writeNext();
    });
  }
}

function openSink(): Sink {
  const stat = fstatSync(stdoutFd);
  const { stdout } = process;
  // What nobody reads holds up whoever writes to it, here a thread, for which even the end of the process would wait. As
  // streams of Node pipes and sockets do not; nor does Node close this one when nobody reads them any more.
  return (stat.isFIFO() || stat.isSocket()) && stdout instanceof Socket
    ? new StreamSink(stdout)
    : new FileSink();
}

class StreamSink implements Sink {
  readonly #stream: Socket;

  constructor(stream: Socket) {
    this.#stream = stream;
    // Told below, for each write.
    stream.on('error', () => {});
  }

  write(bytes: Buffer, done: (failed?: FailedWrite) => void): void {
    // How much of it was read before the pipe broke nobody knows: all of it counts as lost.
    this.#stream.write(bytes, (error) => (error ? done({ unwritten: bytes, isTorn: true }) : done()));
  }
}

class FileSink implements Sink {
  write(bytes: Buffer, done: (failed?: FailedWrite) => void, from = 0): void {
    write(stdoutFd, bytes, from, (error, count) => {
      const at = from + (error === null ? count : 0);
      if (at === bytes.length) done();
      else if (error === null) this.write(bytes, done, at);
      else if (error.code === 'EAGAIN') setTimeout(() => this.write(bytes, done, at), retryMs);
      else
        done({
          unwritten: bytes.subarray(at),
          isTorn: at === 0 ? undefined : bytes[at - 1] !== lineFeed,
        });
    });
  }
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(lineFeed); at >= 0; at = bytes.indexOf(lineFeed, at + 1)) lines++;
  return lines;
}
