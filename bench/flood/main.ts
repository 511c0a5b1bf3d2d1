// What floods do to a client who can prove who he is. See docs/performance.md.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findFreePort } from '../../test/support/ports.js';
import { authority, type Issuer, makeIssuer } from '../fixture.js';
import { type RunningHoldfast, startHoldfast } from '../holdfast.js';
import { acceptsConnections, programPath, startProgram } from '../processes.js';
import { processorTimeUs, residentBytes } from '../processor-time.js';
import { describeMachine } from '../report.js';
import { proven } from '../requests.js';
import { type Flood, type RunningFlooder, startFlooder } from './flooder.js';
import { garbageRequests } from './garbage.js';
import { GoodClient, type Window } from './good-client.js';
import { newcomersAmongGarbage } from './newcomers.js';

const [connections, phaseMs] = parseArguments(process.argv.slice(2));
/** As many of these as there are places at the service; none of them sends what it has announced. */
const slowRequests = 256;
const slowPost = `POST /public/slow HTTP/1.1\r\nHost: ${authority}\r\nContent-Length: 100000\r\n\r\nx`;
const neverFinished = `GET /orders/1 HTTP/1.1\r\nHost: ${authority}\r\nX-Slow: `;

interface Stand {
  readonly holdfast: RunningHoldfast;
  readonly issuer: Issuer;
  readonly client: GoodClient;
}

async function main(): Promise<void> {
  say(`${describeMachine()}; ${connections} connections, phases of ${phaseMs / 1000} s`);
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-flood-'));
  const upstreamPort = await findFreePort();
  const upstream = await startProgram({
    name: 'upstream',
    args: [programPath('upstream'), String(upstreamPort)],
    isReady: () => acceptsConnections(upstreamPort),
  });
  const issuer = makeIssuer();
  const common = { folder, jwks: issuer.jwks, upstreamPort, nodeArgs: [], hasPublicRoute: true };
  const started: RunningHoldfast[] = [];
  const open = async (name: string, limits?: object) => {
    const holdfast = await startHoldfast({ ...common, name, ...(limits && { limits }) });
    started.push(holdfast);
    await delay(1000 - (Date.now() % 1000)); // proofs dated before its start need a nonce
    const supply = proven(issuer, 4);
    const client = await GoodClient.connect({ port: holdfast.port, supply, connections: 8, thinkMs: 4 });
    await client.work(3000); // warms up
    return { holdfast, issuer, client };
  };
  try {
    const stand = await open('holdfast');
    await floodOfSilence(stand);
    await floodOfSlowRequests(stand);
    await floodOfGarbage(stand, 'garbage proofs');
    await newcomersAmongGarbage(stand.holdfast.port, issuer);
    stand.client.close();
  } finally {
    await Promise.all([upstream, ...started].map((program) => program.stop()));
    rmSync(folder, { recursive: true });
  }
}

async function floodOfSilence(stand: Stand): Promise<void> {
  const { holdfast } = stand;
  const flood = { port: holdfast.port, connections, perSecond: 2500, texts: [neverFinished], again: false };
  const quietBytes = residentBytes(holdfast.pid);
  const quiet = await measure(stand, 'quiet');
  await during({ ...flood, network: 1, addresses: 5000 }, async (flooder) => {
    const arriving = await measure(stand, 'unfinished heads, arriving and timed out');
    say(
      `  ${describe(flooder)}; resident memory ${mb(quietBytes)} MB before, ${mb(residentBytes(holdfast.pid))} MB now`,
    );
    ratio(arriving, quiet);
    ratio(await measure(stand, 'the same, later'), quiet);
  });
  await during({ ...flood, network: 2, addresses: 1 }, async (flooder) => {
    ratio(await measure(stand, 'the same from one address'), quiet);
    say(`  ${describe(flooder)}`);
  });
  await during({ ...flood, network: 3, addresses: 5000, texts: [''] }, async (flooder) => {
    await flooder.until(({ open }) => open >= connections - 64);
    say(`  ${describe(flooder)}, silent; resident memory ${mb(residentBytes(holdfast.pid))} MB`);
  });
}

async function floodOfSlowRequests(stand: Stand): Promise<void> {
  const quiet = await measure(stand, 'quiet');
  const flood = { port: stand.holdfast.port, network: 5, addresses: 1, connections: slowRequests };
  await during({ ...flood, perSecond: 1000, texts: [slowPost], again: false }, async (flooder) => {
    await flooder.until(({ open }) => open === slowRequests);
    ratio(await measure(stand, `${slowRequests} slow public requests of one address`), quiet);
    say(`  ${describe(flooder)}`);
  });
}

async function floodOfGarbage(stand: Stand, title: string): Promise<void> {
  const { holdfast, issuer } = stand;
  const texts = garbageRequests(issuer, 500);
  const quiet = await measure(stand, 'quiet');
  const flood = { port: holdfast.port, network: 4, addresses: 1, connections: 16, perSecond: 100 };
  await during({ ...flood, texts, again: true }, async (flooder) => {
    await flooder.until(({ answers }) => answers > 500);
    const [before, cpuBefore] = [flooder.progress().answers, processorTimeUs(holdfast.pid)];
    const window = await measure(stand, title);
    ratio(window, quiet);
    const answers = flooder.progress().answers - before;
    const cpuUs = processorTimeUs(holdfast.pid) - cpuBefore;
    const perRequest = cpuUs / (answers + window.requests);
    say(
      `  ${answers} garbage answered, ${window.requests} good; ${perRequest.toFixed(0)} µs each on average`,
    );
  });
}

/** @returns connections of a flood, and length of a phase in ms @throws Error with the usage */
function parseArguments([count = '10000', seconds = '12']: readonly string[]): [number, number] {
  const isCount = (text: string) => /^[1-9]\d{0,5}$/.test(text);
  if (!isCount(count) || !isCount(seconds)) {
    throw new Error('Usage: npm run bench:flood -- [connections of a flood] [seconds of a phase]');
  }
  return [Number(count), Number(seconds) * 1000];
}

async function during(flood: Flood, use: (flooder: RunningFlooder) => Promise<void>): Promise<void> {
  const flooder = startFlooder(flood);
  try {
    await use(flooder);
  } finally {
    await flooder.stop();
    await delay(1000);
  }
}

async function measure({ client, holdfast }: Stand, title: string): Promise<Window> {
  const before = processorTimeUs(holdfast.pid);
  const window = await client.work(phaseMs);
  const load = ((processorTimeUs(holdfast.pid) - before) / phaseMs / 10).toFixed(0);
  const { requests, failures, p50Ms, p99Ms, usualP99Ms, newcomers, keptOut } = window;
  say(
    `${title}: p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms (usual ${usualP99Ms.toFixed(2)}), ${requests} requests, ${failures} failed; ` +
      `${newcomers} new connections, ${keptOut} kept out; ${load} % of a processor`,
  );
  return window;
}

function ratio(window: Window, quiet: Window): void {
  const [all, usual] = [window.p99Ms / quiet.p99Ms, window.usualP99Ms / quiet.usualP99Ms];
  say(`  p99 ${all.toFixed(2)} times its quiet value, in the usual second ${usual.toFixed(2)} times`);
}

function describe(flooder: RunningFlooder): string {
  const { open, made, ended } = flooder.progress();
  return `${open} flood connections open, ${made} made, ${ended} ended`;
}

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main();
