/** What a command is given. @returns of each command: the exit code */
export interface CommandContext {
  readonly configFile: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}
