import type { AppOptions } from '../app/core.js';
import { type Running, startApp } from '../app.js';
import { loadConfig } from '../config/load.js';
import { createLog, type Log } from '../observability/log.js';
import type { CommandContext } from './command.js';
import { describeRuntimeRisk, findUnsafeOption } from './runtime.js';

/**
 * `holdfast serve`: guards the service until it is told to stop. SIGTERM and SIGINT let what is under way finish; a
 * second one ends at once.
 *
 * @returns exit code: 0 stopped as asked, 1 failed, 2 bad configuration
 * @see REQUIREMENTS S07, S10, S11
 */
export async function serve({ configFile, env, stderr }: CommandContext): Promise<number> {
  const unsafe = findUnsafeOption([...process.execArgv, ...(env.NODE_OPTIONS ?? '').split(/\s+/)]);
  if (unsafe !== undefined) {
    stderr.write(`holdfast: ${unsafe}\n`);
    return 2;
  }
  let log: Log | undefined;
  // Before anything else: without a listener Node opens its debugger to whoever may send this signal.
  process.on('SIGUSR1', () => log?.warn('signal_ignored', { signal: 'SIGUSR1' }));
  const loaded = loadConfig(configFile, env);
  log = createLog(loaded.config.log.level);
  const risk = describeRuntimeRisk(process.versions.node, Date.now());
  if (risk !== undefined) log.warn('runtime_out_of_support', { detail: risk });
  for (const { path, line, message } of loaded.warnings)
    log.warn('config_warning', { path, line, detail: message });
  const code = await run({
    config: loaded.config,
    configHash: loaded.hash,
    tlsFiles: loaded.tlsFiles,
    log,
  });
  await flush(log);
  return code;
}

/** @returns the exit code */
async function run(options: AppOptions): Promise<number> {
  const { log } = options;
  let running: Running | undefined;
  // From here on, or it would end the process. Before there is something to reload it has just been read.
  process.on('SIGHUP', () => {
    if (running?.reload() === undefined) log.warn('signal_ignored', { signal: 'SIGHUP' });
  });
  try {
    running = await startApp(options);
    const code = await untilStopped(running, log);
    log.info('stopped', { exit_code: code });
    return code;
  } catch (error) {
    log.error('start_failed', { detail: error instanceof Error ? error.message : String(error) });
    return 1;
  }
}

/** @returns the exit code, when everything is closed */
async function untilStopped(running: Running, log: Log): Promise<number> {
  const code = await new Promise<number>((resolve) => {
    process.once('SIGTERM', () => resolve(0));
    process.once('SIGINT', () => resolve(0));
    // Whatever state this left behind is unknown: no request is served from it longer than those under way (S11).
    for (const event of ['uncaughtException', 'unhandledRejection']) {
      process.on(event, (error: unknown) => {
        log.error('uncaught', { detail: error instanceof Error ? error.stack : String(error) });
        resolve(1);
      });
    }
  });
  if (code !== 0) running.markNotReady('failed');
  log.info('draining');
  const atOnce = async () => {
    await flush(log);
    process.exit(code === 0 ? 130 : code);
  };
  process.once('SIGTERM', atOnce);
  process.once('SIGINT', atOnce);
  await running.stop();
  return code;
}

/**
 * Where nobody reads stdout, a thread of the process waits in a write that ends never, and an orderly exit would wait for that.
 */
async function flush(log: Log): Promise<void> {
  if (!(await log.flush())) process.kill(process.pid, 'SIGKILL');
}
