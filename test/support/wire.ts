import { once } from 'node:events';
import * as net from 'node:net';
import * as tls from 'node:tls';

/** One HTTP response, byte for byte as it came. */
export interface WireResponse {
  readonly status: number;
  /** name and value pairs, in order and spelling as sent */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  /** all values of a field name, any case */
  all(name: string): string[];
  /** the one value; undefined when absent. @throws Error when repeated */
  one(name: string): string | undefined;
}

export interface WireTarget {
  readonly port: number;
  /** present: TLS, with these options */
  readonly tls?: tls.ConnectionOptions;
  /** the address of ours that the connection comes from, and whose loopback it goes to; default: 127.0.0.1 */
  readonly from?: string;
}

const patienceMs = 20_000;

/** A raw connection: sends exactly the bytes given, reads responses off the other end. */
export class Wire {
  readonly #socket: net.Socket;
  #received = Buffer.alloc(0);
  #ended = false;
  readonly #changed = new Set<() => void>();

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#notify();
    });
    socket.on('error', () => {});
    socket.on('end', () => this.#end());
    socket.on('close', () => this.#end());
  }

  static async open({ port, tls: options, from = '127.0.0.1' }: WireTarget): Promise<Wire> {
    const plain = { port, host: net.isIPv6(from) ? '::1' : '127.0.0.1', localAddress: from };
    const socket =
      options === undefined
        ? net.connect(plain)
        : tls.connect({ ...plain, rejectUnauthorized: false, ...options });
    await once(socket, options === undefined ? 'connect' : 'secureConnect');
    return new Wire(socket);
  }

  get socket(): net.Socket {
    return this.#socket;
  }

  /** everything received that was not yet read as a response */
  get unread(): string {
    return this.#received.toString('latin1');
  }

  send(bytes: string | Buffer): void {
    this.#socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** @param head - whether the request was HEAD, whose response has no body. @throws Error when none comes */
  async response({ head = false } = {}): Promise<WireResponse> {
    return this.#await(() => {
      const parsed = parseResponse(this.#received, { head, ended: this.#ended });
      if (parsed === undefined) return undefined;
      this.#received = this.#received.subarray(parsed.length);
      return parsed.response;
    }, 'a response');
  }

  /** Waits until the other side has closed. @returns what it sent and nobody read */
  async closed(): Promise<string> {
    await this.#await(() => (this.#ended ? true : undefined), 'the end of the connection');
    return this.unread;
  }

  close(): void {
    this.#socket.destroy();
  }

  async #await<T>(attempt: () => T | undefined, what: string): Promise<T> {
    const deadline = AbortSignal.timeout(patienceMs);
    for (;;) {
      const result = attempt();
      if (result !== undefined) return result;
      if (this.#ended && what === 'a response')
        throw new Error(`connection ended before ${what}: ${JSON.stringify(this.unread)}`);
      if (deadline.aborted)
        throw new Error(`no ${what} within ${patienceMs} ms: ${JSON.stringify(this.unread)}`);
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#changed.delete(wake);
          deadline.removeEventListener('abort', wake);
          resolve();
        };
        this.#changed.add(wake);
        deadline.addEventListener('abort', wake);
      });
    }
  }

  #end(): void {
    this.#ended = true;
    this.#notify();
  }

  #notify(): void {
    for (const wake of [...this.#changed]) wake();
  }
}

/** Sends one request on a connection of its own and reads the one response. */
export async function exchange(target: WireTarget, bytes: string | Buffer): Promise<WireResponse> {
  const wire = await Wire.open(target);
  try {
    wire.send(bytes);
    return await wire.response({ head: String(bytes).startsWith('HEAD ') });
  } finally {
    wire.close();
  }
}

function parseResponse(
  bytes: Buffer,
  { head, ended }: { head: boolean; ended: boolean },
): { response: WireResponse; length: number } | undefined {
  const text = bytes.toString('latin1');
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [statusLine = '', ...lines] = text.slice(0, headEnd).split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const all = (name: string) =>
    headers.filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
  const one = (name: string) => {
    const values = all(name);
    if (values.length > 1) throw new Error(`${name} is repeated: ${values.join(' | ')}`);
    return values[0];
  };
  const status = Number(statusLine.split(' ')[1]);
  const rest = text.slice(headEnd + 4);
  const body =
    head || status < 200 || status === 204 || status === 304
      ? { text: '', length: 0 }
      : parseBody(rest, one, ended);
  if (body === undefined) return undefined;
  return { response: { status, headers, body: body.text, all, one }, length: headEnd + 4 + body.length };
}

function parseBody(
  rest: string,
  one: (name: string) => string | undefined,
  ended: boolean,
): { text: string; length: number } | undefined {
  const length = one('content-length');
  if (length !== undefined) {
    return rest.length >= Number(length)
      ? { text: rest.slice(0, Number(length)), length: Number(length) }
      : undefined;
  }
  if (one('transfer-encoding') !== 'chunked') return ended ? { text: rest, length: rest.length } : undefined;
  let text = '';
  for (let at = 0; ; ) {
    const lineEnd = rest.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(rest.slice(at, lineEnd), 16);
    if (rest.length < lineEnd + 2 + size + 2) return undefined;
    if (size === 0) return { text, length: lineEnd + 4 };
    text += rest.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
  }
}
