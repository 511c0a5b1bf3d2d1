import type { Facts, Row } from './scene.js';

const header = ['', 'request', 'expected', 'got', 'log says', 'service'];

/** The rows for people, in aligned columns; below them, all there is to know of each row that failed. */
export function formatTable(rows: readonly Row[]): string {
  const table = [header, ...rows.map(toCells)];
  const widths = header.map((_, column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)));
  const lines = table.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const failures = rows
    .filter(({ ok }) => !ok)
    .map(({ request, expected, got }) =>
      [
        `FAILED: ${request}`,
        `  expected ${JSON.stringify(expected)}`,
        `  got      ${JSON.stringify(got)}`,
      ].join('\n'),
    );
  const rule = '-'.repeat(Math.max(...lines.map(({ length }) => length)));
  return [lines[0], rule, ...lines.slice(1), rule, ...failures, summarise(rows)].join('\n');
}

/** The rows for machines. */
export function formatJson(rows: readonly Row[]): string {
  return JSON.stringify({ ok: isSuccess(rows), rows }, undefined, 2);
}

/** Fails closed: a run without rows shows nothing. */
export function isSuccess(rows: readonly Row[]): boolean {
  return rows.length > 0 && rows.every(({ ok }) => ok);
}

function toCells({ request, expected, got, ok }: Row): string[] {
  const { log, reachedService } = got;
  return [
    ok ? 'ok' : 'FAILED',
    request,
    describe(expected),
    describe(got),
    String(log ?? ''),
    reached(reachedService),
  ];
}

function reached(requests: string | number | undefined): string {
  return requests === undefined ? '' : requests === 0 ? 'nothing' : `${requests} seen`;
}

/** The facts that have no column of their own. */
function describe({ log: _log, reachedService: _reachedService, key, ...facts }: Facts): string {
  const words = Object.entries(facts).map(([name, value]) => {
    if (name === 'error' && value === 'none') return 'no error';
    return typeof value === 'string' || name === 'status' ? value : `${name} ${value}`;
  });
  const shortKey = key === undefined || key === 'none' ? [] : [`${String(key).slice(0, 6)}…`];
  return [...words, ...shortKey].join(' ');
}

function summarise(rows: readonly Row[]): string {
  const failed = rows.filter(({ ok }) => !ok).length;
  return failed === 0
    ? `All ${rows.length} came out as expected.`
    : `${failed} of ${rows.length} did not come out as expected.`;
}
