import { once } from 'node:events';
import * as net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { exchange } from '../../test/support/wire.js';
import { LoadConnection } from '../load/connection.js';
import type { Supply } from '../requests.js';
import { median, percentile } from '../statistics.js';

export interface Window {
  readonly requests: number;
  /** answers other than 200, and connections that failed */
  readonly failures: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** the median of what each second had: a slow moment of the machine does not count */
  readonly usualP99Ms: number;
  /** new connections that got in, and those that did not */
  readonly newcomers: number;
  readonly keptOut: number;
}

export interface GoodClientOptions {
  readonly port: number;
  readonly supply: Supply;
  readonly connections: number;
  /** between an answer and the next request */
  readonly thinkMs: number;
}

const newcomerEveryMs = 250;

/** Kept-alive connections of somebody who can prove who he is, and now and then a new one. */
export class GoodClient {
  readonly #options: GoodClientOptions;
  readonly #sockets: readonly net.Socket[];

  private constructor(options: GoodClientOptions, sockets: readonly net.Socket[]) {
    this.#options = options;
    this.#sockets = sockets;
  }

  static async connect(options: GoodClientOptions): Promise<GoodClient> {
    const sockets = Array.from({ length: options.connections }, () =>
      net.connect({ port: options.port, host: '127.0.0.1' }),
    );
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    return new GoodClient(options, sockets);
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Works for that long, or until told to stop. */
  async work(ms: number): Promise<Window> {
    const requests = this.#signAhead(ms);
    const deadline = performance.now() + ms;
    const latencies: number[] = [];
    const seconds = Array.from({ length: Math.ceil(ms / 1000) }, (): number[] => []);
    let failures = 0;
    const take = (status: string, latencyMs: number) => {
      if (status !== '200') {
        failures++;
        return;
      }
      latencies.push(latencyMs);
      const second = Math.max(0, Math.floor((deadline - performance.now()) / 1000));
      seconds[second]?.push(latencyMs);
    };
    const [newcomers] = await Promise.all([
      this.#comeAnew(deadline),
      ...this.#sockets.map((socket) => this.#serve(socket, { requests, deadline, take })),
    ]);
    const sorted = sort(latencies);
    return {
      requests: sorted.length,
      failures,
      p50Ms: percentile(sorted, 0.5),
      p99Ms: percentile(sorted, 0.99),
      usualP99Ms: median(seconds.filter((one) => one.length > 0).map((one) => percentile(sort(one), 0.99))),
      ...newcomers,
    };
  }

  /** Signing is the client's work and must not be mistaken for that of the gateway. */
  #signAhead(ms: number): Buffer[] {
    const { supply, connections, thinkMs } = this.#options;
    const most = Math.ceil((ms / (thinkMs + 0.5)) * connections);
    return Array.from({ length: most }, () => Buffer.from(supply.next(), 'latin1'));
  }

  async #serve(socket: net.Socket, { requests, deadline, take }: Work): Promise<void> {
    const connection = new ReusedConnection(socket);
    while (performance.now() < deadline) {
      const request = requests.pop();
      if (request === undefined) throw new Error('not enough requests were signed ahead');
      const { status, latencyMs } = await connection.send(request);
      take(status, latencyMs);
      if (status === 'none') break;
      await delay(this.#options.thinkMs);
    }
    connection.release();
  }

  async #comeAnew(deadline: number): Promise<{ newcomers: number; keptOut: number }> {
    const count = { newcomers: 0, keptOut: 0 };
    while (performance.now() < deadline) {
      const answer = await exchange({ port: this.#options.port }, this.#options.supply.next()).catch(
        () => undefined,
      );
      if (answer?.status === 200) count.newcomers++;
      else count.keptOut++;
      await delay(newcomerEveryMs);
    }
    return count;
  }
}

function sort(values: readonly number[]): Float64Array {
  return Float64Array.from(values).sort();
}

interface Work {
  readonly requests: Buffer[];
  readonly deadline: number;
  readonly take: (status: string, latencyMs: number) => void;
}

/** One request after the other on a socket that outlives this. */
class ReusedConnection {
  readonly #connection: LoadConnection;
  readonly #socket: net.Socket;
  #settle: ((answer: { status: string; latencyMs: number }) => void) | undefined;

  constructor(socket: net.Socket) {
    this.#socket = socket;
    this.#connection = new LoadConnection(socket, (answer) => this.#settle?.(answer));
  }

  send(request: Buffer): Promise<{ status: string; latencyMs: number }> {
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.#connection.send(request);
    });
  }

  release(): void {
    for (const event of ['data', 'error', 'end']) this.#socket.removeAllListeners(event);
    this.#socket.on('error', () => {});
  }
}
