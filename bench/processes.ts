import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const patienceMs = 20_000;
const pollMs = 2;

export interface Program {
  readonly name: string;
  /** options of Node, script and arguments */
  readonly args: readonly string[];
  /** whether it takes requests now */
  readonly isReady: () => Promise<boolean>;
}

/** A Node program in a process of its own. What it writes to stdout goes to /dev/null. */
export interface RunningProgram {
  readonly name: string;
  readonly pid: number;
  /** from its spawn to the first answer that it is ready, ms; polled every 2 ms */
  readonly startMs: number;
  stop(): Promise<void>;
}

/** @returns when it is ready @throws Error with what it wrote to stderr, when it ends or does not come to that in 20 s */
export async function startProgram({ name, args, isReady }: Program): Promise<RunningProgram> {
  const start = performance.now();
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, NODE_ENV: 'production' },
  });
  let text = '';
  child.stderr.on('data', (chunk) => {
    text += chunk;
  });
  while (!(await isReady())) {
    if (hasEnded(child) || performance.now() - start > patienceMs) {
      child.kill();
      throw new Error(`${name} did not start\n${text}`);
    }
    await delay(pollMs);
  }
  const startMs = performance.now() - start;
  return { name, pid: child.pid ?? Number.NaN, startMs, stop: () => stop(child) };
}

/** The path of a script in `programs/`. */
export function programPath(name: string): string {
  return fileURLToPath(new URL(`./programs/${name}.js`, import.meta.url));
}

/** Whether somebody listens there. */
export async function acceptsConnections(port: number): Promise<boolean> {
  const socket = net.connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
