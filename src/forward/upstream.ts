import * as http from 'node:http';
import * as https from 'node:https';
import { isIP } from 'node:net';
import { Stream } from 'node:stream';
import httpProxy from 'http-proxy';
import { Fault } from '../denial/fault.js';
import type { OutgoingHeaders } from './hygiene.js';
import type { Inbound } from './inbound.js';
import { awaitAnswer, StalePooledConnection } from './outgoing.js';

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
}

/** A request on its way: the answer's head, or a Fault; and the handle to give it up. */
export interface UpstreamCall {
  readonly response: Promise<http.IncomingMessage>;
  abort(): void;
  /**
   * Silence for this long from now on destroys the call, after `onSilence` was called.
   * @param ms - 0: never
   */
  setIdleTimeout(ms: number, onSilence: () => void): void;
}

/**
 * The one place where http-proxy is used, as a mover of bytes: it gets a request that was built elsewhere and gives
 * back a response that is judged elsewhere. Of its passes only the one that streams is kept, and of its options
 * only those below are ever set, never from configuration by name.
 *
 * How its faults (TRAPS.md H1 to H21) are closed here:
 * - the outgoing header map is built before, from nothing (H1, H3, H8, H12, H13, H14); no pass edits it (H2)
 * - the request goes through `BodySource`, which gets hold of the outgoing request at once, also while it waits for a
 *   socket (H5b), sets the exact path (H10), ends it when there is no body, and watches 1xx and upgrades (H7)
 * - `selfHandleResponse`: no status, reason or header is copied by http-proxy (H4, H9, H15)
 * - the agent keeps connections alive for less time than the service does (H18, H19)
 * - errors have a callback, always (H20); the foot-guns of H21 are never set
 */
export class Upstream {
  readonly #options: UpstreamOptions;
  readonly #pool: http.Agent;
  /** makes a new connection for each request */
  readonly #unpooled: http.Agent;
  readonly #proxy: httpProxy;

  constructor(options: UpstreamOptions) {
    this.#options = options;
    this.#pool = createAgent(options, {
      keepAlive: true,
      scheduling: 'lifo',
      timeout: options.poolIdleTimeoutMs,
    });
    this.#unpooled = createAgent(options, { keepAlive: false });
    this.#proxy = httpProxy.createProxyServer({ target: proxyTarget(options), selfHandleResponse: true });
    keepOnlyStreaming(this.#proxy);
  }

  /**
   * Sends the request once, and once more when an idle pooled connection turned out to be closed: only for a request
   * that is idempotent, has no body, and of which no byte of an answer was seen (RFC 9110 §9.2.2).
   *
   * @returns at once; the promise rejects with Fault ERR_UPSTREAM_*
   */
  send(inbound: Inbound, request: UpstreamRequest): UpstreamCall {
    let current = this.#attempt(inbound, request, this.#pool);
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
      setIdleTimeout: (ms, onSilence) => current.setIdleTimeout(ms, onSilence),
    };
  }

  close(): void {
    this.#pool.destroy();
    this.#unpooled.destroy();
    this.#proxy.close();
  }

  #attempt(
    { request, response }: Inbound,
    { method, target, headers, hasBody }: UpstreamRequest,
    agent: http.Agent,
  ): UpstreamCall {
    const { connectTimeoutMs, responseTimeoutMs } = this.#options;
    const limits = { connectTimeoutMs, responseTimeoutMs, secure: isSecure(this.#options), hasBody };
    let outgoing: http.ClientRequest | undefined;
    let answered: Promise<http.IncomingMessage> | undefined;
    const buffer = new BodySource((opened) => {
      outgoing = opened;
      opened.path = target;
      answered = awaitAnswer(opened, limits);
      if (hasBody) request.pipe(opened);
      else opened.end();
    });
    // What http-proxy reads of the inbound request is exactly what was decided on; the path is set above, because
    // http-proxy would parse, join and repair it.
    request.method = method;
    request.url = '/';
    request.headers = headers;
    this.#proxy.web(request, response, { buffer, agent }, heardElsewhere);
    if (answered === undefined) throw new TypeError('http-proxy did not ask for the body');
    return {
      response: answered,
      abort: () => void outgoing?.destroy(),
      setIdleTimeout(ms, onSilence) {
        outgoing?.prependOnceListener('timeout', onSilence);
        outgoing?.setTimeout(ms, () => outgoing?.destroy());
      },
    };
  }
}

// http-proxy throws when nobody takes its errors. What they are about is heard by outgoing.ts (the outgoing request) and by
// the forwarder (the client's side), which can tell more of them than the bare error says.
const heardElsewhere = (): void => {};

const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

function isRepeatable({ method, hasBody }: UpstreamRequest): boolean {
  return idempotent.has(method) && !hasBody;
}

function proxyTarget({ target }: UpstreamOptions): httpProxy.ServerOptions['target'] {
  if ('socketPath' in target)
    return { protocol: 'http:', host: 'localhost', port: 80, socketPath: target.socketPath };
  return { protocol: `${target.scheme}:`, host: target.host, port: target.port };
}

function createAgent(options: UpstreamOptions, pooling: http.AgentOptions): http.Agent {
  return isSecure(options)
    ? new https.Agent({ ...pooling, ...tlsOptions(options) })
    : new http.Agent(pooling);
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
    ...(tls.ca && { ca: [...tls.ca] }),
    ...(tls.certificate && { cert: tls.certificate }),
    ...(tls.key && { key: tls.key }),
    servername: serverName,
  };
}

// `deleteLength` rewrites framing by method, `timeout` and `XHeaders` serve options that are never set.
function keepOnlyStreaming(proxy: httpProxy): void {
  for (const pass of ['deleteLength', 'timeout', 'XHeaders']) removePass(proxy, pass);
}

function removePass(proxy: httpProxy, name: string): void {
  const passes: unknown = Reflect.get(proxy, 'webPasses');
  if (!Array.isArray(passes))
    throw new TypeError('http-proxy has no webPasses: not the version that this adapter is for');
  const index = passes.findIndex((pass: unknown) => typeof pass === 'function' && pass.name === name);
  if (index < 0)
    throw new TypeError(`http-proxy has no pass ${name}: not the version that this adapter is for`);
  passes.splice(index, 1);
}

/**
 * Takes the place of the inbound body in http-proxy's `buffer.pipe(outgoingRequest)`: the only moment at which it
 * hands out the outgoing request before a socket is assigned to it.
 *
 * A class, although a function would do: `pipe` set on each instance anew kept every request alive until the next
 * full garbage collection, which cost a tenth of the processor time.
 */
class BodySource extends Stream {
  readonly #open: (outgoing: http.ClientRequest) => void;

  constructor(open: (outgoing: http.ClientRequest) => void) {
    super();
    this.#open = open;
  }

  override pipe<T extends NodeJS.WritableStream>(destination: T): T {
    if (!(destination instanceof http.ClientRequest))
      throw new TypeError('http-proxy piped into something else');
    this.#open(destination);
    return destination;
  }
}

function isSecure({ target }: UpstreamOptions): boolean {
  return 'scheme' in target && target.scheme === 'https';
}
