import assert from 'node:assert/strict';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import { until } from '../support/guarded.js';
import { type SilentOptions, SilentSidecar } from '../support/silent-sidecar.js';

const timeout = 120_000;
const quiet = { stdio: ['ignore', 'ignore', 'ignore'] } satisfies SilentOptions;
const heard = { stdio: ['ignore', 'pipe', 'ignore'] } satisfies SilentOptions;

async function start(t: TestContext, options: Partial<SilentOptions> = {}): Promise<SilentSidecar> {
  const sidecar = await SilentSidecar.start({ ...quiet, ...options });
  t.after(() => sidecar.stop());
  return sidecar;
}

/** A folder whose sockets somebody has left behind. */
async function leaveBehind(t: TestContext): Promise<string> {
  const { process: child, folder } = await start(t);
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  assert.ok(statSync(join(folder, 'public.sock')).isSocket(), 'it is still there');
  return folder;
}

/** Holds when a start in this folder fails, because its name is taken. */
async function failsToStart(folder: string): Promise<void> {
  const second = SilentSidecar.spawn({ ...heard, folder });
  assert.ok(second.process.stdout);
  const log = await text(second.process.stdout);
  assert.equal(await second.end(), 1);
  assert.match(log, /"event":"start_failed"/);
  assert.match(log, /EADDRINUSE/);
}

describe('S17: a unix socket', { timeout }, () => {
  test('that a killed process has left behind does not stop the next start', async (t) => {
    const folder = await leaveBehind(t);
    const next = await start(t, { folder });
    await next.refuses(1);
    next.process.kill('SIGTERM');
    assert.equal(await next.end(), 0);
    assert.equal(statSync(join(folder, 'public.sock'), { throwIfNoEntry: false }), undefined);
  });

  test('behind which a process answers is left to it', async (t) => {
    const first = await start(t);
    await failsToStart(first.folder);
    await first.refuses(1);
    assert.equal(await first.status('admin', '/livez'), 200);
  });

  test('never takes the place of a file that is no socket', async (t) => {
    const folder = await leaveBehind(t);
    const file = join(folder, 'public.sock');
    rmSync(file);
    writeFileSync(file, 'precious');
    await failsToStart(folder);
    assert.equal(readFileSync(file, 'utf8'), 'precious');
  });

  test('that was left behind is taken by one of several that start at one time', async (t) => {
    const folder = await leaveBehind(t);
    const all = [1, 2, 3].map(() => SilentSidecar.spawn({ ...quiet, folder }));
    t.after(() => Promise.all(all.map((one) => one.stop())));
    const ended = new Map<SilentSidecar, unknown>();
    for (const one of all) void one.end().then((code) => ended.set(one, code));
    await until(() => ended.size === all.length - 1, 'all but one have ended', timeout);
    assert.deepEqual([...ended.values()], [1, 1]);
    const left = all.find((one) => !ended.has(one));
    await left?.listens();
    await left?.refuses(1);
  });

  for (const [title, socketMode, mode] of [
    ['is its owner’s alone by default', undefined, 0o600],
    ['has the permissions of socketMode', '0660', 0o660],
  ] as const) {
    test(`${title}, from its first moment on`, async (t) => {
      // Told in the same turn in which the file was made.
      const telling = `
        import { statSync } from 'node:fs';
        import { Server } from 'node:net';
        const { listen } = Server.prototype;
        Server.prototype.listen = function (path, ...args) {
          const result = listen.call(this, path, ...args);
          process.stderr.write((statSync(path).mode & 0o777).toString(8) + ' ');
          return result;
        };`;
      const sidecar = await start(t, {
        stdio: ['ignore', 'ignore', 'pipe'],
        nodeArgs: ['--import', `data:text/javascript,${encodeURIComponent(telling)}`],
        ...(socketMode && { socketMode }),
      });
      for (const name of ['public.sock', 'admin.sock'])
        assert.equal(statSync(join(sidecar.folder, name)).mode & 0o777, mode, name);
      sidecar.process.kill('SIGTERM');
      assert.ok(sidecar.process.stderr);
      assert.equal(await text(sidecar.process.stderr), `${mode.toString(8)} `.repeat(2));
    });
  }
});
