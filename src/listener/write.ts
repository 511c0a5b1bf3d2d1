import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { HeldSocket } from '../forward/held-socket.js';
import { hasLeft, type Inbound } from '../forward/inbound.js';
import type { Answer } from '../reply/reply.js';

const lingerMs = 1000;
// An answer of our own is small: who has not taken it by then does not read.
const unreadMs = 10_000;

/** What happens to the connection after an answer of our own. */
export type Ending =
  | 'keep'
  | 'close'
  /** close, but first drop for a moment what the client is still sending (forward/inbound.ts) */
  | 'drain-and-close';

/** Writes an answer of our own. Resolves when it is out or the client has gone; one that does not read is cut off. */
export function writeAnswer(
  { request, response, body }: Pick<Inbound, 'request' | 'response' | 'body'>,
  answer: Answer,
  ending: Ending,
): Promise<void> {
  return new Promise((resolve) => {
    response.once('close', resolve);
    if (hasLeft({ request, response })) return resolve();
    if (ending !== 'keep') response.shouldKeepAlive = false;
    response.writeHead(answer.status, [...answer.headers]);
    if (request.method === 'HEAD') response.end();
    else if (ending !== 'drain-and-close') response.end(answer.body);
    else {
      if (answer.body === '') response.flushHeaders();
      else response.write(answer.body);
      void body.dropRest().then(() => response.end());
    }
    if (!response.writableFinished) endUnread(request.socket, response);
  });
}

function endUnread(socket: Socket, response: ServerResponse): void {
  const timer = setTimeout(() => socket.destroy(), unreadMs);
  response.once('close', () => clearTimeout(timer));
}

/**
 * Does what the server does for ordinary requests, on a connection that it has let go of: gives the response its socket,
 * and ends the connection behind the answer, whatever it is, for nobody parses what follows. A response that switches
 * protocols leaves the socket before (forward/forwarder.ts).
 * Ends the idle time that Node has set with the answer before it, as nobody would end it any more.
 *
 * Fails closed: a connection on which another answer is still being given ends.
 * @throws Error ERR_HTTP_SOCKET_ASSIGNED, which would be our bug
 */
export function attachResponse(response: ServerResponse, held: HeldSocket): void {
  response.shouldKeepAlive = false;
  try {
    response.assignSocket(held.socket);
  } catch (error) {
    held.socket.destroy();
    throw error;
  }
  held.socket.setTimeout(0);
  response.once('finish', () => {
    response.detachSocket(held.socket);
    held.dismiss();
    process.nextTick(() => response.emit('close'));
  });
}

/** Writes an answer where there is no response object: the parser gave up, or the client asked for a tunnel. */
export function writeRawAnswer(socket: Socket, answer: Answer): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const lines = [
    `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`,
    `Date: ${new Date().toUTCString()}`,
  ];
  for (let i = 0; i + 1 < answer.headers.length; i += 2)
    lines.push(`${answer.headers[i]}: ${answer.headers[i + 1]}`);
  lines.push('Connection: close', '', answer.body);
  socket.end(lines.join('\r\n'));
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(timer));
}
