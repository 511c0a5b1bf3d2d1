#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { check } from './cli/check.js';
import { health } from './cli/health.js';
import { serve } from './cli/serve.js';
import { ConfigError } from './config/problems.js';

const usage = `Usage: holdfast <command> --config FILE

Commands
  serve     guard the service: listen, verify, forward
  check     validate the configuration and print the policy it means
  health    ask the running sidecar whether it is alive (exit code 0 or 1)

Options
  --config FILE   YAML or JSON configuration
  --version       print the version
  --help          print this

Exit codes: 0 as asked, 1 failed, 2 bad usage or bad configuration.
`;

/** @returns the exit code; for `serve` when the process has been told to stop */
async function main(args: readonly string[]): Promise<number> {
  const parsed = parse(args);
  if (typeof parsed === 'string') {
    process.stderr.write(`holdfast: ${parsed}\n\n${usage}`);
    return 2;
  }
  if (parsed.help) return print(usage);
  if (parsed.version) return print(`${readVersion()}\n`);
  const command = { serve, check, health }[parsed.command];
  const context = {
    configFile: parsed.config,
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
  };
  try {
    return await command(context);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
}

type Parsed =
  | { readonly help: true; readonly version?: undefined }
  | { readonly help: false; readonly version: true }
  | {
      readonly help: false;
      readonly version: false;
      readonly command: 'serve' | 'check' | 'health';
      readonly config: string;
    };

function parse(args: readonly string[]): Parsed | string {
  let parsed: { values: { config?: string; help?: boolean; version?: boolean }; positionals: string[] };
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        config: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
      },
    });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const { values, positionals } = parsed;
  if (values.help) return { help: true };
  if (values.version) return { help: false, version: true };
  const [command, ...rest] = positionals;
  if (command !== 'serve' && command !== 'check' && command !== 'health') {
    return command === undefined ? 'no command given' : `unknown command ${command}`;
  }
  if (rest.length > 0) return `unexpected argument ${rest[0]}`;
  if (values.config === undefined) return '--config FILE is missing';
  return { help: false, version: false, command, config: values.config };
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return version;
}

process.exitCode = await main(process.argv.slice(2));
