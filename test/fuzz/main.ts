/**
 * Generated and mutated requests against the real process, for a given time, with a service behind it that answers well
 * and badly. What is held against what, and what a violation is: arrivals.ts, answers-oracle.ts, fuzzer.ts.
 *
 * Exit code 0 when nothing was found, 1 when something was, 2 for arguments that mean nothing.
 */
import { mkdtempSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fuzzer } from './fuzzer.js';
import { type CommandOptions, parseOptions, usage } from './options.js';
import { formatSummary } from './summary.js';
import { Violations } from './violations.js';

async function main({ json, ...options }: CommandOptions): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-fuzz-'));
  const violations = new Violations(folder, options.seed);
  const end = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => end.abort());
  const summary = await Fuzzer.run({ ...options, violations, signal: end.signal });
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(summary, undefined, 2)}\n`);
  console.log(formatSummary(summary));
  if (violations.count === 0) {
    rmdirSync(folder);
    return 0;
  }
  for (const { why, case: one } of violations.found)
    console.log(`${one === undefined ? '' : `case ${one.number}: `}${why.join('; ')}`);
  console.log(`Each is a file in ${folder}`);
  return 1;
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) console.log(usage);
  else process.exitCode = await main(options);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
