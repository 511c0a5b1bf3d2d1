import * as http from 'node:http';
import * as https from 'node:https';
import { isIP } from 'node:net';
import { Fault } from '../denial/fault.js';
import type { OutgoingHeaders } from './hygiene.js';
import type { Inbound } from './inbound.js';
import { awaitAnswer, StalePooledConnection } from './outgoing.js';
import { forOneService } from './service-agent.js';
import { UpgradeRequests, type UpgradeTarget } from './upgrade-request.js';

export interface UpstreamOptions {
  /** where the service listens: host and port, or a unix socket */
  readonly target:
    | { readonly scheme: 'http' | 'https'; readonly host: string; readonly port: number }
    | { readonly socketPath: string };
  readonly tls: {
    readonly ca?: readonly string[];
    readonly certificate?: string;
    readonly key?: string;
    readonly serverName?: string;
  };
  readonly connectTimeoutMs: number;
  /** until the head of the answer */
  readonly responseTimeoutMs: number;
  /** a pooled connection is closed before the service closes it */
  readonly poolIdleTimeoutMs: number;
}

export interface UpstreamRequest {
  readonly method: string;
  /** the exact bytes that the policy decided on */
  readonly target: string;
  readonly headers: OutgoingHeaders;
  readonly hasBody: boolean;
  /** goes out on a connection of its own, with `Connection: close`. @see REQUIREMENTS B18 */
  readonly isSeparate: boolean;
}

/** A request on its way: the answer's head, or a Fault; and the handle to give it up. */
export interface UpstreamCall {
  readonly response: Promise<http.IncomingMessage>;
  abort(): void;
  /** Its connection is not used again after the answer. To be called while the answer is being looked at. */
  retire(): void;
  /** Whether all of the request has gone out to the service. */
  isSent(): boolean;
}

/**
 * Sends requests to the service: a mover of bytes that gets a request which was built elsewhere, to the last header
 * field, and gives back an answer that is judged elsewhere.
 *
 * By Node's own client, and only upgrades by http-proxy (upgrade-request.ts): http-proxy copies the header map twice,
 * hands it on field by field and repairs the path, which made a certificate-bound request cost 1.7 times a bare one, of
 * 1.5 that are allowed (docs/performance.md). A list of header lines, built once, is written as it is.
 */
export class Upstream {
  readonly #options: UpstreamOptions;
  readonly #destination: Destination;
  readonly #pool: http.Agent;
  /** makes a new connection for each request */
  readonly #unpooled: http.Agent;
  readonly #upgrades: UpgradeRequests;

  constructor(options: UpstreamOptions) {
    this.#options = options;
    this.#destination = toDestination(options);
    this.#pool = createAgent(options, {
      keepAlive: true,
      scheduling: 'lifo',
      timeout: options.poolIdleTimeoutMs,
    });
    this.#unpooled = createAgent(options, { keepAlive: false });
    this.#upgrades = new UpgradeRequests(toUpgradeTarget(this.#destination));
  }

  /**
   * Sends the request once, and once more when an idle pooled connection turned out to be closed: only for a request
   * that is idempotent, has no body, and of which no byte of an answer was seen (RFC 9110 §9.2.2).
   *
   * @returns at once; the promise rejects with Fault ERR_UPSTREAM_*
   */
  send(inbound: Inbound, request: UpstreamRequest): UpstreamCall {
    // A connection that is upgraded never comes back to the pool.
    const agent = inbound.held === undefined && !request.isSeparate ? this.#pool : this.#unpooled;
    let current = this.#attempt(inbound, request, agent);
    let isGivenUp = false;
    const response = current.response.catch((error: unknown) => {
      if (!(error instanceof StalePooledConnection)) throw error;
      // Given up, a request on a pooled connection ends in the same way as on a stale one.
      if (isGivenUp || !isRepeatable(request))
        throw new Fault('ERR_UPSTREAM_RESPONSE_INVALID', { cause: error, detail: error.message });
      // Not from the pool: its other connections are likely to be just as stale.
      current = this.#attempt(inbound, request, this.#unpooled);
      return current.response;
    });
    return {
      response,
      abort: () => {
        isGivenUp = true;
        current.abort();
      },
      retire: () => current.retire(),
      isSent: () => current.isSent(),
    };
  }

  close(): void {
    this.#pool.destroy();
    this.#unpooled.destroy();
    this.#upgrades.close();
  }

  #attempt(inbound: Inbound, upstreamRequest: UpstreamRequest, agent: http.Agent): UpstreamCall {
    const { connectTimeoutMs, responseTimeoutMs } = this.#options;
    const { secure } = this.#destination;
    const body = upstreamRequest.hasBody ? inbound.request : undefined;
    const upgrade = inbound.held !== undefined;
    const outgoing = this.#open(inbound, upstreamRequest, agent);
    const response = awaitAnswer(outgoing, { connectTimeoutMs, responseTimeoutMs, secure, upgrade, body });
    if (body === undefined) outgoing.end();
    else body.pipe(outgoing);
    return {
      response,
      abort: () => void outgoing.destroy(),
      retire: () => {
        outgoing.shouldKeepAlive = false;
      },
      isSent: () => outgoing.writableFinished,
    };
  }

  #open(
    inbound: Inbound,
    { method, target: path, headers }: UpstreamRequest,
    agent: http.Agent,
  ): http.ClientRequest {
    if (inbound.held !== undefined) return this.#upgrades.open(inbound, { method, path, headers }, agent);
    const { host, port, socketPath, secure } = this.#destination;
    const send = secure ? https.request : http.request;
    return send({ agent, host, port, socketPath, method, path, headers });
  }
}

const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

function isRepeatable({ method, hasBody }: UpstreamRequest): boolean {
  return idempotent.has(method) && !hasBody;
}

/** Where the agents connect to, always in the same shape. */
interface Destination {
  readonly host: string;
  readonly port: number | null;
  readonly socketPath: string | undefined;
  readonly secure: boolean;
}

function toDestination({ target }: UpstreamOptions): Destination {
  if ('socketPath' in target)
    return { host: 'localhost', port: null, socketPath: target.socketPath, secure: false };
  const { scheme, host, port } = target;
  return { host, port, socketPath: undefined, secure: scheme === 'https' };
}

function toUpgradeTarget({ host, port, socketPath, secure }: Destination): UpgradeTarget {
  return { protocol: secure ? 'https:' : 'http:', host, port: port ?? 80, socketPath };
}

function createAgent(options: UpstreamOptions, pooling: http.AgentOptions): http.Agent {
  return forOneService(
    toDestination(options).secure
      ? new https.Agent({ ...pooling, ...tlsOptions(options) })
      : new http.Agent(pooling),
  );
}

/**
 * The certificate of the service is always verified: against `ca` or the system's roots, and for the name of the
 * service. Node would take the name from the Host field, which is the public one. @see REQUIREMENTS B16
 */
function tlsOptions({ target, tls }: UpstreamOptions): https.AgentOptions {
  const host = 'host' in target ? target.host : '';
  // Addresses are no server names (RFC 6066 §3): without one, Node compares the address that it connects to.
  const serverName = tls.serverName ?? (isIP(host) === 0 ? host : '');
  return {
    minVersion: 'TLSv1.2',
    // Said, because an environment variable of Node would otherwise decide.
    rejectUnauthorized: true,
    ...(tls.ca && { ca: [...tls.ca] }),
    ...(tls.certificate && { cert: tls.certificate }),
    ...(tls.key && { key: tls.key }),
    servername: serverName,
  };
}
