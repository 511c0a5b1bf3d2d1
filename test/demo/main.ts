/**
 * The demo: a legacy service that was never changed, guarded by Holdfast, with an authorization server (oidc-provider)
 * and a client (oauth4webapi) that this project did not write. Plays every scene; prints what was expected and what came.
 *
 * Usage: node .build/test/demo/main.js [--json] [--serve]
 * Exit code 0 only if every row came out as expected.
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { assemble } from './cast.js';
import { formatJson, formatTable, isSuccess } from './report.js';
import { playScene, type Row } from './scene.js';
import { closingRow, writeScenes } from './scenes.js';
import { type Setting, Stage } from './stage.js';
import { explain } from './try-it.js';

const timeLimitMs = 60_000;

interface Options {
  readonly json: boolean;
  /** leave everything running after the scenes, until Ctrl-C */
  readonly serve: boolean;
}

async function main(options: Options): Promise<number> {
  const stage = new Stage();
  const end = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => end.abort(`stopped by ${name}`));
  try {
    return (await run(stage, options, end)) ? 0 : 1;
  } catch (error) {
    console.error(`${stage.diagnosis}\n\nThe demo failed: ${String(error).split('\n', 1)[0]}`);
    return 1;
  } finally {
    await stage.close();
  }
}

async function run(stage: Stage, { json, serve }: Options, end: AbortController): Promise<boolean> {
  const timer = setTimeout(() => end.abort(`not done after ${timeLimitMs / 1000} s`), timeLimitMs);
  const [setting, rows] = await Promise.race([playAll(stage), rejected(end.signal)]).finally(() =>
    clearTimeout(timer),
  );
  const isAsExpected = isSuccess(rows);
  console.log(json ? formatJson(rows) : formatTable(rows));
  if (!isAsExpected) console.error(stage.diagnosis);
  if (serve) {
    // With --json the standard output is for a machine.
    (json ? console.error : console.log)(explain(setting));
    await aborted(end.signal);
  }
  return isAsExpected;
}

async function playAll(stage: Stage): Promise<[Setting, Row[]]> {
  const setting = await stage.open();
  const scenes = await writeScenes(setting, await assemble(setting));
  const rows: Row[] = [];
  // One after the other, because each row counts what reached the service meanwhile.
  for (const scene of scenes) rows.push(await playScene(scene, setting));
  return [setting, [...rows, await closingRow(setting, scenes)]];
}

async function rejected(signal: AbortSignal): Promise<never> {
  await aborted(signal);
  throw new Error(String(signal.reason));
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, serve: { type: 'boolean', default: false } },
});
process.exitCode = await main(values);
