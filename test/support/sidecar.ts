import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DpopKey, makeProof } from './dpop.js';
import { Child, type Event } from './process.js';
import { exchange, type WireResponse, type WireTarget } from './wire.js';

export const mainScript = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));

/** The public authority of the sidecar in tests: what Host says, whatever the port. */
export const authority = 'api.test';

export interface SidecarOptions {
  /** the configuration; listen and admin addresses, and the origin, are filled in when absent */
  readonly config: Readonly<Record<string, unknown>> & {
    readonly listen?: Readonly<Record<string, unknown>>;
  };
  /** files beside the configuration, by name */
  readonly files?: Readonly<Record<string, string | Buffer>>;
  readonly env?: Readonly<Record<string, string>>;
  /** options of Node itself, before the script */
  readonly nodeArgs?: readonly string[];
  /** gets every event that is logged; those of requests are not kept then */
  readonly onEvent?: (event: Event) => void;
}

/** The built product as a process of its own, serving a configuration made for one test. */
export class Sidecar {
  readonly child: Child;
  readonly port: number;
  readonly adminPort: number;
  readonly #folder: string;

  private constructor(
    child: Child,
    folder: string,
    { port, adminPort }: { port: number; adminPort: number },
  ) {
    this.child = child;
    this.#folder = folder;
    this.port = port;
    this.adminPort = adminPort;
  }

  /** @throws Error with what the process wrote, when it does not come to listen */
  static async start(options: SidecarOptions): Promise<Sidecar> {
    const { child, folder } = spawnSidecar(options);
    const event = await child.event(({ event }) => event === 'listening');
    return new Sidecar(child, folder, { port: Number(event.port), adminPort: Number(event.admin_port) });
  }

  get origin(): string {
    return `http://${authority}`;
  }

  /** Sends raw bytes on a connection of their own. @param from - see WireTarget */
  send(bytes: string | Buffer, tls?: WireTarget['tls'], from?: string): Promise<WireResponse> {
    return exchange({ port: this.port, ...(tls && { tls }), ...(from && { from }) }, bytes);
  }

  /** The absolute name of a file beside the configuration. */
  path(name: string): string {
    return join(this.#folder, name);
  }

  /** Puts a file beside the configuration, in place of the one that was there. */
  write(name: string, content: string): void {
    writeFileSync(this.path(name), content);
  }

  /** @returns status and body of the admin socket */
  async admin(path: string): Promise<{ status: number; text: string }> {
    const response = await fetch(`http://127.0.0.1:${this.adminPort}${path}`);
    return { status: response.status, text: await response.text() };
  }

  /** The value of one metric series, 0 when it does not exist. @param series - name and labels as rendered */
  async metric(series: string): Promise<number> {
    const { text } = await this.admin('/metrics');
    const line = text.split('\n').find((one) => one.startsWith(`${series} `));
    return line === undefined ? 0 : Number(line.slice(series.length + 1));
  }

  /** Waits until the keys of all issuers are there. */
  async ready(): Promise<this> {
    for (let attempt = 0; (await this.admin('/readyz')).status !== 200; attempt++) {
      if (attempt === 400) throw new Error(`not ready: ${(await this.admin('/readyz')).text}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    return this;
  }

  /**
   * A nonce of this process. With the memory store proofs of the first seconds after the start need one; tests about
   * other rules send it along.
   */
  async nonce(token: string, key: DpopKey): Promise<string> {
    const old = Math.floor(Date.now() / 1000) - 50;
    const uri = `${this.origin}/`;
    const proof = makeProof({ key, method: 'GET', uri, token, claims: { iat: old } });
    const response = await this.send(
      request({ headers: [`Authorization: DPoP ${token}`, `DPoP: ${proof}`] }),
    );
    const nonce = response.one('dpop-nonce');
    if (nonce === undefined) throw new Error(`no nonce: ${response.status} ${response.body}`);
    return nonce;
  }

  /** The one `request` event of a response. */
  logged(response: WireResponse): Promise<Event> {
    const id = response.one('x-request-id');
    return this.child.event(({ event, request_id }) => event === 'request' && request_id === id);
  }

  async stop(): Promise<void> {
    await this.child.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Starts the process without waiting for anything. */
export function spawnSidecar({ config, files = {}, env = {}, nodeArgs = [], onEvent }: SidecarOptions): {
  child: Child;
  folder: string;
} {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const whole = {
    ...config,
    listen: { address: '127.0.0.1:0', origins: [`http://${authority}`], ...config.listen },
    admin: { address: '127.0.0.1:0' },
  };
  const file = join(folder, 'holdfast.yaml');
  writeFileSync(file, JSON.stringify(whole, undefined, 2)); // JSON is YAML
  return {
    child: Child.start({
      name: 'holdfast',
      args: [...nodeArgs, mainScript, 'serve', '--config', file],
      env,
      onEvent,
    }),
    folder,
  };
}

export interface RequestParts {
  readonly method?: string;
  readonly target?: string;
  /** `Name: value` lines, beside Host */
  readonly headers?: readonly string[];
  readonly body?: string;
}

/** The bytes of a well-formed request to the test authority. */
export function request({
  method = 'GET',
  target = '/',
  headers = [],
  body = '',
}: RequestParts = {}): string {
  return [`${method} ${target} HTTP/1.1`, `Host: ${authority}`, ...headers, '', body].join('\r\n');
}
