import type { Socket } from 'node:net';
import type { SocketAddress } from '../support/bind.js';
import { clientNetwork } from '../support/client-network.js';
import { AheadBudget } from './ahead.js';
import { Connection, type PeerRules } from './connection.js';
import type { TlsTrust } from './trust.js';

export interface ConnectionLimits {
  /** open connections in all, also those whose TLS handshake goes on */
  readonly connections: number;
  /** the same of one client address; a /64 of IPv6 counts as one */
  readonly connectionsPerAddress: number;
  /** where connections are made to */
  readonly address: SocketAddress;
  /** told of each connection that a limit has ended. Must not throw */
  readonly connectionRefused: (cause: RefusedConnection) => void;
}

/**
 * Why: there were too many in all, too many of its address, a newer one has taken its place, its address had taken too much
 * time for handshakes, or it sent too much in its own.
 */
export type RefusedConnection = 'total' | 'address' | 'displaced' | 'handshake_time' | 'handshake_bytes';

/** A connection on which nothing was admitted yet. */
interface Newcomer {
  readonly socket: Socket;
  /** from its first request on */
  connection: Connection | undefined;
}

// How many newcomers that are busy are passed over in search of one that is not.
const maxPassedOver = 16;

/** All open client connections. @see REQUIREMENTS S09 */
export class ConnectionTable {
  readonly #limits: ConnectionLimits & PeerRules;
  readonly #trust: () => TlsTrust | undefined;
  readonly #ahead = new AheadBudget();
  readonly #perAddress = new Map<string, number>();
  /** by socket as HTTP sees it, from its first request on */
  readonly #connections = new Map<Socket, Connection>();
  /** by the same, until their first request */
  readonly #unused = new Set<Socket>();
  /** closed, and still at work */
  readonly #leaving = new Set<Connection>();
  #draining = false;
  /** TCP connections, also those whose TLS handshake goes on */
  readonly #sockets = new Set<Socket>();
  /** oldest first, by the address and port of the client: Node has no way from a TLS socket to that below it */
  readonly #newcomers = new Map<string, Newcomer>();

  /** @param trust - in force now; undefined without TLS */
  constructor(limits: ConnectionLimits & PeerRules, trust: () => TlsTrust | undefined) {
    this.#limits = limits;
    this.#trust = trust;
  }

  get size(): number {
    return this.#sockets.size;
  }

  /**
   * Counts a new TCP connection, and closes it when its address has too many. A unix socket has no address, and what
   * comes from a trusted front proxy is of many clients.
   *
   * When there are too many in all, the oldest connection on which nothing was ever admitted makes room for it: a flood
   * of connections that say nothing, or nothing good, displaces itself and keeps nobody out, and who has shown a good
   * token and proof keeps the place. The new one is closed when there is none to displace.
   *
   * A peer that has reset its connection before it was accepted has no address any more, but may have sent requests: nobody
   * could tell from where, so they are not read.
   */
  admit(socket: Socket): void {
    const { connections, connectionsPerAddress, proxies } = this.#limits;
    const address = socket.remoteAddress ?? '';
    const network = clientNetwork(address);
    const count = (this.#perAddress.get(network) ?? 0) + 1;
    if (network !== '' && count > connectionsPerAddress && !proxies.includes(address)) {
      this.refuse(socket, 'address');
      return;
    }
    if (this.#sockets.size >= connections && !this.#displaceOne()) {
      this.refuse(socket, 'total');
      return;
    }
    this.#perAddress.set(network, count);
    this.#sockets.add(socket);
    const peer = peerOf(socket);
    if (peer !== undefined) this.#newcomers.set(peer, { socket, connection: undefined });
    socket.once('close', () => this.#forget(socket, network, peer));
    if (this.#hasNoAddress(socket)) socket.destroy();
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
    const connection = new Connection(socket, { trust: this.#trust(), ahead: this.#ahead }, this.#limits);
    if (this.#draining) connection.drain();
    this.#connections.set(socket, connection);
    socket.once('close', () => this.#leave(socket, connection));
    const newcomer = this.#newcomers.get(peerOf(socket) ?? '');
    if (newcomer !== undefined) newcomer.connection = connection;
    return connection;
  }

  /** Whether its first request is still to come. @param socket - the same */
  isUnused(socket: Socket): boolean {
    return this.#unused.has(socket);
  }

  /** Whether HTTP has begun on it. @param socket - the same; until the end of its TLS handshake not known */
  knows(socket: Socket): boolean {
    return this.#unused.has(socket) || this.#connections.has(socket);
  }

  /**
   * Every connection ends with the answer that is under way, or the next one. Those that never had a request end now,
   * those in a TLS handshake too: Node takes them for busy, and would wait for them.
   */
  drain(): void {
    this.#draining = true;
    for (const { socket, connection } of this.#newcomers.values())
      if (connection === undefined) socket.destroy();
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

  /** Ends connections on which no request has come for this long since the last answer, whatever else did. @see REQUIREMENTS S08 */
  endIdle(maxIdleMs: number): void {
    const before = performance.now() - maxIdleMs;
    for (const [socket, { idleSinceMs }] of this.#connections)
      if (idleSinceMs !== undefined && idleSinceMs < before) socket.destroy();
  }

  /** Closes a connection, and counts it. */
  refuse(socket: Socket, cause: RefusedConnection): void {
    this.#limits.connectionRefused(cause);
    socket.destroy();
  }

  /** Holds when what is under way has come to its end and is recorded. */
  async settled(): Promise<void> {
    // The server has closed before its sockets say so.
    await Promise.all([...this.#connections.values(), ...this.#leaving].map(({ worked }) => worked));
  }

  /** Cuts off whatever is left. */
  destroyAll(): void {
    for (const connection of this.#connections.values()) connection.cutOff();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** @returns false when every connection is in use by somebody who was admitted, or busy */
  #displaceOne(): boolean {
    let passedOver = 0;
    for (const [peer, newcomer] of this.#newcomers) {
      const { socket, connection } = newcomer;
      this.#newcomers.delete(peer);
      if (connection?.isAdmitted) continue;
      if (!connection?.isBusy) {
        this.#sockets.delete(socket); // at once: `close` comes later, and the next new one may be before it
        this.refuse(socket, 'displaced');
        return true;
      }
      this.#newcomers.set(peer, newcomer);
      if (++passedOver === maxPassedOver) break;
    }
    return false;
  }

  /** Everybody on a unix socket has none. */
  #hasNoAddress(socket: Socket): boolean {
    return socket.remoteAddress === undefined && !('socketPath' in this.#limits.address);
  }

  #leave(socket: Socket, connection: Connection): void {
    this.#connections.delete(socket);
    if (!connection.isBusy) return;
    this.#leaving.add(connection);
    void connection.worked.then(() => this.#leaving.delete(connection));
  }

  #forget(socket: Socket, network: string, peer: string | undefined): void {
    this.#sockets.delete(socket);
    // The client may have come back from the same port already.
    if (peer !== undefined && this.#newcomers.get(peer)?.socket === socket) this.#newcomers.delete(peer);
    const count = (this.#perAddress.get(network) ?? 1) - 1;
    if (count === 0) this.#perAddress.delete(network);
    else this.#perAddress.set(network, count);
  }
}

/** The address and port of the client. @returns undefined on a unix socket */
export function peerOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remotePort === undefined ? undefined : `${remoteAddress} ${remotePort}`;
}
