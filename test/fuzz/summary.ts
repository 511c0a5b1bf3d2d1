import type { Summary } from './fuzzer.js';

/** One page about a run. */
export function formatSummary({ seed, seconds, tally, violations, residentBytes }: Summary): string {
  const mib = (bytes: number) => Math.round(bytes / 1024 ** 2);
  return [
    `seed ${seed}, ${seconds} s, ${tally.cases} connections, ${tally.requests} requests, ${tally.arrivals} at the service`,
    `forwarded by proof: ${list(tally.forwarded)}`,
    `refused: ${list(tally.refused)}`,
    `failed: ${list(tally.failed)}`,
    `otherwise: ${list(tally.otherwise)}`,
    `status: ${list(tally.answers)}`,
    `bytes through WebSockets: ${tally.tunnelledToService} to the service, ${tally.tunnelledToClients} to clients`,
    `good requests meanwhile: ${tally.good}, of these too late ${tally.late}; resident memory, MiB: ${residentBytes.map(({ before, after }) => `${mib(before)} to ${mib(after)}`).join(', ')}`,
    `violations: ${violations}`,
  ].join('\n');
}

function list(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts).sort(([, one], [, other]) => other - one);
  return entries.map(([name, count]) => `${name} ${count}`).join(', ') || 'none';
}
