import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parseSocketAddress } from '../config/addresses.js';
import { ConfigError } from '../config/problems.js';
import { check } from './check.js';
import { exit } from './exit.js';
import { type AdminPlace, health } from './health.js';
import { complain, print } from './print.js';
import { serve } from './serve.js';
import type { Signals } from './signals.js';

const usage = `Usage: holdfast <command> --config FILE

Commands
  serve     guard the service: listen, verify, forward
  check     validate the configuration and print the policy it means
  health    ask the running sidecar whether it is alive (exit code 0 or 1)

Options
  --config FILE   YAML or JSON configuration
  --address ADDR  health: ask here, host:port or unix:/path.sock, and read no configuration
  --ready         health: ask whether it is ready for traffic
  --version       print the version
  --help          print this

Exit codes: 0 as asked, 1 failed, 2 bad usage or bad configuration, 130 told to end at once.
`;

/** Does what the command line asks for, and ends the process. */
export async function run(args: readonly string[], signals: Signals): Promise<never> {
  return exit(await runCommand(args, signals).catch(describeFailure));
}

/** @returns the exit code; for `serve` when the process has been told to stop */
async function runCommand(args: readonly string[], signals: Signals): Promise<number> {
  const parsed = parse(args);
  if (typeof parsed === 'string') {
    await complain(`holdfast: ${parsed}\n\n${usage}`);
    return 2;
  }
  const { env } = process;
  if (parsed.command === 'serve') return serve({ ...parsed, env, signals });
  return Promise.race([answer(parsed, env), signals.stop.then(() => 130)]);
}

/** @returns the exit code of everything that ends by itself */
function answer(parsed: Exclude<Parsed, { command: 'serve' }>, env: NodeJS.ProcessEnv): Promise<number> {
  switch (parsed.command) {
    case 'help':
      return print(usage).then(() => 0);
    case 'version':
      return print(`${readVersion()}\n`).then(() => 0);
    case 'check':
      return check({ ...parsed, env });
    case 'health':
      return health({ ...parsed, env });
  }
}

/** @returns the exit code */
async function describeFailure(error: unknown): Promise<number> {
  if (error instanceof ConfigError) {
    await complain(`${error.message}\n`);
    return 2;
  }
  await complain(`holdfast: ${error instanceof Error ? error.stack : String(error)}\n`);
  return 1;
}

type Parsed =
  | { readonly command: 'help' | 'version' }
  | { readonly command: 'serve'; readonly configFile: string }
  | { readonly command: 'check'; readonly configFile: string }
  | { readonly command: 'health'; readonly where: AdminPlace; readonly ready: boolean };

/** @returns what is wrong, where it is a text */
function parse(args: readonly string[]): Parsed | string {
  let parsed: ReturnType<typeof parseOptions>;
  try {
    parsed = parseOptions(args);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const { values, positionals } = parsed;
  if (values.help) return { command: 'help' };
  if (values.version) return { command: 'version' };
  const [command, ...rest] = positionals;
  if (command !== 'serve' && command !== 'check' && command !== 'health') {
    return command === undefined ? 'no command given' : `unknown command ${command}`;
  }
  if (rest.length > 0) return `unexpected argument ${rest[0]}`;
  const { config: configFile, address: written, ready = false } = values;
  if (command !== 'health' && (written !== undefined || ready)) return '--address and --ready are for health';
  if (written !== undefined) {
    const address = parseSocketAddress(written);
    return address === undefined
      ? '--address needs host:port, [ipv6]:port or unix:/path.sock'
      : { command: 'health', where: { address }, ready };
  }
  if (configFile === undefined) return '--config FILE is missing';
  return command === 'health' ? { command, where: { configFile }, ready } : { command, configFile };
}

function parseOptions(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      config: { type: 'string' },
      address: { type: 'string' },
      ready: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean' },
    },
  });
}

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
