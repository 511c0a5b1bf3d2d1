import type { Socket } from 'node:net';
import { Denial } from '../denial/denial.js';
import { Fault } from '../denial/fault.js';
import type { HeldSocket } from './held-socket.js';

export interface TunnelParts {
  readonly client: HeldSocket;
  /** the service's end; what came behind its 101 is waiting in it */
  readonly service: Socket;
  /** silence in both directions that ends it, ms */
  readonly idleMs: number;
  /** the same once one side has said that it sends no more, and for what the other has not read yet */
  readonly closingMs: number;
  /** @returns what ends the watch */
  readonly watchExpiry: (end: (denial: Denial) => void) => () => void;
}

/**
 * Carries bytes both ways, unread, until both connections are closed. A slow reader on one side slows the other; a side
 * that ends or dies ends the other, which still gets what was sent before.
 *
 * When the time is up both connections are destroyed. No close frame is written to the client: that could land in the
 * middle of one of the service's frames, which nobody here can tell.
 *
 * @throws Denial *_expired_while_streaming, websocket_idle; Fault ERR_UPSTREAM_RESPONSE_INVALID when the service's connection
 *   broke
 * @see RFC 6455 §7.1.1; REQUIREMENTS A23, S08
 */
export function tunnel({ client, service, idleMs, closingMs, watchExpiry }: TunnelParts): Promise<void> {
  const { socket } = client;
  return new Promise((resolve, reject) => {
    const destroyBoth = () => {
      socket.destroy();
      service.destroy();
    };
    const cut = (cause: Denial | Fault) => {
      reject(cause);
      destroyBoth();
    };
    let idle = setTimeout(cut, idleMs, new Denial('websocket_idle'));
    const unwatch = watchExpiry(cut);
    let isClosing = false;
    const beginClosing = () => {
      if (isClosing) return;
      isClosing = true;
      clearTimeout(idle);
      idle = setTimeout(destroyBoth, closingMs);
    };
    let broken: Fault | undefined;
    service.once('error', (cause) => {
      if (!isClosing)
        broken = new Fault('ERR_UPSTREAM_RESPONSE_INVALID', { cause, detail: 'tunnel broken off' });
    });
    let open = 2;
    const onceClosed = (other: Socket) => {
      beginClosing();
      other.destroySoon();
      open--;
      if (open > 0) return;
      clearTimeout(idle);
      unwatch();
      if (broken === undefined) resolve();
      else reject(broken);
    };
    const join = (from: Socket, to: Socket) => {
      from.on('data', () => void idle.refresh());
      from.once('end', beginClosing);
      if (from.closed) onceClosed(to);
      else from.once('close', () => onceClosed(to));
      from.pipe(to);
    };
    const ahead = client.release();
    if (ahead.length > 0) service.write(ahead);
    join(socket, service);
    join(service, socket);
  });
}
