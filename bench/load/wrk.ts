import { execFile, execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Generator, Slice, SliceResult } from './generator.js';

const script = fileURLToPath(new URL('../../../bench/load/requests.lua', import.meta.url));
const run = promisify(execFile);

/** wrk, where it is installed. It cannot present a client certificate, so it is for plain HTTP. */
export function findWrk(): Generator | undefined {
  try {
    // Its only exit code without a URL is 1; what tells is whether there is a program at all.
    execFileSync('wrk', ['--version'], { stdio: 'ignore' });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  }
  return { name: 'wrk', run: runWrk, close: () => {} };
}

async function runWrk(slice: Slice, onStart: () => void): Promise<SliceResult> {
  const { target, requestsFile, repeat, connections, seconds } = slice;
  if (target.tls !== undefined) throw new Error('wrk cannot present a client certificate');
  onStart();
  const { stdout } = await run('wrk', [
    ...['--threads', '1', '--connections', String(connections), '--duration', `${seconds}s`],
    ...['--script', script, `http://127.0.0.1:${target.port}`],
    ...['--', requestsFile, repeat ? 'repeat' : 'once'],
  ]);
  return parseReport(stdout);
}

/** The last line is what our script wrote. */
function parseReport(stdout: string): SliceResult {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as SliceResult;
}
