import * as http from 'node:http';
import { Stream } from 'node:stream';
import httpProxy from 'http-proxy';
import type { OutgoingHeaders } from './hygiene.js';
import type { Inbound } from './inbound.js';

/** Where the service listens, as http-proxy takes it. */
export interface UpgradeTarget {
  readonly protocol: 'http:' | 'https:';
  readonly host: string;
  readonly port: number;
  readonly socketPath: string | undefined;
}

/**
 * Opens the requests that ask for another protocol. The one place where http-proxy is used, as a mover of bytes: it gets
 * a request that was built elsewhere and hands out the outgoing one, whose answer is judged elsewhere. Its `ws()` is not
 * used, see forward/upgrade.ts; ordinary requests do not come this way, see forward/upstream.ts.
 *
 * How its faults (TRAPS.md H1 to H21) are closed here:
 * - the header fields are built before, from nothing (H1, H3, H8, H12, H13, H14, H17); no pass edits them (H2), and
 *   http-proxy gets none to see
 * - the request goes through `Opening`, which gets hold of the outgoing request at once, also while it waits for a socket
 *   (H5b), and sets the exact path (H10) and fields; an upgrade has no body
 * - `selfHandleResponse`: no status, reason or header is copied by http-proxy (H4, H9, H15)
 * - errors have a callback, always (H20); the foot-guns of H21 are never set; what it uses of an older Node is not told (H23)
 */
export class UpgradeRequests {
  readonly #proxy: httpProxy;

  constructor(target: UpgradeTarget) {
    this.#proxy = httpProxy.createProxyServer({ target: { ...target }, selfHandleResponse: true });
    for (const pass of ['deleteLength', 'timeout', 'XHeaders']) removePass(this.#proxy, pass);
  }

  /** @param path - the exact bytes that the policy decided on */
  open(
    { request, response }: Inbound,
    { method, path, headers }: { method: string; path: string; headers: OutgoingHeaders },
    agent: http.Agent,
  ): http.ClientRequest {
    const opening = new Opening(path, headers);
    // All that http-proxy reads of the inbound request. Path and header fields are set by `Opening`: http-proxy would parse,
    // join and repair the one, and turn the order of the others round.
    request.method = method;
    request.url = '/';
    request.headers = {};
    withoutDeprecations(() => this.#proxy.web(request, response, { buffer: opening, agent }, heardElsewhere));
    return opening.outgoing;
  }

  close(): void {
    this.#proxy.close();
  }
}

// http-proxy throws when nobody takes its errors. What they are about is heard by outgoing.ts (the outgoing request) and by
// the forwarder (the client's side), which can tell more of them than the bare error says.
const heardElsewhere = (): void => {};

// Newer releases of Node tell once that http-proxy is not up to date with them, in a line on standard error that is no log.
function withoutDeprecations(task: () => void): void {
  const { noDeprecation: before = false } = process;
  process.noDeprecation = true;
  try {
    task();
  } finally {
    process.noDeprecation = before;
  }
}

// `deleteLength` rewrites framing by method, `timeout` and `XHeaders` serve options that are never set.
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
 */
class Opening extends Stream {
  readonly #path: string;
  readonly #headers: OutgoingHeaders;
  #outgoing: http.ClientRequest | undefined;

  constructor(path: string, headers: OutgoingHeaders) {
    super();
    this.#path = path;
    this.#headers = headers;
  }

  get outgoing(): http.ClientRequest {
    if (this.#outgoing === undefined) throw new TypeError('http-proxy did not ask for the body');
    return this.#outgoing;
  }

  override pipe<T extends NodeJS.WritableStream>(destination: T): T {
    if (!(destination instanceof http.ClientRequest))
      throw new TypeError('http-proxy piped into something else');
    destination.path = this.#path;
    // Node has named a Host of its own.
    for (const name of destination.getHeaderNames()) destination.removeHeader(name);
    for (let i = 0; i + 1 < this.#headers.length; i += 2)
      destination.appendHeader(this.#headers[i] ?? '', this.#headers[i + 1] ?? '');
    this.#outgoing = destination;
    return destination;
  }
}
