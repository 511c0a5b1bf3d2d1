import { closeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

// What takes a thread of Node's pool that the operating system may keep for ever: files and names, never our cryptography.
const inPool = /^(?:FSReq|FileHandle.*Req|GetAddrInfoReq|GetNameInfoReq)/;
const maxWaitMs = 500;
const checkMs = 10;

/**
 * Ends the process, for sure. Node's own exit waits for the threads of its pool: where one of them hangs, in a write to a terminal that is
 * stopped, a name server that is silent or a file system that is gone, it would wait for ever, deaf to every signal. Then the
 * end is SIGKILL; for PID 1, which nothing within its own namespace can kill, it is SIGSEGV, by `abort`.
 * @param code - of the exit, unless it comes to that
 * @see REQUIREMENTS S17
 */
export async function exit(code: number): Promise<never> {
  const until = performance.now() + maxWaitMs;
  while (process.getActiveResourcesInfo().some((kind) => inPool.test(kind))) {
    if (performance.now() > until) return kill();
    await delay(checkMs);
  }
  process.exit(code);
}

function kill(): never {
  process.kill(process.pid, 'SIGKILL');
  // Where `abort` would write a trace; nobody may be reading that either.
  closeSync(2);
  process.abort();
}
