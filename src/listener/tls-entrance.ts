import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import * as tls from 'node:tls';
import type { TrustedProxies } from '../request/trusted-proxies.js';
import { clientNetwork } from '../support/client-network.js';
import { peerOf } from './connection-table.js';
import { Handshakes } from './handshakes.js';
import type { TlsTrust } from './trust.js';

export interface EntranceParts {
  /** whoever comes through them is asked in any case: they are many clients */
  readonly proxies: TrustedProxies;
  readonly handshakeTimeoutMs: number;
  /** Must not throw */
  readonly certificateNotRequested: () => void;
  /** Must not throw */
  readonly handshakesOverBudget: (network: string) => void;
  /** Closes the connection and counts it. */
  readonly refuse: (socket: Socket, cause: 'handshake_time' | 'handshake_bytes') => void;
}

// All that has come when the handshake is done. A record that has begun behind it is 16 KB at most; the rest is handshake.
const maxHandshakeBytes = 40 * 1024;

/**
 * Between accepting a connection and its handshake. Node has one context for a server, which asks everybody for a certificate
 * or nobody; so there is a second one, that never listens, for those who are not to be asked.
 */
export class TlsEntrance {
  readonly #parts: EntranceParts;
  readonly #handshakes: Handshakes;
  readonly #unasked: tls.Server;
  readonly #asks: boolean;
  /** whose handshake is not done, by the address and port of the client */
  readonly #sockets = new Map<string, Socket>();
  readonly #beginAsked: (socket: Socket) => void;

  /** @param server - the one that listens; its own way to begin a handshake is taken from it */
  constructor(server: Server, trust: TlsTrust, parts: EntranceParts) {
    this.#parts = parts;
    this.#asks = trust.meaning !== 'off';
    const beginnings = server.listeners('connection');
    server.removeAllListeners('connection');
    this.#beginAsked = (socket) => {
      for (const begin of beginnings) Reflect.apply(begin, server, [socket]);
    };
    this.#unasked = tls.createServer({ ...trust.unaskedOptions, handshakeTimeout: parts.handshakeTimeoutMs });
    for (const event of ['secureConnection', 'tlsClientError'])
      this.#unasked.on(event, (...about: unknown[]) => server.emit(event, ...about));
    this.#handshakes = new Handshakes({
      begin: (socket, asks) => (asks ? this.#beginAsked(socket) : this.#unasked.emit('connection', socket)),
      refuse: (socket) => parts.refuse(socket, 'handshake_time'),
      notAsked: parts.certificateNotRequested,
      overBudget: parts.handshakesOverBudget,
    });
  }

  renew({ unaskedOptions }: TlsTrust): void {
    this.#unasked.setSecureContext(unaskedOptions);
  }

  /** Begins the handshake on an accepted connection. */
  take(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    const peer = peerOf(socket);
    if (!this.#asks || peer === undefined || this.#parts.proxies.includes(address)) {
      this.#beginAsked(socket);
      return;
    }
    this.#sockets.set(peer, socket);
    // The client may have come back from the same port already.
    socket.once('close', () => {
      if (this.#sockets.get(peer) === socket) this.#sockets.delete(peer);
    });
    this.#handshakes.start(socket, clientNetwork(address));
  }

  /**
   * The handshake is done. OpenSSL keeps some twelve times what the client has sent in it until the connection ends, so a
   * client that has sent much is cut off. How much of it was not handshake shows only once that has been read.
   */
  passed(secure: tls.TLSSocket): void {
    const peer = peerOf(secure) ?? '';
    const socket = this.#sockets.get(peer);
    if (socket === undefined) return;
    this.#sockets.delete(peer);
    this.#handshakes.end(socket);
    if (socket.bytesRead <= maxHandshakeBytes) return;
    setImmediate(() => {
      if (!secure.destroyed && socket.bytesRead - secure.bytesRead > maxHandshakeBytes)
        this.#parts.refuse(secure, 'handshake_bytes');
    });
  }
}
