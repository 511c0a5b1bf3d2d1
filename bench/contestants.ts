import { setTimeout as delay } from 'node:timers/promises';
import { findFreePort } from '../test/support/ports.js';
import { exchange } from '../test/support/wire.js';
import { audience, type Certificates, excepted, type Issuer, issuer } from './fixture.js';
import { type RunningHoldfast, startHoldfast } from './holdfast.js';
import type { Target } from './load/generator.js';
import { acceptsConnections, programPath, type RunningProgram, startProgram } from './processes.js';
import { proven, repeated, type Supply } from './requests.js';

export const names = ['bare', 'dpop', 'dpop-64', 'bearer', 'peer', 'bare-tls', 'mtls'] as const;

export type Name = (typeof names)[number];

/** A proxy and the requests it is measured with. */
export interface Contestant {
  readonly name: Name;
  readonly title: string;
  /** the contestant that its cost is compared with */
  readonly floor: 'bare' | 'bare-tls';
  readonly program: RunningProgram;
  readonly target: Target;
  readonly supply: Supply;
  /** takes no request without a token */
  readonly guarded: boolean;
}

export interface Field {
  readonly contestants: readonly Contestant[];
  /** Holdfast over plain HTTP, as it started */
  readonly holdfast: RunningHoldfast;
  readonly programs: readonly RunningProgram[];
}

export interface FieldOptions {
  readonly folder: string;
  readonly issuer: Issuer;
  /** URL of its key set */
  readonly jwksUri: string;
  readonly certificates: Certificates;
  /** options of Node for Holdfast */
  readonly holdfastArgs: readonly string[];
}

/** Starts the service and all contestants, each as its own process, one after the other. */
export async function startField(options: FieldOptions): Promise<Field> {
  const { folder, issuer: tokens, certificates, holdfastArgs } = options;
  const upstream = await startScript('upstream', []);
  const common = { folder, jwks: tokens.jwks, upstreamPort: upstream.port, nodeArgs: holdfastArgs };
  const holdfast = await startHoldfast({ ...common, name: 'holdfast' });
  const holdfastTls = await startHoldfast({ ...common, name: 'holdfast-tls', certificates });
  await untilProofsPostdateStart();
  const bare = await startScript('bare-proxy', [String(upstream.port)]);
  const { serverCertFile, serverKeyFile, caFile } = certificates;
  const tlsFiles = [serverCertFile, serverKeyFile, caFile];
  const bareTls = await startScript('bare-proxy', [String(upstream.port), ...tlsFiles]);
  const peer = await startScript('peer', [String(upstream.port), issuer, options.jwksUri, audience]);
  const programs = { upstream, holdfast, holdfastTls, bare, bareTls, peer };
  return {
    contestants: describe(programs, options),
    holdfast,
    programs: Object.values(programs),
  };
}

type Listening = RunningProgram & { readonly port: number };

function describe(
  { bare, holdfast, peer, bareTls, holdfastTls }: Programs,
  { issuer: tokens, certificates: { ca, client } }: FieldOptions,
): Contestant[] {
  const tls = { cert: client.certPem, key: client.keyPem, ca };
  const bound = tokens.mint({ cnf: { 'x5t#S256': client.thumbprint } });
  const plain = (program: Listening) => ({
    floor: 'bare' as const,
    program,
    target: { port: program.port },
    guarded: program !== bare,
  });
  const encrypted = (program: Listening) => ({
    floor: 'bare-tls' as const,
    program,
    target: { port: program.port, tls },
    guarded: program !== bareTls,
  });
  return [
    { name: 'bare', title: 'http-proxy alone', ...plain(bare), supply: repeated() },
    { name: 'dpop', title: 'Holdfast, DPoP', ...plain(holdfast), supply: proven(tokens, 1) },
    { name: 'dpop-64', title: 'Holdfast, DPoP, 64 clients', ...plain(holdfast), supply: proven(tokens, 64) },
    {
      name: 'bearer',
      title: 'Holdfast, bearer under an exception',
      ...plain(holdfast),
      supply: repeated(tokens.mint({ client_id: excepted })),
    },
    {
      name: 'peer',
      title: 'express-oauth2-jwt-bearer + http-proxy, DPoP',
      ...plain(peer),
      supply: proven(tokens, 1),
    },
    { name: 'bare-tls', title: 'http-proxy alone, mTLS', ...encrypted(bareTls), supply: repeated() },
    { name: 'mtls', title: 'Holdfast, mTLS-bound', ...encrypted(holdfastTls), supply: repeated(bound) },
  ];
}

interface Programs {
  readonly bare: Listening;
  readonly holdfast: Listening;
  readonly peer: Listening;
  readonly bareTls: Listening;
  readonly holdfastTls: Listening;
}

async function startScript(name: string, args: readonly string[]): Promise<Listening> {
  const port = await findFreePort();
  const running = await startProgram({
    name,
    args: [programPath(name), String(port), ...args],
    isReady: () => acceptsConnections(port),
  });
  return { ...running, port };
}

/** Proofs dated in the second of the start need a nonce (I11); the next second is soon enough. */
async function untilProofsPostdateStart(): Promise<void> {
  await delay(1000 - (Date.now() % 1000));
}

/**
 * Holds when the contestant answers its own request, and a guarded one nothing without credentials: a proxy that checks
 * nothing is not worth measuring.
 * @throws Error with the answer that was not as it should be
 */
export async function checkContestant({ name, target, supply, guarded }: Contestant): Promise<void> {
  const wireTarget = { port: target.port, ...(target.tls && { tls: { ...target.tls } }) };
  const passed = await exchange(wireTarget, supply.next());
  if (passed.status !== 200) throw new Error(`${name} answered ${passed.status}: ${passed.body}`);
  const refused = await exchange(wireTarget, repeated().next());
  if (guarded && refused.status !== 401)
    throw new Error(`${name} let a request without token pass: ${refused.status}`);
}
