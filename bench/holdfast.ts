import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findFreePort } from '../test/support/ports.js';
import { mainScript } from '../test/support/sidecar.js';
import { audience, authority, type Certificates, excepted, issuer } from './fixture.js';
import { type RunningProgram, startProgram } from './processes.js';

export interface HoldfastOptions {
  readonly name: string;
  /** for configuration and key set */
  readonly folder: string;
  readonly jwks: string;
  readonly upstreamPort: number;
  /** present: TLS, and clients prove possession by certificate */
  readonly certificates?: Certificates;
  /** of the listener, other than the defaults */
  readonly limits?: object;
  /** whether everybody may call /public */
  readonly hasPublicRoute?: boolean;
  /** further options of Node */
  readonly nodeArgs: readonly string[];
}

export interface RunningHoldfast extends RunningProgram {
  readonly port: number;
}

/** Starts Holdfast from a configuration of its own and waits until `/readyz` says so. */
export async function startHoldfast(options: HoldfastOptions): Promise<RunningHoldfast> {
  const { name, folder, nodeArgs, jwks } = options;
  const [port, adminPort] = [await findFreePort(), await findFreePort()];
  const keySetFile = join(folder, 'jwks.json');
  const file = join(folder, `${name}.yaml`);
  writeFileSync(keySetFile, jwks);
  writeFileSync(file, JSON.stringify(configure(options, { port, adminPort, keySetFile }), undefined, 2));
  const running = await startProgram({
    name,
    args: [...nodeArgs, mainScript, 'serve', '--config', file],
    isReady: () => answersReady(adminPort),
  });
  return { ...running, port };
}

/** What a deployment would have, except that one key may leave a million proofs behind, as it will here. */
function configure(
  { upstreamPort, certificates, limits, hasPublicRoute }: HoldfastOptions,
  { port, adminPort, keySetFile }: { port: number; adminPort: number; keySetFile: string },
): object {
  const today = new Date().toISOString().slice(0, 10);
  return {
    listen: {
      address: `127.0.0.1:${port}`,
      origins: [`${certificates === undefined ? 'http' : 'https'}://${authority}`],
      ...(certificates && { tls: configureTls(certificates) }),
      ...(limits && { limits }),
    },
    upstream: `http://127.0.0.1:${upstreamPort}`,
    issuers: [{ issuer, audience, keys: { file: keySetFile } }],
    // Proofs are signed ahead of their slice. Without skew they are good from the first second after the start.
    dpop: { maxAge: '300s', clockSkew: '0s' },
    replay: { capacity: 1_000_000, perKey: 1_000_000 },
    routes: [
      ...(hasPublicRoute ? [{ path: '/public/**', proof: 'none' }] : []),
      { path: '/orders/**', scopes: ['orders.read'] },
    ],
    exceptions: [
      {
        ...{ id: 'bench', kind: 'bearer', owner: 'bench', reason: 'measured', ticket: 'none' },
        ...{ created: today, expires: new Date(Date.now() + 86_400_000).toISOString().slice(0, 10) },
        ...{ clients: [excepted], routes: ['/orders/**'] },
      },
    ],
    admin: { address: `127.0.0.1:${adminPort}` },
  };
}

function configureTls({ serverCertFile, serverKeyFile, caFile }: Certificates): object {
  return { certificate: serverCertFile, key: serverKeyFile, clientCertificates: { ca: [caFile] } };
}

async function answersReady(adminPort: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${adminPort}/readyz`)).ok;
  } catch {
    return false;
  }
}
