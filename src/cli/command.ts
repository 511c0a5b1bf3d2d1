import type { Signals } from './signals.js';

/** What a command is given. @returns of each command: the exit code */
export interface CommandContext {
  readonly configFile: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signals: Signals;
}
