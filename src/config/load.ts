import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type * as z from 'zod';
import type { SocketAddress } from '../support/bind.js';
import type { Config } from './config.js';
import type { Context } from './context.js';
import { checkAcross } from './cross-checks.js';
import { describeEffective, type Effective } from './effective.js';
import { resolveExceptions } from './exceptions.js';
import { Files } from './files.js';
import { resolveIdentity } from './identity.js';
import { resolveIssuers } from './issuers.js';
import { reportIssues, withoutRefused } from './issues.js';
import { resolveListen } from './listen.js';
import { adminSchema, resolveAdmin } from './operation.js';
import { ConfigError, type ConfigWarning, sortByLine } from './problems.js';
import { resolveDpop, resolveReplay } from './proofs.js';
import { Report } from './report.js';
import { defaultRoutes, resolveRoutes } from './routes.js';
import { configSchema, expandShorthands } from './schema.js';
import { type Environment, Source } from './source.js';
import { TlsFiles } from './tls-files.js';
import { resolveUpstream } from './upstream.js';

export interface LoadedConfig extends Effective {
  readonly config: Config;
  /** in the order of the file */
  readonly warnings: readonly ConfigWarning[];
  /** undefined without `listen.tls` */
  readonly tlsFiles: TlsFiles | undefined;
}

const maxFileBytes = 1024 ** 2;

/**
 * Reads and checks a configuration file and every file it names. When it returns, nothing in the configuration is left
 * to be found wrong later, but for what only the network knows.
 *
 * Fails closed: one problem anywhere and nothing is loaded.
 * @param file - YAML 1.2 (or JSON), at most 1 MiB; files that it names are relative to its directory
 * @param environment - what `${NAME}` in a value is replaced from
 * @throws ConfigError with every problem that was found
 */
export function loadConfig(file: string, environment: Environment, nowMs: number = Date.now()): LoadedConfig {
  const source = new Source(readConfigFile(file), environment);
  const report = new Report(source);
  report.problems.push(...source.problems);
  const directory = dirname(resolve(file));
  const context = { report, files: new Files(directory, report, nowMs), nowMs };
  const value = expandShorthands(requireMapping(source, file, report), defaultRoutes);
  const parsed = configSchema.safeParse(value);
  if (!parsed.success) reportIssues(parsed.error.issues, configSchema, report);
  const config = resolveSections(
    parsed.success ? value : withoutRefused(value, parsed.error.issues),
    context,
  );
  checkAcross(config, report);
  if (!parsed.success || report.problems.length > 0 || !isComplete(config))
    throw new ConfigError(file, report.problems);
  const { tls } = parsed.data.listen;
  return {
    config,
    warnings: sortByLine(report.warnings),
    tlsFiles: tls && new TlsFiles({ settings: tls, file, directory, source }),
    ...describeEffective(parsed.data, config, source),
  };
}

/**
 * Reads where the admin socket of a configuration is, and looks at nothing else in it: what is wrong with the rest does
 * not matter to a process that runs already.
 * @param file, environment - see `loadConfig`
 * @throws ConfigError when this option is not legal, or the file no YAML
 */
export function loadAdminAddress(file: string, environment: Environment): SocketAddress {
  const source = new Source(readConfigFile(file), environment);
  const report = new Report(source);
  const { admin } = requireMapping(source, file, report);
  report.problems.push(...source.problems.filter(({ path }) => path === 'admin' || path === 'admin.address'));
  const parsed = adminSchema.shape.address.safeParse(isMapping(admin) ? admin.address : undefined);
  if (!parsed.success)
    for (const { message } of parsed.error.issues)
      report.illegalOrMissing(['admin', 'address'], message, false);
  if (!parsed.success || report.problems.length > 0) throw new ConfigError(file, report.problems);
  return parsed.data;
}

/** @throws ConfigError when the file holds no mapping of options */
function requireMapping({ value, problems }: Source, file: string, report: Report): Record<string, unknown> {
  if (isMapping(value)) return value;
  if (problems.length > 0) throw new ConfigError(file, problems);
  report.problem([], 'expected a mapping with listen, upstream and issuers');
  throw new ConfigError(file, report.problems);
}

function readConfigFile(file: string): string {
  try {
    const content = readFileSync(file);
    if (content.length <= maxFileBytes) return content.toString('utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : 'unknown error';
    throw new ConfigError(file, [{ path: '', line: 1, message: `cannot be read (${code})` }]);
  }
  throw new ConfigError(file, [{ path: '', line: 1, message: `longer than ${maxFileBytes} bytes` }]);
}

/** Section by section, so that a misspelt option in one does not hide what is wrong with the others. */
function resolveSections(value: Record<string, unknown>, context: Context): Partial<Config> {
  const { listen, upstream, issuers, dpop, replay, routes, identity, exceptions, admin, log, shutdown } =
    configSchema.shape;
  const resolvedIssuers = attempt(issuers, value.issuers, (settings) => resolveIssuers(settings, context));
  const settled = {
    listen: attempt(listen, value.listen, (settings) => resolveListen(settings, context)),
    upstream: attempt(upstream, value.upstream, (settings) => resolveUpstream(settings, context)),
    issuers: resolvedIssuers,
    dpop: attempt(dpop, value.dpop, (settings) => resolveDpop(settings, context)),
    replay: attempt(replay, value.replay, (settings) => resolveReplay(settings, context)),
    routes: attempt(routes, value.routes, (settings) => resolveRoutes(settings, context)),
    identity: attempt(identity, value.identity, (settings) => resolveIdentity(settings, context)),
    exceptions: attempt(exceptions, value.exceptions, (settings) =>
      resolveExceptions(settings, resolvedIssuers, context),
    ),
    admin: attempt(admin, value.admin, (settings) => resolveAdmin(settings, context)),
    log: attempt(log, value.log, (settings) => settings),
    shutdown: attempt(shutdown, value.shutdown, ({ grace }) => ({ graceMs: grace })),
  };
  // Absent rather than undefined, as Partial<Config> says.
  return Object.fromEntries(Object.entries(settled).filter(([, section]) => section !== undefined));
}

function attempt<Schema extends z.ZodType, Resolved>(
  schema: Schema,
  value: unknown,
  resolveSettings: (settings: z.output<Schema>) => Resolved,
): Resolved | undefined {
  const parsed = schema.safeParse(value);
  return parsed.success ? resolveSettings(parsed.data) : undefined;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isComplete(config: Partial<Config>): config is Config {
  return Object.keys(configSchema.shape).every((name) => Object.hasOwn(config, name));
}
