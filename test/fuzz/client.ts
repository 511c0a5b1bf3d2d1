import { once } from 'node:events';
import * as net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import * as tls from 'node:tls';
import type { Case } from './cases.js';
import { type AnswerMessage, isFinal, type RequestMessage, readAnswer, readRequest } from './message.js';

/** What a connection was, seen from the client. */
export interface Played {
  readonly case: Case;
  /** what the bytes are, read in order; the last one may be partial */
  readonly requests: readonly SentRequest[];
  /** bytes follow that are no request */
  readonly hasRest: boolean;
  readonly received: string;
  /** in order; the last one may be cut off */
  readonly answers: readonly ReceivedAnswer[];
  /** what came behind a 101; undefined when none came. The last of the requests is the one that it answers then */
  readonly tunnelled: string | undefined;
  /** why what was received is no row of answers, when it is none */
  readonly trouble: string | undefined;
}

export interface ReceivedAnswer {
  readonly message: AnswerMessage;
  readonly whole: boolean;
}

export interface SentRequest {
  readonly message: RequestMessage;
  readonly whole: boolean;
  /** where it ends in what the client has sent */
  readonly end: number;
}

export interface ClientTarget {
  readonly port: number;
  /** the address of ours that the connection comes from */
  readonly from: string;
  readonly tls: tls.ConnectionOptions | undefined;
}

// How long nothing may come before the client takes what it has for all. The service is given 1500 ms by the
// configuration; a request that is not whole gets its answer at its own time limit only, which few cases wait for.
const quietMs = { owed: 4000, unsure: 250, partial: 60, tunnel: 60, settled: 10, stay: 6000 };

export async function play(one: Case, target: ClientTarget): Promise<Played> {
  const socket = await connect(target).catch(() => undefined);
  // On a machine that is too slow for the handshake; that good requests are served is looked after elsewhere.
  if (socket === undefined)
    return {
      ...{ case: one, requests: [], hasRest: false, received: '', answers: [] },
      ...{ tunnelled: undefined, trouble: undefined },
    };
  const { requests, hasRest } = readRequests(one.bytes);
  const line = new Line(socket);
  try {
    for (const { text, pauseMs } of one.writes) {
      if (pauseMs > 0) await delay(pauseMs);
      if (socket.destroyed) break;
      socket.write(text, 'latin1');
    }
    if (one.ending === 'reset' && !(socket instanceof tls.TLSSocket)) socket.resetAndDestroy();
    else if (one.ending === 'reset' || one.ending === 'leave') socket.destroy();
    else {
      if (one.ending === 'half-close') socket.end();
      await line.quiet(() => patience(one, { requests, hasRest, received: line.received }));
    }
  } finally {
    socket.destroy();
  }
  const { received, wasClosed } = line;
  const read = readAnswers({ requests, received, wasClosed });
  if (read.tunnelled === undefined) return { case: one, requests, hasRest, received, ...read };
  const switched = requests.slice(0, read.answers.filter(({ message }) => isFinal(message)).length);
  return { case: one, requests: switched, hasRest: false, received, ...read };
}

/** How long to wait for more. What nobody owes might still come, and would be an answer too many. */
function patience(
  { ending }: Case,
  { requests, hasRest, received }: Pick<Played, 'requests' | 'hasRest' | 'received'>,
): number {
  if (ending === 'stay') return quietMs.stay;
  const whole = requests.filter((request) => request.whole).length;
  const { answered, isSwitched } = countAnswers(received, requests);
  if (isSwitched) return quietMs.tunnel;
  if (answered < whole) return quietMs.owed;
  if (whole < requests.length) return quietMs.partial;
  return hasRest ? quietMs.unsure : quietMs.settled;
}

function countAnswers(
  received: string,
  requests: readonly SentRequest[],
): { answered: number; isSwitched: boolean } {
  let answered = 0;
  for (let rest = received; rest !== ''; ) {
    const read = readAnswer(rest, {
      bodiless: requests[answered]?.message.method === 'HEAD',
      ended: false,
    });
    if (read.kind !== 'whole') break;
    if (read.message.status === 101) return { answered, isSwitched: true };
    if (isFinal(read.message)) answered++;
    rest = rest.slice(read.length);
  }
  return { answered, isSwitched: false };
}

/** Reads what a client sends as a server would that knows RFC 9112. */
export function readRequests(bytes: string): Pick<Played, 'requests' | 'hasRest'> {
  const requests: SentRequest[] = [];
  for (let rest = bytes; rest !== ''; ) {
    const read = readRequest(rest, 'client');
    if (read.kind === 'whole') {
      rest = rest.slice(read.length);
      requests.push({ message: read.message, whole: true, end: bytes.length - rest.length });
      continue;
    }
    if (read.message !== undefined) requests.push({ message: read.message, whole: false, end: bytes.length });
    return { requests, hasRest: read.kind === 'malformed' || read.message === undefined };
  }
  return { requests, hasRest: false };
}

function readAnswers({
  received,
  requests,
  wasClosed,
}: Pick<Played, 'received' | 'requests'> & { wasClosed: boolean }): Pick<
  Played,
  'answers' | 'tunnelled' | 'trouble'
> {
  const answers: ReceivedAnswer[] = [];
  let finals = 0;
  for (let rest = received; rest !== ''; ) {
    const bodiless = requests[finals]?.message.method === 'HEAD';
    const read = readAnswer(rest, { bodiless, ended: wasClosed });
    if (read.kind === 'malformed')
      return { answers, tunnelled: undefined, trouble: `answer ${finals + 1} is malformed: ${read.why}` };
    if (read.message === undefined) break;
    answers.push({ message: read.message, whole: read.kind === 'whole' });
    if (read.kind === 'partial') break;
    if (isFinal(read.message)) finals++;
    rest = rest.slice(read.length);
    if (read.message.status === 101) return { answers, tunnelled: rest, trouble: undefined };
  }
  return { answers, tunnelled: undefined, trouble: undefined };
}

async function connect({ port, from, tls: options }: ClientTarget): Promise<net.Socket> {
  const place = { port, host: '127.0.0.1', localAddress: from };
  const socket =
    options === undefined
      ? net.connect({ ...place, allowHalfOpen: true })
      : tls.connect({ ...place, rejectUnauthorized: false, ...options });
  socket.setNoDelay(true);
  await once(socket, options === undefined ? 'connect' : 'secureConnect');
  return socket;
}

/** What comes over a connection. */
class Line {
  received = '';
  wasClosed = false;
  readonly #socket: net.Socket;
  #wake: () => void = () => {};

  constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('error', () => this.#close());
    socket.on('data', (text: string) => {
      this.received += text;
      this.#wake();
    });
    socket.on('end', () => this.#close());
    socket.on('close', () => this.#close());
  }

  /** Holds when the connection was closed, or nothing has come for as long as the patience lasts. */
  async quiet(patienceMs: () => number): Promise<void> {
    while (!this.wasClosed) {
      const before = this.received.length;
      const ms = patienceMs();
      const came = await new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(false), ms);
        this.#wake = () => {
          clearTimeout(timer);
          resolve(true);
        };
      });
      if (!came && this.received.length === before) return;
    }
  }

  #close(): void {
    this.wasClosed = true;
    this.#socket.destroy();
    this.#wake();
  }
}
