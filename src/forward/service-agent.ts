import type * as http from 'node:http';
import type { Socket } from 'node:net';
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
}

const answerEnds = new WeakMap<Socket, AnswerEnd>();

/**
 * Turns that begin between the end of an answer and the next use: one of them has asked for everything that had arrived
 * behind the answer, and is over.
 */
const settlingTurns = 2;

/**
 * Notes when the answer has been read to its end, which is not when somebody has read it: what the connection brings in
 * between is unasked already. To be called while the head of the answer is announced.
 */
export function noteEnd(answer: http.IncomingMessage): void {
  const { socket } = answer;
  const push = answer.push;
  answer.push = (piece: Buffer | null): boolean => {
    if (piece === null) answerEnds.set(socket, { bytesRead: socket.bytesRead, turn: currentTurn() });
    return push.call(answer, piece);
  };
}

/**
 * Fits an agent of Node's, plain or over TLS, to having one service at the other end of all its connections. Everything
 * stays as it is but the way to a connection that is idle. Node hands it over in the very tick in which the answer
 * ended, before it has looked at what came behind that; and it merges the options of agent and request twice and builds
 * a key from them: a tenth of what forwarding costs.
 */
export function forOneService<Kind extends http.Agent>(agent: Kind): Kind {
  const addRequest = agent.addRequest.bind(agent);
  return Object.assign(agent, {
    getName: () => service,
    addRequest(request: http.ClientRequest, options: http.RequestOptions) {
      const socket = takeIdle(agent.freeSockets[service]);
      if (socket === undefined) return addRequest(request, options);
      // In use from now on: Node keeps the list of these, and none while there are none.
      const { sockets }: { sockets: NodeJS.Dict<Socket[]> } = agent;
      sockets[service] ??= [];
      sockets[service].push(socket);
      whenSettled(socket, (isUsable) => {
        if (isUsable) {
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
 * will have been. Closes those on which the service spoke unasked: whatever that was, the next thing read from
 * them could be taken for the answer to a request of somebody else.
 * @param idle - in the order in which their answers ended, nearly
 */
function takeIdle(idle: Socket[] = []): Socket | undefined {
  for (let at = idle.length - 1; at >= 0; at--) {
    const socket = idle[at];
    if (socket === undefined || !isSilent(socket)) idle.splice(at, 1)[0]?.destroy();
    else if (turnsToWait(socket) === 0) return idle.splice(at, 1)[0];
  }
  return idle.shift();
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
