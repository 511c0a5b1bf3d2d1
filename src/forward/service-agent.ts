import * as http from 'node:http';
import * as https from 'node:https';

declare module 'node:http' {
  interface Agent {
    /** What a ClientRequest calls to get its connection: the seam that agents outside Node are built on. */
    addRequest(request: import('node:http').ClientRequest, options: http.RequestOptions): void;
  }
}

/** All connections of an agent go to the one service, so they need no key that tells them apart. */
const service = 'service';

/**
 * An agent whose connections all go to one service, over plain TCP or a unix socket. Of Node's own it keeps
 * everything but the way to a connection that is idle, for which Node merges the options of agent and request twice and
 * builds a key from them: a tenth of what forwarding costs.
 */
export class PlainServiceAgent extends http.Agent {
  override getName(): string {
    return service;
  }

  override addRequest(request: http.ClientRequest, options: http.RequestOptions): void {
    if (!handOverIdle(this, request)) super.addRequest(request, options);
  }
}

/** The same over TLS. */
export class SecureServiceAgent extends https.Agent {
  override getName(): string {
    return service;
  }

  override addRequest(request: http.ClientRequest, options: http.RequestOptions): void {
    if (!handOverIdle(this, request)) super.addRequest(request, options);
  }
}

/** Gives the request the connection that has been idle for the shortest time. @returns false when there is none */
function handOverIdle(agent: http.Agent, request: http.ClientRequest): boolean {
  const idle = agent.freeSockets[service];
  const inUse = agent.sockets[service];
  if (idle === undefined || inUse === undefined) return false;
  for (let socket = idle.pop(); socket !== undefined; socket = idle.pop()) {
    if (socket.destroyed || !socket.writable) continue;
    agent.reuseSocket(socket, request);
    inUse.push(socket);
    request.onSocket(socket);
    return true;
  }
  return false;
}
