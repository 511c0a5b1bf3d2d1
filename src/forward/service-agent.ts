import type * as http from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

declare module 'node:http' {
  interface Agent {
    /** What a ClientRequest calls to get its connection: the seam that agents outside Node are built on. */
    addRequest(request: import('node:http').ClientRequest, options: http.RequestOptions): void;
  }
}

/** All connections of an agent go to the one service, so they need no key that tells them apart. */
const service = 'service';

/** Bytes that had been read of a connection when it became idle. */
const readWhenIdle = new WeakMap<Duplex, number>();

/**
 * Fits an agent of Node's, plain or over TLS, to having one service at the other end of all its connections. Everything
 * stays as it is but the way to a connection that is idle, for which Node merges the options of agent and request twice
 * and builds a key from them: a tenth of what forwarding costs.
 */
export function forOneService<Kind extends http.Agent>(agent: Kind): Kind {
  const addRequest = agent.addRequest.bind(agent);
  const keepSocketAlive = agent.keepSocketAlive.bind(agent);
  return Object.assign(agent, {
    getName: () => service,
    addRequest(request: http.ClientRequest, options: http.RequestOptions) {
      if (!handOverIdle(agent, request)) addRequest(request, options);
    },
    keepSocketAlive(socket: Socket) {
      readWhenIdle.set(socket, socket.bytesRead);
      return keepSocketAlive(socket);
    },
  });
}

/**
 * Gives the request the connection that has been idle for the shortest time. Not one on which the service spoke unasked
 * meanwhile: whatever that was, the next thing read from it could be taken for the answer to a request of somebody else.
 * @returns false when there is none
 */
function handOverIdle(agent: http.Agent, request: http.ClientRequest): boolean {
  const idle = agent.freeSockets[service] ?? [];
  for (let last = idle.at(-1); last !== undefined && !isUsable(last); last = idle.at(-1)) {
    idle.pop();
    last.destroy();
  }
  // Node keeps the list of connections in use, and none while there are none: then it hands over the first one itself.
  const inUse = agent.sockets[service];
  const socket = inUse === undefined ? undefined : idle.pop();
  if (inUse === undefined || socket === undefined) return false;
  agent.reuseSocket(socket, request);
  inUse.push(socket);
  request.onSocket(socket);
  return true;
}

function isUsable(socket: Socket): boolean {
  return !socket.destroyed && socket.writable && socket.bytesRead === readWhenIdle.get(socket);
}
