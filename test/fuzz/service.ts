import { once } from 'node:events';
import * as net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { portOf } from '../support/ports.js';
import { type Answer, makeAnswer } from './answers.js';
import { type RequestMessage, readRequest } from './message.js';
import { Random } from './random.js';

/** What arrived, as one request or the beginning of one. */
export interface Arrival {
  /** of X-Request-Id; empty when there is not exactly one */
  readonly id: string;
  readonly message: RequestMessage;
  readonly whole: boolean;
  readonly answer: Answer;
  /** what came behind it after the service had agreed to another protocol */
  tunnelled: string;
}

/** Bytes that are no request, and what is wrong with them. */
export interface Oddity {
  readonly why: string;
  readonly bytes: string;
}

/** What is kept of one connection. */
interface Link {
  readonly socket: net.Socket;
  buffered: string;
  /** what was agreed on: no HTTP comes any more */
  switched: Arrival | undefined;
  /** the answer that was begun before the request was whole */
  early: Answer | undefined;
  /** answers are given one after the other */
  answering: Promise<void>;
}

/** A service on a raw socket that reads as strictly as can be, and answers as the seed says: well, or not. */
export class FuzzService {
  readonly #seed: string;
  readonly #server = net.createServer({ noDelay: true });
  readonly #links = new Set<Link>();
  #arrivals: Arrival[] = [];
  #oddities: Oddity[] = [];

  private constructor(seed: string) {
    this.#seed = seed;
    this.#server.on('connection', (socket) => this.#serve(socket));
  }

  static async start(seed: string): Promise<FuzzService> {
    const service = new FuzzService(seed);
    service.#server.listen(0, '127.0.0.1');
    await once(service.#server, 'listening');
    return service;
  }

  get url(): string {
    return `http://127.0.0.1:${portOf(this.#server)}`;
  }

  /** Whether a request has begun to arrive and is not whole yet. */
  get isReceiving(): boolean {
    return [...this.#links].some(({ buffered }) => buffered !== '');
  }

  /** What has arrived since this was asked last. */
  take(): { arrivals: Arrival[]; oddities: Oddity[] } {
    const taken = { arrivals: this.#arrivals, oddities: this.#oddities };
    this.#arrivals = [];
    this.#oddities = [];
    return taken;
  }

  async stop(): Promise<void> {
    for (const { socket } of this.#links) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: net.Socket): void {
    const link: Link = {
      ...{ socket, buffered: '', switched: undefined, early: undefined },
      answering: Promise.resolve(),
    };
    this.#links.add(link);
    socket.setEncoding('latin1');
    socket.on('error', () => {});
    socket.on('data', (text: string) => {
      if (link.switched !== undefined) link.switched.tunnelled += text;
      else {
        link.buffered += text;
        this.#read(link);
      }
    });
    socket.on('close', () => {
      this.#links.delete(link);
      this.#keepRest(link);
    });
  }

  #read(link: Link): void {
    while (link.buffered !== '') {
      const read = readRequest(link.buffered, 'sent');
      if (read.kind === 'malformed') {
        this.#oddities.push({ why: read.why, bytes: link.buffered });
        link.buffered = '';
        link.socket.destroy();
        return;
      }
      const { message } = read;
      if (message === undefined) return;
      const answer = link.early ?? this.#decide(message);
      if (read.kind === 'partial') {
        if (answer.early && link.early === undefined) {
          link.early = answer;
          give(link, answer);
        }
        return;
      }
      if (link.early === undefined) give(link, answer);
      link.early = undefined;
      link.buffered = link.buffered.slice(read.length);
      const arrival = { id: idOf(message), message, whole: true, answer, tunnelled: '' };
      this.#arrivals.push(arrival);
      if (answer.tunnelled === undefined) continue;
      link.switched = arrival;
      arrival.tunnelled = link.buffered;
      link.buffered = '';
    }
  }

  /** The same for the same request line and seed. */
  #decide(message: RequestMessage): Answer {
    return makeAnswer(new Random(`${this.#seed}/${message.line}`), message, idOf(message));
  }

  #keepRest({ buffered }: Link): void {
    if (buffered === '') return;
    const read = readRequest(buffered, 'sent');
    if (read.kind === 'malformed') this.#oddities.push({ why: read.why, bytes: buffered });
    else if (read.message !== undefined) {
      const { message } = read;
      const answer = this.#decide(message);
      this.#arrivals.push({ id: idOf(message), message, whole: false, answer, tunnelled: '' });
    } else if (!/^[A-Z-]/.test(buffered)) this.#oddities.push({ why: 'no request', bytes: buffered });
  }
}

/** Whether Holdfast has made this id; it takes over those of fronts. */
export function isOurs(id: string): boolean {
  return /^[0-9a-f-]{36}$/.test(id);
}

function idOf({ all }: RequestMessage): string {
  const ids = all('x-request-id');
  return ids.length === 1 ? (ids[0] ?? '') : '';
}

function give(link: Link, { steps }: Answer): void {
  link.answering = link.answering.then(async () => {
    const { socket } = link;
    for (const step of steps) {
      if (socket.destroyed) return;
      if ('write' in step) socket.write(step.write, 'latin1');
      else if ('pauseMs' in step) await delay(step.pauseMs);
      else if (step.end === 'fin') socket.end();
      else socket.resetAndDestroy();
    }
  });
}
