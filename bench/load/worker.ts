import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Generator, Slice, SliceResult } from './generator.js';

const script = fileURLToPath(new URL('./worker-process.js', import.meta.url));

export type WorkerMessage =
  | { readonly kind: 'connected' }
  | { readonly kind: 'done'; readonly result: SliceResult };

/** A generator of our own, for TLS with client certificates and for machines without wrk. */
export function startWorker(): Generator {
  const child = fork(script, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  return {
    name: 'worker process',
    run: (slice, onStart) => runSlice(child, slice, onStart),
    close: () => child.kill(),
  };
}

async function runSlice(child: ChildProcess, slice: Slice, onStart: () => void): Promise<SliceResult> {
  child.send(slice);
  // Handshakes are over before anything is counted.
  await messageOf(child, 'connected');
  onStart();
  child.send('go');
  const message = await messageOf(child, 'done');
  if (message.kind !== 'done') throw new Error(`load worker said ${message.kind} too early`);
  return message.result;
}

async function messageOf(child: ChildProcess, kind: WorkerMessage['kind']): Promise<WorkerMessage> {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    const [message] = await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(() => {
        throw new Error('load worker has ended');
      }),
    ]);
    return parseMessage(message, kind);
  } finally {
    settled.abort();
  }
}

function parseMessage(message: unknown, kind: WorkerMessage['kind']): WorkerMessage {
  const parsed = message as WorkerMessage;
  if (parsed.kind !== kind) throw new Error(`load worker said ${parsed.kind}, expected ${kind}`);
  return parsed;
}
