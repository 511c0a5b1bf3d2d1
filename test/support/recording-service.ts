import { once } from 'node:events';
import * as net from 'node:net';

/** One request as the service saw it. */
export interface SeenRequest {
  /** the request line */
  readonly line: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** after the head, as sent: with chunk framing when there is any */
  readonly rawBody: string;
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
    this.connections++;
    this.#sockets.add(socket);
    let buffered = '';
    let unanswered = 0;
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.open -= unanswered;
    });
    socket.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length;
      buffered += chunk.toString('latin1');
      for (let taken = takeRequest(buffered); taken !== undefined; taken = takeRequest(buffered)) {
        buffered = buffered.slice(taken.length);
        this.requests.push(taken.request);
        this.open++;
        unanswered++;
        const answer = this.script(taken.request, socket);
        if (answer === undefined) continue;
        socket.write(typeof answer === 'string' ? Buffer.from(answer, 'latin1') : answer);
        this.open--;
        unanswered--;
      }
    });
  }
}

function takeRequest(text: string): { request: SeenRequest; length: number } | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [line = '', ...lines] = text.slice(0, headEnd).split('\r\n');
  const headers = lines.map((field): [string, string] => {
    const colon = field.indexOf(':');
    return [field.slice(0, colon), field.slice(colon + 1).trim()];
  });
  const all = (name: string) =>
    headers.filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
  const bodyLength = measureBody(text.slice(headEnd + 4), all);
  if (bodyLength === undefined) return undefined;
  const length = headEnd + 4 + bodyLength;
  return { request: { line, headers, rawBody: text.slice(headEnd + 4, length), all }, length };
}

function measureBody(rest: string, all: (name: string) => string[]): number | undefined {
  if (all('transfer-encoding').length > 0) {
    const end = /(?:^|\r\n)0\r\n(?:[^\r\n]+\r\n)*\r\n/.exec(rest);
    return end === null ? undefined : end.index + end[0].length;
  }
  const length = Number(all('content-length')[0] ?? 0);
  return rest.length >= length ? length : undefined;
}
