import { mkdtempSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Ca, makeCa } from '../support/certificates.js';
import { findFreePort } from '../support/ports.js';
import { Child, type Event } from '../support/process.js';
import type { AuthorizationServerSettings } from './authorization-server.js';
import { type Clients, makeClients, registrations } from './clients.js';
import { originOf, writeConfiguration } from './configuration.js';

/** Everything that a scene needs to know. */
export interface Setting {
  /** temporary; every file of the demo lies there */
  readonly folder: string;
  readonly issuer: string;
  /** where clients reach the API, through Holdfast */
  readonly origin: string;
  /** Holdfast's own socket */
  readonly adminUrl: string;
  /** where the service listens, behind Holdfast */
  readonly serviceUrl: string;
  /** PEM */
  readonly ca: string;
  readonly clients: Clients;
  /** What the operator sees of a request. @returns its event in Holdfast's log */
  readonly logOf: (requestId: string) => Promise<Event>;
}

const maxAttempts = 3;

/**
 * The processes and files of one run. Whatever was started or written, `close` ends and removes, also after a start
 * that failed half-way.
 */
export class Stage {
  readonly #children: { readonly name: string; readonly child: Child }[] = [];
  #folder: string | undefined;
  #isClosed = false;

  /**
   * Starts the authorization server, the legacy service and Holdfast; holds when all three serve.
   * @throws Error when one of them does not; `diagnosis` has what it wrote
   */
  async open(): Promise<Setting> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#set();
      } catch (error) {
        // Somebody else may take a port between the moment it was found free and the moment it is used.
        if (!this.diagnosis.includes('EADDRINUSE') || attempt === maxAttempts) throw error;
        await this.#clear();
      }
    }
  }

  /** What the processes wrote, for the report of a failure. */
  get diagnosis(): string {
    return this.#children
      .flatMap(({ name, child }) => [
        `--- ${name}`,
        child.text,
        ...child.events.slice(-30).map((event) => JSON.stringify(event)),
      ])
      .join('\n');
  }

  /** Ends every process and removes every file. May be called more than once. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#clear();
  }

  async #set(): Promise<Setting> {
    // At once, so that a folder which exists is always one that `close` knows.
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-demo-'));
    this.#folder = folder;
    const ca = await makeCa({ cn: 'Holdfast demo CA' });
    const clients = await makeClients(ca);
    const port = await findFreePort();
    const origin = originOf(port);
    await writeFiles(folder, await makeFiles(ca, clients, origin));

    const service = this.#start('legacy service', [ownScript('legacy-service')]);
    const settingsFile = join(folder, 'authorization-server.json');
    const authorizationServer = this.#start('authorization server', [
      ownScript('authorization-server'),
      settingsFile,
    ]);
    const servicePort = Number(await listening(service));
    const issuer = String(await listening(authorizationServer));

    const adminPort = await findFreePort();
    const adminUrl = `http://127.0.0.1:${adminPort}`;
    const configuration = writeConfiguration({ port, adminPort, servicePort, issuer, folder });
    await writeFiles(folder, {
      'holdfast.yaml': configuration,
      'demo.json': JSON.stringify({ issuer, origin }),
    });
    const holdfast = await this.#startHoldfast(folder, adminUrl);
    const serviceUrl = `http://127.0.0.1:${servicePort}`;
    const logOf = (requestId: string): Promise<Event> =>
      holdfast.event(({ event, request_id }) => event === 'request' && request_id === requestId);
    return { folder, issuer, origin, adminUrl, serviceUrl, ca: ca.certPem, clients, logOf };
  }

  async #clear(): Promise<void> {
    const children = this.#children.splice(0);
    await Promise.all(children.map(({ child }) => child.stop()));
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  async #startHoldfast(folder: string, adminUrl: string): Promise<Child> {
    const program = fileURLToPath(import.meta.resolve('#holdfast/main.js'));
    const child = this.#start('holdfast', [program, 'serve', '--config', join(folder, 'holdfast.yaml')], {
      // The demo's CA also signed the certificate of the authorization server, where the keys are fetched.
      NODE_EXTRA_CA_CERTS: join(folder, 'ca.crt'),
    });
    await untilReady(`${adminUrl}/readyz`, child);
    return child;
  }

  #start(name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Child {
    if (this.#isClosed) throw new Error('the stage is closed');
    const child = Child.start({ name, args, env });
    this.#children.push({ name, child });
    return child;
  }
}

/** The files that are known before the processes run. People find theirs here too when the demo is left running. */
async function makeFiles(ca: Ca, clients: Clients, resource: string): Promise<Record<string, string>> {
  const server = await ca.issue({ cn: 'localhost', usage: 'server', san: ['localhost', '127.0.0.1'] });
  const { shop, warehouse } = clients;
  const settings: AuthorizationServerSettings = {
    certificate: server.certPem,
    key: server.keyPem,
    clientCa: ca.certPem,
    resource,
    clients: registrations(clients),
  };
  return {
    'ca.crt': ca.certPem,
    'tls.crt': server.certPem,
    'tls.key': server.keyPem,
    'warehouse.crt': warehouse.certificate.certPem,
    'warehouse.key': warehouse.certificate.keyPem,
    'shop.jwk': JSON.stringify(shop.privateJwk),
    'authorization-server.json': JSON.stringify(settings),
  };
}

/** Keys are among these files: readable by their owner only. */
async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  await Promise.all(
    Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text, { mode: 0o600 })),
  );
}

function ownScript(name: string): string {
  return fileURLToPath(new URL(`./${name}.js`, import.meta.url));
}

async function listening(child: Child): Promise<unknown> {
  const event = await child.event((candidate) => 'listening' in candidate);
  return event.listening;
}

const patienceMs = 20_000;
const askAgainMs = 50;

/** Ready means: it listens, and it has fetched the keys of the issuer. */
async function untilReady(url: string, child: Child): Promise<void> {
  const deadline = Date.now() + patienceMs;
  let state = 'no answer';
  while (Date.now() < deadline && !child.hasEnded) {
    try {
      const { ok, status } = await fetch(url);
      if (ok) return;
      state = `status ${status}`;
    } catch {
      state = 'no answer';
    }
    await delay(askAgainMs);
  }
  throw new Error(
    child.hasEnded ? `holdfast ended at its start, exit code ${child.exitCode}` : `${url}: ${state}`,
  );
}
