import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './guarded.js';
import { authority, mainScript } from './sidecar.js';
import { TokenSigner } from './token-signer.js';

export interface SilentOptions {
  /** where its output goes; the test reads it, or nobody does */
  readonly stdio: StdioOptions;
  /** a program that is called with the command line of Node, and its arguments */
  readonly through?: readonly string[];
  readonly nodeArgs?: readonly string[];
  readonly config?: Readonly<Record<string, unknown>>;
  /** of `listen` and `admin` */
  readonly socketMode?: string;
  /** of another one that has ended, in whose place it starts */
  readonly folder?: string;
}

const startPatienceMs = 40_000;

/** The built product where nobody learns from its log which port it has: it listens on unix sockets. */
export class SilentSidecar {
  readonly process: ChildProcess;
  readonly folder: string;
  readonly #ended: Promise<[code: number | null, signal: NodeJS.Signals | null]>;

  private constructor(child: ChildProcess, folder: string) {
    this.process = child;
    this.folder = folder;
    this.#ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  }

  /** @throws Error when it does not come to answer */
  static async start(options: SilentOptions): Promise<SilentSidecar> {
    const sidecar = SilentSidecar.spawn(options);
    await sidecar.listens();
    return sidecar;
  }

  /** Without waiting for anything. */
  static spawn({
    stdio,
    through = [],
    nodeArgs = [],
    config,
    socketMode,
    ...rest
  }: SilentOptions): SilentSidecar {
    const folder = rest.folder ?? mkdtempSync(join(tmpdir(), 'holdfast-silent-'));
    const place = (name: string) => ({
      address: `unix:${join(folder, name)}`,
      ...(socketMode && { socketMode }),
    });
    const { issuer, audience, jwks } = new TokenSigner();
    const whole = {
      upstream: 'http://127.0.0.1:9',
      issuers: [{ issuer, audience, keys: { file: 'jwks.json' } }],
      ...config,
      listen: { ...place('public.sock'), origins: [`http://${authority}`] },
      admin: place('admin.sock'),
    };
    writeFileSync(join(folder, 'jwks.json'), jwks);
    writeFileSync(join(folder, 'holdfast.yaml'), JSON.stringify(whole));
    const node = [
      process.execPath,
      ...nodeArgs,
      mainScript,
      'serve',
      '--config',
      join(folder, 'holdfast.yaml'),
    ];
    const [command = '', ...args] = [...through, ...node];
    return new SilentSidecar(spawn(command, args, { stdio }), folder);
  }

  /** Holds when it listens. @throws Error when it does not */
  listens(): Promise<void> {
    const answers = async () =>
      (await this.status('admin', '/livez')) === 200 && (await this.status('public', '/')) === 401;
    return until(() => answers().catch(() => false), 'it listens', startPatienceMs);
  }

  /** @returns the status of the answer to a request on one of its sockets */
  async status(socket: 'public' | 'admin', path: string): Promise<number> {
    return (await this.#get(socket, path)).status;
  }

  /** Sends requests that are refused for want of a token, each of which is a line of the log. */
  async refuses(count: number, path = '/'): Promise<void> {
    for (let index = 0; index < count; index++) {
      const status = await this.status('public', path);
      if (status !== 401) throw new Error(`status ${status}`);
    }
  }

  /** The lines that are counted as lost. */
  async lostLines(): Promise<number> {
    const { text } = await this.#get('admin', '/metrics');
    return Number(/^holdfast_log_lines_lost_total (\d+)$/m.exec(text)?.[1]);
  }

  /** @returns exit code, or the signal that ended it */
  async end(): Promise<number | NodeJS.Signals | null> {
    const [code, signal] = await this.#ended;
    return code ?? signal;
  }

  /** Ends what is left. */
  async stop(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.#ended;
    rmSync(this.folder, { recursive: true, force: true });
  }

  #get(socket: 'public' | 'admin', path: string): Promise<{ status: number; text: string }> {
    const socketPath = join(this.folder, `${socket}.sock`);
    return new Promise((resolve, reject) => {
      const request = http.get(
        { socketPath, path, headers: { Host: authority }, agent: false },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (piece: string) => {
            text += piece;
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
          response.on('error', reject);
        },
      );
      request.on('error', reject);
    });
  }
}
