import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const usPerTick = 10_000;

/**
 * Processor time, user and system, that all threads of a process have used so far, µs.
 *
 * Linux keeps it in nanoseconds per thread; where that is missing, in ticks of 10 ms; elsewhere `ps` is asked, whose
 * resolution is that of the system (slices must be long enough for it).
 *
 * @throws Error when there is no such process
 */
export function processorTimeUs(pid: number): number {
  if (process.platform !== 'linux') return parsePsTime(ps(pid, 'time='));
  return threadTimesUs(pid) ?? tickTimeUs(pid);
}

/** Resident memory of a process, bytes. @throws Error when there is no such process */
export function residentBytes(pid: number): number {
  if (process.platform !== 'linux') return Number(ps(pid, 'rss=')) * 1024;
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

function threadTimesUs(pid: number): number | undefined {
  const folder = `/proc/${pid}/task`;
  let ns = 0;
  for (const thread of readdirSync(folder)) {
    try {
      ns += Number(readFileSync(`${folder}/${thread}/schedstat`, 'latin1').split(' ', 1)[0]);
    } catch {
      // The thread ended meanwhile, or this kernel does not keep the file; the latter shows as no time at all.
    }
  }
  return ns > 0 ? ns / 1000 : undefined;
}

function tickTimeUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name, second field, may hold blanks and parentheses; utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * usPerTick;
}

/** @param text - `[[days-]hours:]minutes:seconds[.fraction]` */
function parsePsTime(text: string): number {
  const [clock = '', days = '0'] = text.split('-').reverse();
  const seconds = clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  return (Number(days) * 86_400 + seconds) * 1e6;
}

function ps(pid: number, column: string): string {
  return execFileSync('ps', ['-o', column, '-p', String(pid)], { encoding: 'latin1' }).trim();
}
