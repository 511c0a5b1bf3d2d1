import type { Name } from './contestants.js';
import type { Sample } from './measure.js';
import type { ReplayMemory } from './memory.js';
import { median } from './statistics.js';

/** All samples of one contestant: one a round. */
export interface Series {
  readonly name: Name;
  readonly title: string;
  readonly floor: Name;
  readonly samples: readonly Sample[];
}

/** One line of the table: medians over the rounds. */
export interface Row {
  readonly name: Name;
  readonly title: string;
  readonly cpuUs: number;
  readonly cpuUsMin: number;
  readonly cpuUsMax: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly generatorUs: number;
  /** of processor time to that of the floor in the same round */
  readonly ratio: number;
  readonly requests: number;
}

export interface Memory {
  /** Holdfast over plain HTTP after its start, before the first request, bytes */
  readonly restBytes: number;
  /** the same process after the last slice, bytes */
  readonly loadedBytes: number;
  readonly startMs: number;
  readonly replay: ReplayMemory;
}

export interface Budget {
  readonly what: string;
  readonly unit: string;
  readonly limit: number;
  readonly measured: number;
  readonly met: boolean;
}

export interface Results {
  readonly rows: readonly Row[];
  readonly verificationUs: number;
  readonly memory: Memory;
  readonly budgets: readonly Budget[];
}

/** @param all - with the floors, or no ratio can be told */
export function toRows(all: readonly Series[]): Row[] {
  return all.map((series) => {
    const { name, title, samples } = series;
    const floor = all.find((other) => other.name === series.floor)?.samples ?? [];
    const of = (pick: (sample: Sample) => number) => median(samples.map(pick));
    const cpu = samples.map(({ cpuUsPerRequest }) => cpuUsPerRequest);
    return {
      ...{ name, title, cpuUs: median(cpu), cpuUsMin: Math.min(...cpu), cpuUsMax: Math.max(...cpu) },
      requestsPerSecond: of(({ requestsPerSecond }) => requestsPerSecond),
      p50Ms: of(({ p50Ms }) => p50Ms),
      p99Ms: of(({ p99Ms }) => p99Ms),
      generatorUs: of(({ generatorUsPerRequest }) => generatorUsPerRequest),
      // Round by round, so that what slows the machine for a while slows both sides of the ratio.
      ratio: median(cpu.map((us, round) => us / (floor[round]?.cpuUsPerRequest ?? Number.NaN))),
      requests: samples.reduce((sum, { requests }) => sum + requests, 0),
    };
  });
}

/** What the project promises. A contestant that was not measured has no budget. */
export function toBudgets(rows: readonly Row[], { restBytes, startMs, replay }: Memory): Budget[] {
  const ratio = (name: Name) => rows.find((row) => row.name === name)?.ratio;
  const all = [
    { what: 'DPoP to http-proxy alone', unit: '×', limit: 2.6, measured: ratio('dpop') },
    { what: 'mTLS-bound to http-proxy alone, TLS', unit: '×', limit: 1.5, measured: ratio('mtls') },
    { what: 'start to ready', unit: ' ms', limit: 1000, measured: startMs },
    { what: 'resident memory at rest', unit: ' MB', limit: 120, measured: restBytes / 1e6 },
    { what: 'a million replay entries', unit: ' MB', limit: 200, measured: replay.bytes / 1e6 },
    { what: 'longest pause inserting them', unit: ' ms', limit: 20, measured: replay.longestTurnMs },
  ];
  return all.flatMap(({ measured, ...rest }) =>
    measured === undefined ? [] : [{ ...rest, measured, met: measured <= rest.limit }],
  );
}
