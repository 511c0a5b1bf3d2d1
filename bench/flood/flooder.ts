import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('./flooder-process.js', import.meta.url));

export interface Flood {
  readonly port: number;
  /** source addresses are 127.<network>.x.y; 0 is where good clients come from */
  readonly network: number;
  readonly addresses: number;
  /** how many are kept open; one that ends is made anew */
  readonly connections: number;
  /** how many are made in a second at most */
  readonly perSecond: number;
  /** what is sent on each, in turn */
  readonly texts: readonly string[];
  /** whether each answer is followed by the next text, or nothing more is said */
  readonly again: boolean;
}

export interface Progress {
  readonly open: number;
  readonly made: number;
  readonly ended: number;
  /** pieces of answers: as many as answers that are small */
  readonly answers: number;
}

export interface RunningFlooder {
  progress(): Progress;
  /** Waits until it holds; after 60 s no longer. @returns whether it came to hold */
  until(holds: (progress: Progress) => boolean): Promise<boolean>;
  stop(): Promise<void>;
}

/** A process of its own, so that what it costs is not the good client's. */
export function startFlooder(flood: Flood): RunningFlooder {
  const child = fork(script, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  let latest: Progress = { open: 0, made: 0, ended: 0, answers: 0 };
  child.on('message', (message) => {
    latest = message as Progress;
  });
  child.send(flood);
  return {
    progress: () => latest,
    async until(holds) {
      for (let turns = 0; turns < 600 && !holds(latest); turns++) await delay(100);
      return holds(latest);
    },
    async stop() {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}
