import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { programPath } from './processes.js';

/** What a million remembered proofs take. */
export interface ReplayMemory {
  readonly entries: number;
  /** growth of the resident memory, whole process */
  readonly bytes: number;
  /** the longest turn of the event loop while entries came in, 50 at a time */
  readonly longestTurnMs: number;
}

/** Fills a replay store of its default capacity in a process of its own. */
export async function measureReplayMemory(): Promise<ReplayMemory> {
  const args = ['--expose-gc', programPath('replay-fill'), '1000000'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return parseReport(stdout);
}

function parseReport(line: string): ReplayMemory {
  return JSON.parse(line) as ReplayMemory;
}
