import * as http from 'node:http';
import type { Socket } from 'node:net';
import { type Binding, bind } from '../support/bind.js';

/** What the admin socket tells. */
export interface AdminSources {
  /** why the sidecar should get no traffic now; empty: it is ready. Does not depend on the service */
  readonly notReady: () => readonly string[];
  readonly metrics: () => Promise<{ contentType: string; text: string }>;
  readonly status: () => object;
  /** public keys of the signed assertion. @see RFC 7517 §5 */
  readonly jwks: object;
}

interface AdminAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

const requestTimeoutMs = 5_000;
const timeoutCheckMs = 500;
// More than the system hands over in one turn of the event loop (511), so that what was sent with a connection is read
// before others displace it.
const maxConnections = 1000;

/**
 * The operators' socket: liveness, readiness, metrics, status, assertion keys. Separate from the public listener,
 * read-only, and free of secrets.
 * @see DESIGN section 6; REQUIREMENTS S04
 */
export class AdminServer {
  readonly #sources: AdminSources;
  readonly #server: http.Server;
  /** open ones, the one whose last request is the longest ago first */
  readonly #connections = new Set<Socket>();
  /** being put together */
  #metrics: ReturnType<AdminSources['metrics']> | undefined;

  constructor(sources: AdminSources) {
    this.#sources = sources;
    this.#server = http.createServer(
      {
        requestTimeout: requestTimeoutMs,
        headersTimeout: requestTimeoutMs,
        connectionsCheckingInterval: timeoutCheckMs,
      },
      (request, response) => {
        this.#refresh(request.socket);
        void this.#answer(request, response);
      },
    );
    this.#server.on('connection', (socket: Socket) => this.#admit(socket));
  }

  /** @returns the port, 0 for a unix socket. @throws Error EADDRINUSE, EACCES, … */
  listen(binding: Binding): Promise<number> {
    return bind(this.#server, binding);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /**
   * There is always room for a new connection: the one that has said nothing for the longest time makes it, so that nobody
   * keeps probes out by connecting.
   */
  #admit(socket: Socket): void {
    const [oldest] = this.#connections;
    if (oldest !== undefined && this.#connections.size >= maxConnections) {
      this.#connections.delete(oldest); // at once: `close` comes later
      oldest.destroy();
    }
    this.#connections.add(socket);
    socket.once('close', () => this.#connections.delete(socket));
  }

  #refresh(socket: Socket): void {
    if (this.#connections.delete(socket)) this.#connections.add(socket);
  }

  async #answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const { status, contentType, text } = await this.#route(request).catch(
      (): AdminAnswer => ({ status: 500, contentType: 'text/plain', text: 'internal error\n' }),
    );
    response.writeHead(status, {
      'Content-Type': contentType,
      'Cache-Control': 'no-store',
      ...(status === 405 && { Allow: 'GET, HEAD' }),
    });
    response.end(request.method === 'HEAD' ? undefined : text);
  }

  async #route({ method, url = '' }: http.IncomingMessage): Promise<AdminAnswer> {
    if (method !== 'GET' && method !== 'HEAD')
      return { status: 405, contentType: 'text/plain', text: 'method not allowed\n' };
    switch (url.split('?', 1)[0]) {
      case '/livez':
        return { status: 200, contentType: 'text/plain', text: 'ok\n' };
      case '/readyz':
        return readiness(this.#sources.notReady());
      case '/metrics': {
        // One for all who ask meanwhile: to whoever sends hundreds ahead it would be hundreds of times the work.
        this.#metrics ??= this.#sources.metrics().finally(() => {
          this.#metrics = undefined;
        });
        const { contentType, text } = await this.#metrics;
        return { status: 200, contentType, text };
      }
      case '/status':
        return {
          status: 200,
          contentType: 'application/json',
          text: `${JSON.stringify(this.#sources.status(), undefined, 2)}\n`,
        };
      case '/.well-known/jwks.json':
        return {
          status: 200,
          contentType: 'application/jwk-set+json',
          text: `${JSON.stringify(this.#sources.jwks)}\n`,
        };
      default:
        return { status: 404, contentType: 'text/plain', text: 'not found\n' };
    }
  }
}

function readiness(reasons: readonly string[]): AdminAnswer {
  const ready = reasons.length === 0;
  return {
    status: ready ? 200 : 503,
    contentType: 'text/plain',
    text: ready ? 'ready\n' : `not ready: ${reasons.join('; ')}\n`,
  };
}
