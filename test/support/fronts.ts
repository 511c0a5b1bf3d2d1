import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findFreePort } from './ports.js';
import { Child } from './process.js';

/** A front proxy that is a program of its own. */
export type FrontProgram = 'nginx' | 'haproxy';

/** Whether the program is on this machine. */
export function hasProgram(program: FrontProgram): boolean {
  return spawnSync(program, ['-v']).error === undefined;
}

export interface FrontOptions {
  readonly program: FrontProgram;
  /** files beside the configuration: certificates and keys */
  readonly files: Readonly<Record<string, string>>;
  /** @returns the configuration. @param port - where it is to listen, on 127.0.0.1 */
  readonly configure: (port: number) => string;
}

const patienceMs = 20_000;

/** nginx or HAProxy as a process of this one, in a folder of its own, on a free port of loopback. */
export class Front {
  readonly port: number;
  readonly #child: Child;
  readonly #folder: string;

  private constructor(child: Child, folder: string, port: number) {
    this.#child = child;
    this.#folder = folder;
    this.port = port;
  }

  /** @throws Error with what the program wrote, when it does not come to listen */
  static async start(options: FrontOptions): Promise<Front> {
    // Neither program can choose a port and tell: whoever takes ours in between costs another attempt.
    for (let attempt = 1; ; attempt++) {
      const port = await findFreePort();
      const folder = mkdtempSync(join(tmpdir(), 'holdfast-front-'));
      for (const [name, content] of Object.entries(options.files)) writeFileSync(join(folder, name), content);
      mkdirSync(join(folder, 'temp'));
      writeFileSync(join(folder, 'front.conf'), options.configure(port));
      const child = Child.start({
        name: options.program,
        command: options.program,
        args: argumentsOf(options.program, folder),
      });
      if (await listens(port, child)) return new Front(child, folder, port);
      await child.stop();
      rmSync(folder, { recursive: true, force: true });
      if (attempt === 3) throw new Error(`${options.program} does not listen: ${child.text}`);
    }
  }

  /** What it wrote. */
  get text(): string {
    return this.#child.text;
  }

  async stop(): Promise<void> {
    await this.#child.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Both stay in the foreground and are one process, which takes no rights from anybody and gives none away. */
function argumentsOf(program: FrontProgram, folder: string): string[] {
  const file = join(folder, 'front.conf');
  return program === 'nginx'
    ? ['-p', folder, '-c', file, '-e', 'stderr', '-g', 'daemon off; master_process off;']
    : ['-db', '-f', file, '-C', folder];
}

async function listens(port: number, child: Child): Promise<boolean> {
  const deadline = performance.now() + patienceMs;
  while (!child.hasEnded && performance.now() < deadline) {
    const accepted = await new Promise<boolean>((resolve) => {
      const socket = net.connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    // One that could not bind would have ended; whoever took the port in between would be listening, too.
    if (accepted && !child.hasEnded) return true;
    await delay(20);
  }
  return false;
}

export interface NginxSite {
  /** what follows `proxy_pass`, such as http://127.0.0.1:8443 or http://unix:/run/h.sock: */
  readonly upstream: string;
  /** whole `location` blocks; `$proxy` in them stands for where and how to pass on */
  readonly locations: string;
}

/** An nginx that ends TLS, asks for client certificates and takes any. */
export function nginxConfig(port: number, { upstream, locations }: NginxSite): string {
  return `
    pid nginx.pid;
    error_log stderr warn;
    events { worker_connections 128; }
    http {
      access_log off;
      ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path temp/${name};`).join(' ')}
      large_client_header_buffers 4 32k;
      server {
        listen 127.0.0.1:${port} ssl;
        ssl_certificate server.pem;
        ssl_certificate_key server.key;
        ssl_verify_client optional_no_ca;
        ssl_client_certificate ca.pem;
        proxy_http_version 1.1;
        ${upstream.includes('unix:') ? '' : 'proxy_bind 127.0.0.3;'}
        ${locations.replaceAll('$upstream', upstream)}
      }
    }`;
}

export interface HaproxySite {
  /** address of the server, such as 127.0.0.1:8443 or unix@/run/h.sock */
  readonly upstream: string;
  /** lines of the frontend: what it does with requests */
  readonly rules: string;
}

/** A HAProxy that ends TLS, asks for client certificates and takes any. */
export function haproxyConfig(port: number, { upstream, rules }: HaproxySite): string {
  return `
    global
      maxconn 128
    defaults
      mode http
      timeout connect 10s
      timeout client 60s
      timeout server 60s
    frontend tls
      bind 127.0.0.1:${port} ssl crt server-and-key.pem ca-file ca.pem verify optional crt-ignore-err all ca-ignore-err all
      ${rules}
      default_backend holdfast
    backend holdfast
      server sidecar ${upstream} ${upstream.startsWith('unix@') ? '' : 'source 127.0.0.3'}
    `.replace(/^ {4}/gm, '');
}
