import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { until } from '../support/guarded.js';
import { type SilentOptions, SilentSidecar } from '../support/silent-sidecar.js';

const timeout = 120_000;

const preload = (code: string) => ['--import', `data:text/javascript,${encodeURIComponent(code)}`];

/** Sends itself a signal right before it reads its configuration. */
const signalled = (...names: string[]) =>
  preload(`
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const { readFileSync } = fs;
    fs.readFileSync = (name, ...rest) => {
      if (String(name).endsWith('holdfast.yaml'))
        for (const signal of ${JSON.stringify(names)}) process.kill(process.pid, signal);
      return readFileSync(name, ...rest);
    };
    syncBuiltinESMExports();`);

/** Has a thread that the operating system never gives back, as a name server that is silent or a disk that is gone does it. */
const stuck = (pipe: string) =>
  preload(`
    import { openSync, write } from 'node:fs';
    import { execFileSync } from 'node:child_process';
    execFileSync('mkfifo', [${JSON.stringify(pipe)}]);
    write(openSync(${JSON.stringify(pipe)}, 'r+'), Buffer.alloc(1024 * 1024), () => {});`);

function spawn(t: TestContext, options: Partial<SilentOptions>): SilentSidecar {
  const sidecar = SilentSidecar.spawn({ stdio: 'ignore', ...options });
  t.after(() => sidecar.stop());
  return sidecar;
}

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-signals-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

describe('S17: before the configuration is read', { timeout }, () => {
  for (const signal of ['SIGTERM', 'SIGINT'])
    test(`${signal} ends serve, exit code 0`, async (t) => {
      assert.equal(await spawn(t, { nodeArgs: signalled(signal) }).end(), 0);
    });

  test('SIGHUP and SIGUSR1 are ignored', async (t) => {
    const sidecar = spawn(t, { nodeArgs: signalled('SIGHUP', 'SIGUSR1') });
    await sidecar.listens();
    sidecar.process.kill('SIGTERM');
    assert.equal(await sidecar.end(), 0);
  });
});

describe('S17: the end comes for sure', { timeout }, () => {
  test('where the operating system keeps a thread: by SIGKILL', async (t) => {
    const sidecar = spawn(t, { nodeArgs: stuck(join(makeFolder(t), 'pipe')) });
    await sidecar.listens();
    sidecar.process.kill('SIGTERM');
    assert.equal(await sidecar.end(), 'SIGKILL');
  });

  test('where something never closes: 2 s after the grace, exit code 1', async (t) => {
    const open = "import { Server } from 'node:http'; Server.prototype.close = function () { return this; };";
    const sidecar = spawn(t, { nodeArgs: preload(open), config: { shutdown: { grace: '0s' } } });
    await sidecar.listens();
    sidecar.process.kill('SIGTERM');
    assert.equal(await sidecar.end(), 1);
  });
});

/** The command line that makes a program PID 1 of a namespace of its own; undefined where that is not permitted. */
function findNamespace(): string[] | undefined {
  const common = ['--pid', '--fork', '--mount-proc', '--kill-child'];
  return [
    ['unshare', ...common],
    ['unshare', '--user', '--map-root-user', ...common],
  ].find(([command = '', ...args]) => spawnSync(command, [...args, 'true']).status === 0);
}

const namespace = findNamespace();

describe('S17: as PID 1', { timeout, skip: namespace === undefined && 'no namespace permitted' }, () => {
  const through = namespace ?? [];

  /** Sends to the process in the namespace, which is a child of what the test has started. */
  function signal({ process: { pid } }: SilentSidecar, name: NodeJS.Signals): void {
    const child = Number.parseInt(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'), 10);
    assert.ok(child > 1, 'no process'); // 0 would be everybody here
    process.kill(child, name);
  }

  test('SIGTERM ends it, exit code 0', async (t) => {
    const sidecar = spawn(t, { through });
    await sidecar.listens();
    signal(sidecar, 'SIGTERM');
    assert.equal(await sidecar.end(), 0);
  });

  test('SIGTERM before the configuration is read ends it, exit code 0', async (t) => {
    assert.equal(await spawn(t, { through, nodeArgs: signalled('SIGTERM') }).end(), 0);
  });

  test('a second SIGTERM ends it at once', async (t) => {
    // The first one has been heard when readiness fails; what never closes keeps it from ending by itself.
    const open = "import { Server } from 'node:http'; Server.prototype.close = function () { return this; };";
    const sidecar = spawn(t, { through, nodeArgs: preload(open) });
    await sidecar.listens();
    signal(sidecar, 'SIGTERM');
    await until(async () => (await sidecar.status('admin', '/readyz')) === 503, 'readiness fails');
    signal(sidecar, 'SIGTERM');
    assert.equal(await sidecar.end(), 130);
  });

  test('it ends where the operating system keeps a thread', async (t) => {
    const sidecar = spawn(t, { through, nodeArgs: stuck(join(makeFolder(t), 'pipe')) });
    await sidecar.listens();
    signal(sidecar, 'SIGTERM');
    // Of its own SIGKILL it knows nothing; `unshare` passes on the signal or 128 more.
    assert.ok(['SIGSEGV', 'SIGABRT', 139, 134].includes((await sidecar.end()) ?? ''));
  });
});
