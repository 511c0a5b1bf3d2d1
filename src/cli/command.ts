/** What a command is given. @returns of each command: the exit code */
export interface CommandContext {
  readonly configFile: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}
