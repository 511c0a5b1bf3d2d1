// What Holdfast costs, measured against http-proxy alone and against a peer. See docs/performance.md.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Contestant, checkContestant, type Field, startField } from './contestants.js';
import { makeCertificates, makeIssuer, serveKeySet } from './fixture.js';
import { startWorker } from './load/worker.js';
import { findWrk } from './load/wrk.js';
import { Meter, type Sample } from './measure.js';
import { measureReplayMemory } from './memory.js';
import { type BenchOptions, parseOptions, usage } from './options.js';
import { residentBytes } from './processor-time.js';
import { describeMachine, formatReport } from './report.js';
import { type Results, type Series, toBudgets, toRows } from './results.js';
import { measureVerification } from './verification.js';

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) {
    process.stdout.write(usage);
    return 0;
  }
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
  try {
    const results = await measureAll(options, folder);
    process.stdout.write(`\n${formatReport(results)}`);
    return options.check && results.budgets.some(({ met }) => !met) ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measureAll(options: BenchOptions, folder: string): Promise<Results> {
  const verificationUs = measureVerification();
  const replay = await measureReplayMemory();
  const issuer = makeIssuer();
  const keySet = await serveKeySet(issuer.jwks);
  const certificates = await makeCertificates(folder);
  const holdfastArgs = options.profile === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', options.profile];
  const field = await startField({ folder, issuer, jwksUri: keySet.url, certificates, holdfastArgs });
  const restBytes = residentBytes(field.holdfast.pid);
  try {
    const series = await measureField(field, options, folder);
    const loadedBytes = residentBytes(field.holdfast.pid);
    const memory = { restBytes, loadedBytes, startMs: field.holdfast.startMs, replay };
    const rows = toRows(series);
    const results = { rows, verificationUs, memory, budgets: toBudgets(rows, memory) };
    if (options.json !== undefined) writeJson(options.json, { ...results, series });
    return results;
  } finally {
    keySet.close();
    await Promise.all(field.programs.map((program) => program.stop()));
  }
}

// Compilation of hot code goes on for that long, on threads whose time is counted too. A sidecar runs for weeks.
const warmUpRequests = 15_000;
const maxWarmUpTurns = 6;

/** Warms everyone up, then the rounds: A B C, A B C. */
async function measureField(field: Field, options: BenchOptions, folder: string): Promise<Series[]> {
  const { rounds, seconds, connections, only, useWrk } = options;
  const worker = startWorker();
  try {
    const plainGenerator = (useWrk ? findWrk() : undefined) ?? worker;
    const meter = new Meter({ plainGenerator, tlsGenerator: worker, connections, seconds, folder });
    const contestants = field.contestants.filter(({ name }) => only.has(name));
    say(`${describeMachine()}; load by ${plainGenerator.name}, over TLS by ${worker.name}`);
    say(`${rounds} rounds of ${seconds} s, ${connections} connections; warming up`);
    for (const contestant of contestants) await checkContestant(contestant);
    await warmUp(contestants, meter);
    const samples = new Map(contestants.map((contestant): [Contestant, Sample[]] => [contestant, []]));
    for (let round = 1; round <= rounds; round++) {
      for (const [contestant, taken] of samples) taken.push(await meter.measure(contestant));
      say(`round ${round}: ${formatRound(samples)}`);
    }
    return [...samples].map(([{ name, title, floor }, taken]) => ({ name, title, floor, samples: taken }));
  } finally {
    worker.close();
  }
}

/** In turns, as the rounds will be: what one contestant teaches the compiler another one of the same process unteaches. */
async function warmUp(contestants: readonly Contestant[], meter: Meter): Promise<void> {
  const answered = new Map(contestants.map((contestant) => [contestant, 0]));
  for (let turn = 0; turn < maxWarmUpTurns; turn++) {
    for (const [contestant, requests] of answered) {
      if (requests >= warmUpRequests) continue;
      answered.set(contestant, requests + (await meter.measure(contestant)).requests);
    }
  }
}

function formatRound(samples: ReadonlyMap<Contestant, readonly Sample[]>): string {
  return [...samples]
    .map(([{ name }, taken]) => `${name} ${taken.at(-1)?.cpuUsPerRequest.toFixed(0)}`)
    .join(', ');
}

function writeJson(file: string, results: object): void {
  writeFileSync(file, `${JSON.stringify({ machine: describeMachine(), ...results }, undefined, 2)}\n`);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

try {
  process.exitCode = await main();
} catch (error) {
  say(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
