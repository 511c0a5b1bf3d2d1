import { availableParallelism, cpus } from 'node:os';
import type { Results, Row } from './results.js';

/** The machine as far as it matters for the figures. */
export function describeMachine(): string {
  return `${cpus()[0]?.model.trim() ?? process.arch}, ${availableParallelism()} cores, ${process.platform}, Node ${process.versions.node}`;
}

/** Everything a person wants to see, as text. */
export function formatReport({ rows, verificationUs, memory, budgets }: Results): string {
  const { restBytes, loadedBytes, startMs, replay } = memory;
  const floor = rows.find(({ name }) => name === 'bare')?.cpuUs;
  const per100k = (replay.bytes / replay.entries) * 100_000;
  return [
    ...formatTable(rows),
    '',
    `One P-256 verification: ${verificationUs.toFixed(1)} µs${
      floor === undefined
        ? ''
        : `; with the floor, the least a DPoP request can cost: ${((floor + verificationUs) / floor).toFixed(2)}×`
    }`,
    `Resident memory of Holdfast: ${megabytes(restBytes)} at rest, ${megabytes(loadedBytes)} after this load`,
    `Start to ready: ${startMs.toFixed(0)} ms`,
    `Replay memory: ${megabytes(per100k)} for 100,000 live entries; longest pause while ${replay.entries.toLocaleString('en')} came in: ${replay.longestTurnMs.toFixed(1)} ms`,
    '',
    ...budgets.map(
      ({ what, unit, limit, measured, met }) =>
        `${met ? 'met    ' : 'NOT MET'}  ${what}: ${measured.toFixed(2)}${unit}, at most ${limit}${unit}`,
    ),
    '',
  ].join('\n');
}

function formatTable(rows: readonly Row[]): string[] {
  const head = [
    'contestant',
    'µs/request',
    'min-max',
    'ratio',
    'requests/s',
    'p50 ms',
    'p99 ms',
    'generator µs',
  ];
  const body = rows.map((row) => [
    row.title,
    row.cpuUs.toFixed(1),
    `${row.cpuUsMin.toFixed(0)}-${row.cpuUsMax.toFixed(0)}`,
    row.ratio.toFixed(2),
    row.requestsPerSecond.toFixed(0),
    row.p50Ms.toFixed(2),
    row.p99Ms.toFixed(2),
    row.generatorUs.toFixed(1),
  ]);
  const widths = head.map((cell, column) =>
    Math.max(cell.length, ...body.map((line) => line[column]?.length ?? 0)),
  );
  const format = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => pad(cell, widths[column] ?? 0, column)).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [format(head), rule, ...body.map(format)];
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
