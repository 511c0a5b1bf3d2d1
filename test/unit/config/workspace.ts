import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LoadedConfig, loadConfig } from '#holdfast/config/load.js';
import { ConfigError, type ConfigProblem } from '#holdfast/config/problems.js';
import { makeCa } from '../../support/certificates.js';
import { makeKeyPair } from '../../support/keys.js';

const yearMs = 365 * 24 * 60 * 60 * 1000;

type Patch = { readonly [name: string]: unknown };

/** The time at which the tests load configurations. */
export const now = Date.parse('2026-11-24T12:00:00Z');

/** The ten lines of the design. */
export const tenLines = `listen:
  origins: [https://orders.example.com]
  tls: { certificate: tls.crt, key: tls.key }
upstream: http://127.0.0.1:8080
issuers:
  - issuer: https://login.example.com
    audience: https://orders.example.com
`;

const base: Patch = {
  listen: { origins: ['https://orders.example.com'], tls: { certificate: 'tls.crt', key: 'tls.key' } },
  upstream: { url: 'http://127.0.0.1:8080' },
  issuers: [{ issuer: 'https://login.example.com', audience: 'https://orders.example.com' }],
};

/** @returns the ten lines with options added or changed, as JSON; a list replaces a list, null removes */
export function withOptions(patch: Patch): string {
  return JSON.stringify(merge(base, patch));
}

/** @returns the ten lines with one option set, where `path` is such as `listen.limits.headerCount` */
export function withOption(path: string, value: unknown): string {
  return withOptions(
    path.split('.').reduceRight<Patch>((inner, name) => ({ [name]: inner }), value as Patch),
  );
}

function merge(one: Patch, other: Patch): Patch {
  const merged: Record<string, unknown> = { ...one };
  for (const [name, value] of Object.entries(other)) {
    const before = merged[name];
    if (value === null) delete merged[name];
    else merged[name] = isPatch(before) && isPatch(value) ? merge(before, value) : value;
  }
  return merged;
}

function isPatch(value: unknown): value is Patch {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A directory of its own with a certificate, its key, and whatever a test writes there. */
export class Workspace {
  readonly directory = mkdtempSync(join(tmpdir(), 'holdfast-config-'));

  static async create(): Promise<Workspace> {
    const workspace = new Workspace();
    const ca = await makeCa();
    const request = {
      cn: 'orders.example.com',
      usage: 'server',
      notBefore: new Date(now - 2 * yearMs),
    } as const;
    const current = await ca.issue({ ...request, notAfter: new Date(now + yearMs) });
    const expired = await ca.issue({ ...request, notAfter: new Date(now - yearMs) });
    workspace.write('tls.crt', current.certPem);
    workspace.write('tls.key', current.keyPem);
    workspace.write('expired.crt', expired.certPem);
    workspace.write('expired.key', expired.keyPem);
    workspace.write('secret.bin', randomBytes(32));
    workspace.write('assertion.pem', privateKeyPem());
    return workspace;
  }

  get configFile(): string {
    return join(this.directory, 'holdfast.yaml');
  }

  write(name: string, content: string | Uint8Array): void {
    writeFileSync(join(this.directory, name), content);
  }

  load(text: string, environment: Record<string, string> = {}): LoadedConfig {
    this.write('holdfast.yaml', text);
    return loadConfig(this.configFile, environment, now);
  }

  /** @returns the problems of a configuration that must not load */
  refuse(text: string, environment: Record<string, string> = {}): readonly ConfigProblem[] {
    try {
      this.load(text, environment);
    } catch (error) {
      assert.ok(error instanceof ConfigError, String(error));
      return error.problems;
    }
    return assert.fail(`loaded: ${text}`);
  }

  /** Asserts that there is exactly one problem, at this path. @returns its message */
  refuseAt(path: string, text: string): string {
    const problems = this.refuse(text);
    assert.deepEqual(
      problems.map((problem) => problem.path),
      [path],
      JSON.stringify(problems),
    );
    return problems[0]?.message ?? '';
  }

  /** @returns the paths of all warnings */
  warnings(text: string): string[] {
    return this.load(text).warnings.map(({ path }) => path);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }
}

export function privateKeyPem(): string {
  const { privateKey } = makeKeyPair('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
