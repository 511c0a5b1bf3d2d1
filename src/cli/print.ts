import { setTimeout as delay } from 'node:timers/promises';

const maxComplaintMs = 1000;

/**
 * Writes to standard output, however long its reader takes.
 * @throws Error of the system when it cannot be written. Not when its reader has seen enough, as `head` has: EPIPE
 */
export async function print(text: string): Promise<void> {
  const error = await writeTo(process.stdout, text);
  if (error !== undefined && error.code !== 'EPIPE') throw error;
}

/** Writes to standard error. Where that cannot be written, or nobody reads it for a second, there is nobody to tell. */
export async function complain(text: string): Promise<void> {
  const waited = new AbortController();
  const silence = delay(maxComplaintMs, undefined, { signal: waited.signal }).catch(() => {});
  await Promise.race([writeTo(process.stderr, text), silence]);
  waited.abort();
}

function writeTo(stream: NodeJS.WriteStream, text: string): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    // It comes with the callback too; but unheard, the event would end the process.
    stream.once('error', () => {});
    stream.write(text, (error) => resolve(error ?? undefined));
  });
}
