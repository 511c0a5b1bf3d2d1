import { setTimeout as delay } from 'node:timers/promises';
import type { AppOptions } from '../app/core.js';
import { type Running, startApp } from '../app.js';
import { loadConfig } from '../config/load.js';
import { createLog, type Log } from '../observability/log.js';
import { Output } from '../observability/output.js';
import type { CommandContext } from './command.js';
import { complain } from './print.js';
import { describeRuntimeRisk, findUnsafeOption } from './runtime.js';
import type { Signals } from './signals.js';

/** What is cut off after the grace ends at once; a process that has not by then is not going to. */
const overtimeMs = 2000;

/**
 * `holdfast serve`: guards the service until it is told to stop. SIGTERM and SIGINT let what is under way finish; a
 * second one ends at once.
 *
 * @returns exit code: 0 stopped as asked, 1 failed, 2 bad configuration, 130 told to end at once
 * @see REQUIREMENTS S07, S10, S11, S17
 */
export async function serve({ configFile, env, signals }: CommandContext): Promise<number> {
  const unsafe = findUnsafeOption([...process.execArgv, ...(env.NODE_OPTIONS ?? '').split(/\s+/)]);
  if (unsafe !== undefined) {
    await complain(`holdfast: ${unsafe}\n`);
    return 2;
  }
  const loaded = loadConfig(configFile, env);
  const log = createLog(loaded.config.log.level, new Output());
  const risk = describeRuntimeRisk(process.versions.node, Date.now());
  if (risk !== undefined) log.warn('runtime_out_of_support', { detail: risk });
  for (const { path, line, message } of loaded.warnings)
    log.warn('config_warning', { path, line, detail: message });
  const { config, hash: configHash, tlsFiles } = loaded;
  const code = await run({ config, configHash, tlsFiles, log }, signals);
  await log.flush();
  return code;
}

/** @returns the exit code */
async function run(options: AppOptions, signals: Signals): Promise<number> {
  const { log } = options;
  let running: Running | undefined;
  signals.attend((signal) => {
    // Before there is something to reload it has just been read.
    if (signal === 'SIGUSR1' || running?.reload() === undefined) log.warn('signal_ignored', { signal });
  });
  const ending = Promise.race([signals.stop.then(() => 0), firstFailure(log).then(() => 1)]);
  try {
    running = await Promise.race([startApp(options), ending.then(() => undefined)]);
  } catch (error) {
    log.error('start_failed', { detail: error instanceof Error ? error.message : String(error) });
    return 1;
  }
  if (running !== undefined) {
    const { port, adminPort } = running;
    log.info('listening', { port, admin_port: adminPort, config: options.configHash });
  }
  const asked = await ending;
  // What was told to end before it listened has nothing under way.
  const code = running === undefined ? asked : await stop(running, asked, { signals, options });
  log.info('stopped', { exit_code: code });
  return code;
}

/** @returns the exit code: the one that was asked for, unless it had to end before everything was closed */
async function stop(
  running: Running,
  asked: number,
  { signals, options: { config, log } }: { signals: Signals; options: AppOptions },
): Promise<number> {
  if (asked !== 0) running.markNotReady('failed');
  log.info('draining');
  const late = delay(config.shutdown.graceMs + overtimeMs).then(() => {
    log.error('stop_incomplete');
    return 1;
  });
  return Promise.race([
    running.stop().then(() => asked),
    signals.stopAgain.then(() => (asked === 0 ? 130 : asked)),
    late,
  ]);
}

/** Holds from the first error on that nobody caught. Whatever state it left behind is unknown. */
function firstFailure(log: Log): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ['uncaughtException', 'unhandledRejection']) {
      process.on(event, (error: unknown) => {
        log.error('uncaught', { detail: error instanceof Error ? error.stack : String(error) });
        resolve();
      });
    }
  });
}
