import { parseArgs } from 'node:util';
import type { FuzzOptions } from './fuzzer.js';

export const usage = `Usage: npm run fuzz -- [options]

  --minutes N   how long (1; fractions are allowed)
  --seed S      any text; the same seed gives the same cases (a new one each run)
  --jobs N      connections at one time (48)
  --cases N     end after so many cases
  --first N     number of the first case, to begin where a violation was found (0)
  --json FILE   the summary, for machines
`;

export interface CommandOptions
  extends Omit<FuzzOptions, 'violations' | 'leak' | 'patienceMs' | 'isEnough' | 'signal'> {
  readonly json: string | undefined;
}

/** @returns undefined when help was asked for @throws Error for arguments that mean nothing */
export function parseOptions(args: readonly string[]): CommandOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '1' },
      seed: { type: 'string', default: String(Date.now()) },
      jobs: { type: 'string', default: '48' },
      cases: { type: 'string', default: '1000000000' },
      first: { type: 'string', default: '0' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    seed: values.seed,
    durationMs: parseNumber('minutes', values.minutes, /^\d{1,4}(?:\.\d+)?$/) * 60_000,
    jobs: parseNumber('jobs', values.jobs, /^[1-9]\d{0,2}$/),
    maxCases: parseNumber('cases', values.cases, /^[1-9]\d*$/),
    first: parseNumber('first', values.first, /^\d{1,9}$/),
    json: values.json,
  };
}

function parseNumber(name: string, value: string, shape: RegExp): number {
  if (!shape.test(value)) throw new Error(`--${name} ${value}: not a number that fits\n\n${usage}`);
  return Number(value);
}
