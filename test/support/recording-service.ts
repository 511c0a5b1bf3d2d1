import { once } from 'node:events';
import * as net from 'node:net';

/** One request as the service saw it. */
export interface SeenRequest {
  /** the request line */
  readonly line: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** after the head, as sent: with chunk framing when there is any */
  readonly rawBody: string;
  /** the same without chunk framing */
  readonly body: string;
  /** which of the connections to the service carried it, counted from 1 */
  readonly connection: number;
  /** all values of a field name, any case */
  all(name: string): string[];
}

/** What the service writes for a request: raw bytes, or whatever the function does with the socket. */
export type Script = (request: SeenRequest, socket: net.Socket) => string | Buffer | undefined;

const ok: Script = () => 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok';

/**
 * A legacy service on a raw socket that records every byte it gets: what it did not record was not forwarded. Its
 * parser is our own and simple, so that it shares no reading of HTTP with the product.
 */
export class RecordingService {
  readonly requests: SeenRequest[] = [];
  /** how many connections were made, and how many bytes came over them */
  connections = 0;
  bytes = 0;
  /** requests whose connection is open and which were not answered yet */
  open = 0;
  script: Script = ok;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  /** what came and forms no whole request yet, of every open connection that holds any */
  readonly #unfinished = new Map<net.Socket, string>();

  private constructor(server: net.Server) {
    this.#server = server;
    server.on('connection', (socket) => this.#serve(socket));
  }

  static async start(): Promise<RecordingService> {
    const server = net.createServer();
    const service = new RecordingService(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return service;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return address.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The last request. @throws Error when there was none */
  get last(): SeenRequest {
    const last = this.requests.at(-1);
    if (last === undefined) throw new Error('the service saw no request');
    return last;
  }

  /** The bytes on open connections that belong to no whole request. */
  get unfinished(): readonly string[] {
    return [...this.#unfinished.values()];
  }

  /** Forgets what was seen and answers 200 again. */
  reset(): void {
    this.requests.length = 0;
    this.bytes = 0;
    this.script = ok;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: net.Socket): void {
    const connection = ++this.connections;
    this.#sockets.add(socket);
    let buffered = '';
    let unanswered = 0;
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#unfinished.delete(socket);
      this.open -= unanswered;
    });
    socket.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length;
      buffered += chunk.toString('latin1');
      for (let taken = takeRequest(buffered); taken !== undefined; taken = takeRequest(buffered)) {
        buffered = buffered.slice(taken.length);
        const request = { ...taken.request, connection };
        this.requests.push(request);
        this.open++;
        unanswered++;
        const answer = this.script(request, socket);
        if (answer === undefined) continue;
        socket.write(typeof answer === 'string' ? Buffer.from(answer, 'latin1') : answer);
        this.open--;
        unanswered--;
      }
      if (buffered === '') this.#unfinished.delete(socket);
      else this.#unfinished.set(socket, buffered);
    });
  }
}

function takeRequest(text: string): { request: Omit<SeenRequest, 'connection'>; length: number } | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [line = '', ...lines] = text.slice(0, headEnd).split('\r\n');
  const headers = lines.map((field): [string, string] => {
    const colon = field.indexOf(':');
    return [field.slice(0, colon), field.slice(colon + 1).trim()];
  });
  const all = (name: string) =>
    headers.filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
  const start = headEnd + 4;
  const taken = takeBody(text, start, all);
  if (taken === undefined) return undefined;
  const { body, end } = taken;
  return { request: { line, headers, rawBody: text.slice(start, end), body, all }, length: end };
}

/** @returns undefined while the body is not whole; for good when its chunks are not well-formed */
function takeBody(
  text: string,
  start: number,
  all: (name: string) => string[],
): { body: string; end: number } | undefined {
  if (all('transfer-encoding').length > 0) return takeChunks(text, start);
  const end = start + Number(all('content-length')[0] ?? 0);
  return text.length >= end ? { body: text.slice(start, end), end } : undefined;
}

function takeChunks(text: string, start: number): { body: string; end: number } | undefined {
  const chunks: string[] = [];
  for (let at = start; ; ) {
    const size = matchAt(/[0-9a-f]+\r\n/iy, text, at);
    if (size === undefined) return undefined;
    const data = at + size.length;
    const bytes = Number.parseInt(size, 16);
    if (bytes === 0) {
      const trailers = matchAt(/(?:[^\r\n]+\r\n)*\r\n/y, text, data);
      return trailers === undefined ? undefined : { body: chunks.join(''), end: data + trailers.length };
    }
    at = data + bytes + 2;
    if (text.length < at || !text.startsWith('\r\n', at - 2)) return undefined;
    chunks.push(text.slice(data, data + bytes));
  }
}

function matchAt(sticky: RegExp, text: string, at: number): string | undefined {
  sticky.lastIndex = at;
  return sticky.exec(text)?.[0];
}
