import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { Denial } from '../denial/denial.js';
import { Fault } from '../denial/fault.js';
import { joinPieces } from './pieces.js';
import { noteEnd } from './service-agent.js';

export interface OutgoingLimits {
  readonly connectTimeoutMs: number;
  /** until the head of the answer */
  readonly responseTimeoutMs: number;
  /** the connection is made when its TLS handshake is done */
  readonly secure: boolean;
  /** the request asks for another protocol: then 101 is an answer, whose socket is the caller's */
  readonly upgrade: boolean;
  /** the body on its way to the service; the time until the head counts from when it has been sent */
  readonly body: Readable | undefined;
}

type TimeOut = (detail: string) => void;

/** A pooled connection was closed by the service just as it was used again: the request may not have been seen. */
export class StalePooledConnection extends Error {
  override readonly name = 'StalePooledConnection';
}

/**
 * Turns everything that can become of an outgoing request into one answer or one error.
 *
 * @returns the head of the answer, its body unread; of a 101, with what came behind it waiting in its socket
 * @throws StalePooledConnection; Fault ERR_UPSTREAM_UNREACHABLE, ERR_UPSTREAM_RESPONSE_INVALID, ERR_UPSTREAM_TIMEOUT;
 *   Denial request_timeout, when it is the client whose body has stopped
 * @see REQUIREMENTS A25, B14, S08
 */
export function awaitAnswer(outgoing: ClientRequest, limits: OutgoingLimits): Promise<IncomingMessage> {
  // Node passes on the first 1,000 fields of an answer and drops the rest without a word; their bytes are bounded.
  outgoing.maxHeadersCount = 0;
  return new Promise((resolve, reject) => {
    let readBefore = 0;
    let connected = false;
    let answered = false;
    const timeOut: TimeOut = (detail) => {
      const { body } = limits;
      // All that came of it is with the service, so the next word is the client's.
      const isOfClient = body !== undefined && !body.readableEnded && outgoing.writableLength === 0;
      reject(
        isOfClient ? new Denial('request_timeout', detail) : new Fault('ERR_UPSTREAM_TIMEOUT', { detail }),
      );
      outgoing.destroy();
    };
    const waiting = limitWaiting(outgoing, limits, timeOut);
    outgoing.once('socket', (socket: Socket) => {
      readBefore = socket.bytesRead;
      connected = !socket.connecting;
      if (connected) return;
      socket.once(limits.secure ? 'secureConnect' : 'connect', () => {
        connected = true;
      });
      limitConnecting(socket, limits, timeOut);
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      const nothingRead = (outgoing.socket?.bytesRead ?? readBefore) === readBefore;
      const stale = outgoing.reusedSocket && nothingRead;
      reject(
        stale ? new StalePooledConnection(describe(error), { cause: error }) : toFault(error, connected),
      );
    });
    const refuseSwitch = (socket: Socket | null) => {
      socket?.destroy();
      reject(new Fault('ERR_UPSTREAM_RESPONSE_INVALID', { detail: 'unsolicited 101' }));
    };
    outgoing.once('response', (response: IncomingMessage) => {
      // The body belongs to the forwarder; an error without a listener would end the process.
      response.on('error', () => {});
      // One that Node does not take for an upgrade: its connection is still parsed as HTTP.
      if (response.statusCode === 101) return refuseSwitch(outgoing.socket);
      answered = true;
      noteEnd(response);
      joinPieces(response);
      waiting.end();
      resolve(response);
    });
    outgoing.once('upgrade', (response: IncomingMessage, socket: Socket, head: Buffer) => {
      waiting.end();
      if (!limits.upgrade) return refuseSwitch(socket);
      answered = true;
      // Node has taken its own listeners off, and an error that nobody hears ends the process.
      socket.on('error', () => socket.destroy());
      if (head.length > 0) socket.unshift(head);
      resolve(response);
    });
    outgoing.once('close', () => {
      waiting.end();
      // Given up before it had a socket: nobody else would tell.
      if (!answered) reject(new Fault('ERR_UPSTREAM_RESPONSE_INVALID', { detail: 'closed' }));
    });
  });
}

/**
 * Limits silence while a body is being sent, and from then on the whole wait: what is not the head of the answer, a
 * 102 or a dribbled field, extends nothing.
 */
function limitWaiting(
  outgoing: ClientRequest,
  { responseTimeoutMs, body }: OutgoingLimits,
  timeOut: TimeOut,
): { end(): void } {
  if (body === undefined) {
    const timer = setTimeout(timeOut, responseTimeoutMs, 'no head of an answer');
    return { end: () => clearTimeout(timer) };
  }
  let timer = setTimeout(timeOut, responseTimeoutMs, 'silent while a body was sent');
  const extend = () => void timer.refresh();
  const begin = () => {
    body.off('data', extend);
    clearTimeout(timer);
    timer = setTimeout(timeOut, responseTimeoutMs, 'no head of an answer');
  };
  // The service reads as long as the body flows: behind one that has stopped, the pipe stops too.
  body.on('data', extend);
  outgoing.once('finish', begin);
  return {
    end() {
      body.off('data', extend);
      outgoing.off('finish', begin);
      clearTimeout(timer);
    },
  };
}

function limitConnecting(
  socket: Socket,
  { connectTimeoutMs, secure }: OutgoingLimits,
  timeOut: TimeOut,
): void {
  const timer = setTimeout(timeOut, connectTimeoutMs, 'no connection');
  const done = () => clearTimeout(timer);
  socket.once(secure ? 'secureConnect' : 'connect', done);
  socket.once('close', done);
}

function toFault(error: NodeJS.ErrnoException, connected: boolean): Fault {
  const code = connected ? 'ERR_UPSTREAM_RESPONSE_INVALID' : 'ERR_UPSTREAM_UNREACHABLE';
  return new Fault(code, { cause: error, detail: describe(error) });
}

function describe(error: NodeJS.ErrnoException): string {
  return error.code ?? error.message;
}
