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
 * Carries bytes both ways, unread, until both connections are closed. A slow reader on one side slows the other; who ends
 * one direction may still hear the other; one that dies ends the other, which still gets what was sent before.
 *
 * When the time is up both connections are destroyed. No close frame is written to the client: that could land in the
 * middle of one of the service's frames, which nobody here can tell.
 *
 * @throws Denial *_expired_while_streaming, websocket_idle; Fault ERR_UPSTREAM_RESPONSE_INVALID when the service's connection
 *   broke
 * @see RFC 6455 §7.1.1; REQUIREMENTS A23, S08
 */
export function tunnel(parts: TunnelParts): Promise<void> {
  return new Promise((resolve, reject) => {
    new Tunnel(parts, { resolve, reject }).open();
  });
}

interface Settle {
  readonly resolve: () => void;
  readonly reject: (cause: Denial | Fault) => void;
}

class Tunnel {
  readonly #parts: TunnelParts;
  readonly #client: Socket;
  readonly #service: Socket;
  readonly #settle: Settle;
  readonly #unwatch: () => void;
  #idle: NodeJS.Timeout;
  /** one side has ended, or is gone */
  #isClosing = false;
  #broken: Fault | undefined;
  #connections = 2;

  constructor(parts: TunnelParts, settle: Settle) {
    this.#parts = parts;
    this.#client = parts.client.socket;
    this.#service = parts.service;
    this.#settle = settle;
    const cut = (cause: Denial) => {
      settle.reject(cause);
      this.#destroy();
    };
    this.#idle = setTimeout(() => cut(new Denial('websocket_idle')), parts.idleMs);
    this.#unwatch = parts.watchExpiry(cut);
  }

  open(): void {
    // Like the client's: one side that says nothing more still hears the other.
    this.#service.allowHalfOpen = true;
    this.#service.once('error', (cause) => {
      if (this.#isClosing) return;
      this.#broken = new Fault('ERR_UPSTREAM_RESPONSE_INVALID', { cause, detail: 'tunnel broken off' });
    });
    const ahead = this.#parts.client.release();
    if (ahead.length > 0) this.#service.write(ahead);
    this.#carry(this.#client, this.#service);
    this.#carry(this.#service, this.#client);
  }

  #carry(from: Socket, to: Socket): void {
    from.on('data', () => void this.#idle.refresh());
    from.once('end', () => this.#beginClosing());
    if (from.closed) this.#onClosed(to);
    else from.once('close', () => this.#onClosed(to));
    from.pipe(to);
  }

  #onClosed(other: Socket): void {
    this.#beginClosing();
    other.destroySoon();
    this.#connections--;
    if (this.#connections > 0) return;
    clearTimeout(this.#idle);
    this.#unwatch();
    if (this.#broken === undefined) this.#settle.resolve();
    else this.#settle.reject(this.#broken);
  }

  #beginClosing(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#destroy(), this.#parts.closingMs);
  }

  #destroy(): void {
    this.#client.destroy();
    this.#service.destroy();
  }
}
