import { randomUUID } from 'node:crypto';
import * as http from 'node:http';
import * as https from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { Denial } from '../denial/denial.js';
import { HeldSocket } from '../forward/held-socket.js';
import { toRefusal } from '../gate/refusal.js';
import { openRecord } from '../observability/request-record.js';
import { type Binding, bind } from '../support/bind.js';
import { Turns } from '../support/turns.js';
import { waitingBytes } from './ahead.js';
import type { Connection, PeerRules } from './connection.js';
import { type ConnectionLimits, ConnectionTable } from './connection-table.js';
import { Exchange, type ExchangeParts, type Expectation } from './exchange.js';
import { toDenial } from './parser-error.js';
import type { TlsOptions } from './tls.js';
import { TlsEntrance } from './tls-entrance.js';
import { TlsTrust } from './trust.js';
import { writeRawAnswer } from './write.js';

export interface ListenerOptions extends Binding, ConnectionLimits, PeerRules {
  readonly tls: TlsOptions | undefined;
  readonly headerBytes: number;
  readonly headersTimeoutMs: number;
  /** head and body; 0: no limit */
  readonly requestTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** told of each connection that is not asked for a certificate, as handshakes of its address cost too much. Must not throw */
  readonly certificateNotRequested: () => void;
  /** told when an address has taken more than its part of the processor for handshakes. Must not throw */
  readonly handshakesOverBudget: (network: string) => void;
}

// How often Node looks for requests that are late; its default of 30 s would make a limit of 10 s one of 40.
// Ten times a second, as all that are found late are ended at once, and a flood would come in lumps.
const timeoutCheckMs = 100;
// How long refusing late requests may hold up everything else at a time.
const maxLateMs = 1;
const drainCheckMs = 50;
// What a client may still need for the rest of a request whose head has not come whole when the process is told to stop.
const drainHeadMs = 1000;
// For what was cut off to be recorded.
const maxSettleMs = 1000;
const idleCheckMs = 1000;

/**
 * The public listener: sockets, TLS, limits, and one Exchange a request. Holds no rule about requests; what Node's
 * parser refuses by itself is answered here in the same form as everything else.
 */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #parts: ExchangeParts;
  readonly #server: http.Server;
  readonly #connections: ConnectionTable;
  readonly #late = new Turns(maxLateMs);
  readonly #entrance: TlsEntrance | undefined;
  #trust: TlsTrust | undefined;

  constructor(options: ListenerOptions, parts: ExchangeParts) {
    this.#options = options;
    this.#parts = parts;
    this.#trust = options.tls && new TlsTrust(options.tls, options.clock.nowMs());
    this.#connections = new ConnectionTable(options, () => this.#trust);
    this.#server = createServer(options, this.#trust);
    this.#entrance = this.#trust && this.#createEntrance(this.#server, this.#trust);
    this.#connect(this.#server);
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** in force now; undefined without TLS */
  get tls(): TlsOptions | undefined {
    return this.#trust?.options;
  }

  /**
   * Puts certificate, key, CAs and revocation lists into force for new connections. When what client certificates are
   * worth has changed, no session is resumed and no connection goes on with the old verdict.
   *
   * @param options - of the same mode, and with CAs if and only if there were some
   * @returns how many connections are ended by it
   * @throws Error from OpenSSL, when it refuses what the options hold; then nothing has changed
   * @see REQUIREMENTS J10, J11, J14
   */
  renewTls(options: TlsOptions): number {
    const before = this.#trust;
    if (before === undefined || !(this.#server instanceof https.Server)) return 0;
    const nowMs = this.#options.clock.nowMs();
    const trust = new TlsTrust(options, nowMs, before);
    this.#server.setSecureContext(trust.serverOptions);
    this.#entrance?.renew(trust);
    this.#trust = trust;
    return trust.isSameAs(before, nowMs) ? 0 : this.#connections.endAll();
  }

  /**
   * Looks whether time alone has changed what client certificates are worth; to be called every few seconds. Ticket keys
   * are exchanged every hour.
   * @returns undefined, or how many connections are ended because a CA or a revocation list has come to its end
   */
  checkTlsAge(): number | undefined {
    const nowMs = this.#options.clock.nowMs();
    const trust = this.#trust;
    if (trust === undefined) return undefined;
    const hasEnded = trust.hasEnded(nowMs);
    if (!hasEnded && !trust.isOld(nowMs)) return undefined;
    const ended = this.renewTls(trust.options);
    return hasEnded ? ended : undefined;
  }

  /** @returns the port that it listens on, 0 for a unix socket. @throws Error EADDRINUSE, EACCES, … */
  listen(): Promise<number> {
    const { idleTimeoutMs, headersTimeoutMs } = this.#options;
    // By then the head of a next request has come, or it never will; one check more for a machine that is busy.
    const maxIdleMs = idleTimeoutMs + headersTimeoutMs + idleCheckMs;
    const idle = setInterval(() => this.#connections.endIdle(maxIdleMs), idleCheckMs).unref();
    this.#server.once('close', () => clearInterval(idle));
    return bind(this.#server, this.#options);
  }

  /**
   * Stops accepting, lets what is under way finish, and closes its connections.
   * @param graceMs - after which what is left is cut off
   * @see REQUIREMENTS S07
   */
  async drain(graceMs: number): Promise<void> {
    this.#connections.drain();
    // Node looks for idle connections once, when it is told to close; those that become idle later would stay. One on which
    // half a head, or just an empty line, has come it never takes for idle.
    const idle = setInterval(() => this.#server.closeIdleConnections(), drainCheckMs);
    const heads = setTimeout(() => this.#connections.endIdle(0), drainHeadMs);
    const timer = setTimeout(() => this.#connections.destroyAll(), graceMs);
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    clearTimeout(timer);
    clearTimeout(heads);
    clearInterval(idle);
    await Promise.race([this.#connections.settled(), delay(maxSettleMs)]);
  }

  #connect(server: http.Server): void {
    const { tls } = this.#options;
    server.on('connection', (socket: Socket) => {
      this.#connections.admit(socket);
      if (!socket.destroyed) this.#entrance?.take(socket);
    });
    if (tls !== undefined) {
      // Before the listener that starts to read HTTP.
      server.prependListener('secureConnection', (socket: TLSSocket) => {
        this.#entrance?.passed(socket);
        if (!this.#trust?.accepts(socket, this.#options.clock.nowMs())) socket.destroy();
      });
    }
    server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) =>
      this.#connections.expect(socket),
    );
    server.on('request', (request, response) => this.#accept(request, response, 'none'));
    server.on('checkContinue', (request, response) => this.#accept(request, response, 'continue'));
    // Whatever it expects is judged with the rest of the head (request/facts.ts).
    server.on('checkExpectation', (request, response) => this.#accept(request, response, 'none'));
    // Not the stream that comes with it: where the request has a body, newer releases of Node give another than the connection.
    server.on('upgrade', (request: http.IncomingMessage, _stream: Duplex, head: Buffer) =>
      this.#acceptUpgrade(request, new HeldSocket(request.socket, head)),
    );
    server.on('connect', (_request: http.IncomingMessage, socket: Socket) => {
      // Node has taken its own listeners off, and an error that nobody hears ends the process.
      socket.on('error', () => socket.destroy());
      if (socket.destroyed) return;
      const connection = this.#connections.of(socket);
      connection.detach();
      this.#refuseRaw(connection, new Denial('method_not_allowed', 'CONNECT'));
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      const giveUp = () => this.#parserGaveUp(error, socket);
      // Of a flood that never finishes its heads a thousand are late in the same moment.
      const isFlood = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && this.#connections.isUnused(socket);
      if (isFlood) this.#late.add(giveUp);
      else giveUp();
    });
  }

  #createEntrance(server: http.Server, trust: TlsTrust): TlsEntrance {
    const { proxies, certificateNotRequested, handshakesOverBudget, headersTimeoutMs } = this.#options;
    return new TlsEntrance(server, trust, {
      proxies,
      certificateNotRequested,
      handshakesOverBudget,
      handshakeTimeoutMs: headersTimeoutMs,
      refuse: (socket, cause) => this.#connections.refuse(socket, cause),
    });
  }

  #accept(request: http.IncomingMessage, response: http.ServerResponse, expectation: Expectation): void {
    // What came with the end of a TLS handshake is still delivered when the connection was closed right behind it: from
    // where, nobody could tell any more. The same for upgrades and CONNECT.
    if (request.socket.destroyed) return;
    const connection = this.#connections.of(request.socket);
    connection.enqueue(
      () => new Exchange(this.#parts, connection, { request, response, expectation, held: undefined }),
      () => waitingBytes(request),
    );
  }

  /**
   * Node takes every request with both upgrade fields for an upgrade, whatever the method, the protocol and the body, and
   * has let go of the connection: so has every answer to be the last, but it still has its turn (A18).
   */
  #acceptUpgrade(request: http.IncomingMessage, held: HeldSocket): void {
    if (held.socket.destroyed) return;
    const connection = this.#connections.of(held.socket);
    connection.detach();
    const response = new http.ServerResponse(request);
    connection.enqueue(
      () => new Exchange(this.#parts, connection, { request, response, expectation: 'none', held }),
      () => waitingBytes(request),
    );
  }

  /** What the parser refuses belongs to the request whose body is arriving, or is a request of its own. */
  #parserGaveUp(error: NodeJS.ErrnoException, socket: Socket): void {
    // A TLS handshake that failed or took too long: there is no request, and no way to say anything.
    if (!this.#connections.knows(socket)) {
      socket.destroy();
      return;
    }
    // Bytes behind a request that asked for close are nobody's, but its answer is still owed (RFC 9112 §9.6).
    if (error.code === 'HPE_CLOSED_CONNECTION' && this.#connections.of(socket).isBusy) return;
    const denial = toDenial(error);
    if (denial === undefined || !socket.writable) {
      socket.destroy();
      return;
    }
    const connection = this.#connections.of(socket);
    if (connection.failBody(denial)) return;
    // Who ends in the middle of the next request has gone, like one who ends in front of it: the answer under way is given
    // up, which may be a stream that would keep its place at the service for an hour.
    if (error.code === 'HPE_INVALID_EOF_STATE' && connection.isBusy) socket.destroy();
    else this.#refuseRaw(connection, denial);
  }

  #refuseRaw(connection: Connection, denial: Denial): void {
    const { replies, record } = this.#parts;
    const makeJob = () => ({
      run: async () => {
        const request = openRecord(randomUUID(), connection.remoteAddress);
        request.status = denial.entry.status;
        request.outcome = 'refused';
        request.cause = denial;
        connection.closeAfterAnswer();
        writeRawAnswer(connection.socket, replies.refuse(toRefusal(denial, {}), request.requestId));
        record(request);
      },
      failBody: () => false,
      endConnection: () => {},
      revoke: () => {},
      cutOff: () => {},
      drained: () => {},
    });
    // Nothing of the request is kept.
    connection.enqueue(makeJob, () => 0);
  }
}

function createServer(options: ListenerOptions, trust: TlsTrust | undefined): http.Server {
  const common: http.ServerOptions = {
    insecureHTTPParser: false,
    requireHostHeader: false, // request/authority.ts answers, in our form
    maxHeaderSize: options.headerBytes,
    headersTimeout: options.headersTimeoutMs,
    requestTimeout: options.requestTimeoutMs,
    keepAliveTimeout: options.idleTimeoutMs,
    connectionsCheckingInterval: timeoutCheckMs,
    noDelay: true,
  };
  const server =
    trust === undefined
      ? http.createServer(common)
      : https.createServer({
          ...common,
          ...trust.serverOptions,
          handshakeTimeout: options.headersTimeoutMs,
        });
  // Node drops fields beyond this without a word; their bytes are bounded and request/head.ts counts them (A17).
  server.maxHeadersCount = 0;
  return server;
}
