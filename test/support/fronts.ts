import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findFreePort } from './ports.js';
import { Child } from './process.js';

/** A front proxy that is a program of its own. */
export type FrontProgram = 'nginx' | 'haproxy' | 'envoy';

/** Whether the program is on this machine. */
export function hasProgram(program: string): boolean {
  return spawnSync(program, ['-v']).error === undefined;
}

export interface FrontOptions {
  readonly program: FrontProgram;
  /** where the program is; default: its name, to be found in PATH */
  readonly command?: string | undefined;
  /** files beside the configuration: certificates and keys */
  readonly files: Readonly<Record<string, string>>;
  /** @returns the configuration. @param port - where it is to listen, on 127.0.0.1 */
  readonly configure: (port: number) => string;
}

/** Where fronts connect from, so that they can be told from everybody else on this machine. */
export const frontAddress = '127.0.0.3';

const patienceMs = 20_000;

/** One of these programs as a process of this one, in a folder of its own, on a free port of loopback. */
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
    // None of them can choose a port and tell: whoever takes ours in between costs another attempt.
    for (let attempt = 1; ; attempt++) {
      const port = await findFreePort();
      const folder = mkdtempSync(join(tmpdir(), 'holdfast-front-'));
      for (const [name, content] of Object.entries(options.files)) writeFileSync(join(folder, name), content);
      mkdirSync(join(folder, 'temp'));
      // Envoy tells by the name how to read it.
      const file = join(folder, options.program === 'envoy' ? 'front.yaml' : 'front.conf');
      writeFileSync(file, options.configure(port));
      const child = Child.start({
        name: options.program,
        command: options.command ?? options.program,
        args: argumentsOf(options.program, folder, file),
        cwd: folder,
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

/** All stay in the foreground and are one process, which takes no rights from anybody and gives none away. */
function argumentsOf(program: FrontProgram, folder: string, file: string): string[] {
  switch (program) {
    case 'nginx':
      return ['-p', folder, '-c', file, '-e', 'stderr', '-g', 'daemon off; master_process off;'];
    case 'haproxy':
      return ['-db', '-f', file, '-C', folder];
    case 'envoy':
      // With hot restart it would look for other processes of its kind on this machine.
      return ['-c', file, '--disable-hot-restart', '--concurrency', '1', '--log-level', 'warning'];
  }
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

/** How a front leads to the sidecar. */
export interface Site {
  /** `host:port`, or the name of a unix socket */
  readonly upstream: string;
  /** a path that the front strips, such as /svc1; empty: none */
  readonly prefix: string;
}

/** The nginx of docs/fronts.md, with addresses and files of the test. */
export function nginxConfig(port: number, { upstream, prefix }: Site): string {
  const isSocket = upstream.startsWith('/');
  const address = isSocket ? `http://unix:${upstream}:` : `http://${upstream}`;
  const server = adapt(readSnippet('nginx'), {
    'listen 443 ssl;': `listen 127.0.0.1:${port} ssl;`,
    '/etc/nginx/tls/tls.crt': 'server.pem',
    '/etc/nginx/tls/tls.key': 'server.key',
    'location / {': `location ${prefix}/ { ${isSocket ? '' : `proxy_bind ${frontAddress};`}`,
    'proxy_pass http://127.0.0.1:8443;': `proxy_pass ${address}${prefix === '' ? '' : '/'};`,
  });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path temp/${name};`,
  );
  return `
pid nginx.pid;
error_log stderr warn;
events { worker_connections 128; }
http {
access_log off;
${temporary.join(' ')}
${server}
}
`;
}

/** The HAProxy of docs/fronts.md, with addresses and files of the test. */
export function haproxyConfig(port: number, { upstream, prefix }: Site): string {
  const isSocket = upstream.startsWith('/');
  const strip = prefix === '' ? '' : `    http-request replace-path ${prefix}/(.*) /\\1\n`;
  const sections = adapt(readSnippet('HAProxy'), {
    'bind :443': `bind 127.0.0.1:${port}`,
    '/etc/haproxy/tls.pem': 'server-and-key.pem',
    '/etc/haproxy/client-ca.pem': 'ca.pem',
    '    default_backend': `${strip}    default_backend`,
    'server sidecar 127.0.0.1:8443': `server sidecar ${isSocket ? `unix@${upstream}` : `${upstream} source ${frontAddress}`}`,
  });
  return `
global
    maxconn 128
defaults
    mode http
    timeout connect 10s
    timeout client 60s
    timeout server 60s
${sections}
`;
}

/** The Envoy of docs/fronts.md, with addresses and files of the test. */
export function envoyConfig(port: number, { upstream, prefix }: Site): string {
  const isSocket = upstream.startsWith('/');
  const [host, upstreamPort] = upstream.split(':');
  const address = isSocket
    ? `{ pipe: { path: ${upstream} } }`
    : `{ socket_address: { address: ${host}, port_value: ${upstreamPort} } }`;
  const source = `upstream_bind_config: { source_address: { address: ${frontAddress}, port_value: 0 } }`;
  return adapt(readSnippet('Envoy'), {
    'address: 0.0.0.0, port_value: 443': `address: 127.0.0.1, port_value: ${port}`,
    '/etc/envoy/tls.crt': 'server.pem',
    '/etc/envoy/tls.key': 'server.key',
    '/etc/envoy/client-ca.pem': 'ca.pem',
    'match: { prefix: / }': `match: { prefix: ${prefix}/ }`,
    'route: { cluster: holdfast,': `route: { cluster: holdfast, ${prefix === '' ? '' : 'prefix_rewrite: /,'}`,
    '{ socket_address: { address: 127.0.0.1, port_value: 8443 } }': address,
    '      load_assignment:': `${isSocket ? '' : `      ${source}\n`}      load_assignment:`,
  });
}

/** The first block under this heading on the page for operators: what they copy is what is tested. */
function readSnippet(heading: string): string {
  const page = readFileSync(join(process.cwd(), 'docs/fronts.md'), 'utf8');
  const [, snippet] = new RegExp(`^## ${heading}\n[^]*?^\`\`\`\\w+\n([^]*?)^\`\`\``, 'm').exec(page) ?? [];
  if (snippet === undefined) throw new Error(`docs/fronts.md has nothing to copy for ${heading}`);
  return snippet;
}

/** @throws Error when the text no longer has one of the parts */
export function adapt(text: string, parts: Readonly<Record<string, string>>): string {
  let adapted = text;
  for (const [part, replacement] of Object.entries(parts)) {
    if (!adapted.includes(part)) throw new Error(`no longer there to be replaced: ${part}`);
    adapted = adapted.replace(part, () => replacement);
  }
  return adapted;
}
