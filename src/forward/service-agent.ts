import type * as http from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { afterTurns, currentTurn } from '../support/loop-turns.js';

declare module 'node:http' {
  interface Agent {
    /** What a ClientRequest calls to get its connection: the seam that agents outside Node are built on. */
    addRequest(request: import('node:http').ClientRequest, options: http.RequestOptions): void;
  }
}

/** All connections of an agent go to the one service, so they need no key that tells them apart. */
const service = 'service';

/** How a connection was when the last answer on it had been read to its end. */
interface AnswerEnd {
  readonly bytesRead: number;
  readonly turn: number;
  /** by `performance.now()`; 0: at once */
  readonly restUntilMs: number;
}

const answerEnds = new WeakMap<Socket, AnswerEnd>();

/**
 * Turns that begin between the end of an answer and the next use: one of them has asked for everything that had arrived
 * behind the answer, and is over.
 */
const settlingTurns = 2;

/**
 * Behind an answer that fills buffers, what the service wrote along with it may still be in its own system, or wait there for
 * an acknowledgement (40 ms at most, by Nagle's algorithm). No turn tells: such a connection rests.
 */
const largeAnswerBytes = 64 * 1024;
const restMs = 100;

/**
 * Notes when the answer has been read to its end, which is not when somebody has read it: what the connection brings in
 * between is unasked already. To be called while the head of the answer is announced.
 */
export function noteEnd(answer: http.IncomingMessage): void {
  answer.push = pushNotingEnd;
}

// One function for all answers: a closure for each makes them outlive Node's young generation, tens of megabytes of them.
function pushNotingEnd(this: http.IncomingMessage, piece: Buffer | null): boolean {
  const { socket } = this;
  if (piece === null) {
    const { bytesRead } = socket;
    const answerBytes = bytesRead - (answerEnds.get(socket)?.bytesRead ?? 0);
    const restUntilMs = answerBytes < largeAnswerBytes ? 0 : performance.now() + restMs;
    answerEnds.set(socket, { bytesRead, turn: currentTurn(), restUntilMs });
  }
  return Readable.prototype.push.call(this, piece);
}

/**
 * Fits an agent of Node's, plain or over TLS, to having one service at the other end of all its connections. Everything
 * stays as it is but the way to a connection that is idle. Node hands it over in the very tick in which the answer
 * ended, before it has looked at what came behind that; and it merges the options of agent and request twice and builds
 * a key from them: a tenth of what forwarding costs.
 */
export function forOneService<Kind extends http.Agent>(agent: Kind): Kind {
  const addRequest = agent.addRequest.bind(agent);
  const keepSocketAlive = agent.keepSocketAlive.bind(agent);
  return Object.assign(agent, {
    getName: () => service,
    keepSocketAlive(socket: Socket) {
      socket.on('data', endUnasked);
      return keepSocketAlive(socket);
    },
    addRequest(request: http.ClientRequest, options: http.RequestOptions) {
      const { sockets, freeSockets }: Record<'sockets' | 'freeSockets', NodeJS.Dict<Socket[]>> = agent;
      const idle = freeSockets[service];
      const socket = takeIdle(idle);
      if (socket === undefined) {
        // Node would take one that rests.
        delete freeSockets[service];
        addRequest(request, options);
        if (idle !== undefined && idle.length > 0) freeSockets[service] = idle;
        return;
      }
      // In use from now on: Node keeps the list of these, and none while there are none.
      sockets[service] ??= [];
      sockets[service].push(socket);
      whenSettled(socket, (isUsable) => {
        if (isUsable) {
          socket.off('data', endUnasked);
          agent.reuseSocket(socket, request);
          request.onSocket(socket);
        } else {
          socket.destroy();
          agent.addRequest(request, options);
        }
      });
    },
  });
}

/**
 * Takes the connection that has been idle for the shortest time, but long enough; if there is none, the one that soonest
 * will have been; none that rests. Closes those on which the service spoke unasked: whatever that was, the next thing read from
 * them could be taken for the answer to a request of somebody else.
 * @param idle - in the order in which their answers ended, nearly
 */
function takeIdle(idle: Socket[] = []): Socket | undefined {
  let soonest: number | undefined;
  for (let at = idle.length - 1; at >= 0; at--) {
    const socket = idle[at];
    if (socket === undefined || !isSilent(socket)) {
      idle.splice(at, 1)[0]?.destroy();
      if (soonest !== undefined) soonest--;
    } else if (!isResting(socket)) {
      soonest = at;
      if (turnsToWait(socket) === 0) break;
    }
  }
  return soonest === undefined ? undefined : idle.splice(soonest, 1)[0];
}

// At once, and not when somebody looks for a connection: it might not be this one.
function endUnasked(this: Socket): void {
  this.destroy();
}

function isResting(socket: Socket): boolean {
  const { restUntilMs = 0 } = answerEnds.get(socket) ?? {};
  return restUntilMs > 0 && performance.now() < restUntilMs;
}

function whenSettled(socket: Socket, use: (isUsable: boolean) => void): void {
  const turns = turnsToWait(socket);
  if (turns === 0) use(true);
  else afterTurns(turns, () => use(isSilent(socket)));
}

function turnsToWait(socket: Socket): number {
  return Math.max(0, (answerEnds.get(socket)?.turn ?? 0) + settlingTurns - currentTurn());
}

/** Whether the connection is open, and nothing has come on it since its last answer. */
function isSilent(socket: Socket): boolean {
  return !socket.destroyed && socket.writable && socket.bytesRead === answerEnds.get(socket)?.bytesRead;
}
