import type { Socket } from 'node:net';
import type { SocketAddress } from '../support/bind.js';
import { Connection } from './connection.js';
import type { TlsTrust } from './trust.js';

export interface ConnectionLimits {
  /** open connections in all; Node refuses further ones at once */
  readonly connections: number;
  readonly connectionsPerAddress: number;
  /** where connections are made to */
  readonly address: SocketAddress;
}

/** All open client connections. @see REQUIREMENTS S09 */
export class ConnectionTable {
  readonly #limits: ConnectionLimits;
  readonly #trust: () => TlsTrust | undefined;
  readonly #perAddress = new Map<string, number>();
  /** by socket as HTTP sees it, from its first request on */
  readonly #connections = new Map<Socket, Connection>();
  /** by the same, until their first request */
  readonly #unused = new Set<Socket>();
  #draining = false;
  /** TCP connections, also those whose TLS handshake goes on */
  readonly #sockets = new Set<Socket>();

  /** @param trust - in force now; undefined without TLS */
  constructor(limits: ConnectionLimits, trust: () => TlsTrust | undefined) {
    this.#limits = limits;
    this.#trust = trust;
  }

  get size(): number {
    return this.#sockets.size;
  }

  /**
   * Counts a new connection, and closes it when its address has too many. A peer that has reset its TCP connection before
   * it was accepted has no address any more, but may have sent requests: nobody could tell from where, so they are not
   * read.
   */
  admit(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    const count = (this.#perAddress.get(address) ?? 0) + 1;
    this.#perAddress.set(address, count);
    this.#sockets.add(socket);
    socket.once('close', () => this.#forget(socket, address));
    const isCrowded = address !== '' && count > this.#limits.connectionsPerAddress;
    if (isCrowded || this.#hasNoAddress(socket)) socket.destroy();
  }

  /** Waits for the first request. @param socket - as HTTP sees it: the TLS socket where there is TLS, after its handshake */
  expect(socket: Socket): void {
    // A TLS socket asks the system for itself, and keeps what it was told: later the peer may have gone.
    if (this.#draining || this.#hasNoAddress(socket)) {
      socket.destroy();
      return;
    }
    this.#unused.add(socket);
    socket.once('close', () => this.#unused.delete(socket));
  }

  /** @param socket - the same as given to `expect` */
  of(socket: Socket): Connection {
    this.#unused.delete(socket);
    const known = this.#connections.get(socket);
    if (known !== undefined) return known;
    const connection = new Connection(socket, this.#trust());
    if (this.#draining) connection.drain();
    this.#connections.set(socket, connection);
    socket.once('close', () => this.#connections.delete(socket));
    return connection;
  }

  /**
   * Every connection ends with the answer that is under way, or the next one. Those that never had a request end now:
   * Node takes them for busy, and would wait for them.
   */
  drain(): void {
    this.#draining = true;
    for (const socket of this.#unused) socket.destroy();
    for (const connection of this.#connections.values()) connection.drain();
  }

  /**
   * Every connection whose handshake is done ends: now, or with the answer that is under way.
   * @returns how many there were
   * @see REQUIREMENTS J11
   */
  endAll(): number {
    const count = this.#unused.size + this.#connections.size;
    for (const socket of this.#unused) socket.destroy();
    for (const connection of this.#connections.values()) connection.end();
    return count;
  }

  /** Cuts off whatever is left. */
  destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Everybody on a unix socket has none. */
  #hasNoAddress(socket: Socket): boolean {
    return socket.remoteAddress === undefined && !('socketPath' in this.#limits.address);
  }

  #forget(socket: Socket, address: string): void {
    this.#sockets.delete(socket);
    const count = (this.#perAddress.get(address) ?? 1) - 1;
    if (count === 0) this.#perAddress.delete(address);
    else this.#perAddress.set(address, count);
  }
}
