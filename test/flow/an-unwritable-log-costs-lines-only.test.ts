import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { until } from '../support/guarded.js';
import { mainScript } from '../support/sidecar.js';
import { SilentSidecar } from '../support/silent-sidecar.js';

const timeout = 120_000;
let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-output-'));
});
after(() => rmSync(folder, { recursive: true }));

/** A pipe of the file system: its ends are opened and closed apart. */
function makePipe(name: string): string {
  const path = join(folder, name);
  assert.equal(spawnSync('mkfifo', [path]).status, 0);
  return path;
}

function openReader(pipe: string): number {
  return openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
}

/** @returns what waits in a pipe */
function drain(reader: number): string {
  const buffer = Buffer.alloc(64 * 1024);
  let text = '';
  try {
    for (let count = readSync(reader, buffer); count > 0; count = readSync(reader, buffer))
      text += buffer.toString('utf8', 0, count);
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error && error.code === 'EAGAIN');
  }
  return text;
}

async function start(t: TestContext, stdout: number, options: object = {}): Promise<SilentSidecar> {
  const sidecar = await SilentSidecar.start({ stdio: ['ignore', stdout, 'ignore'], ...options });
  t.after(() => sidecar.stop());
  return sidecar;
}

/** Serving goes on, and SIGTERM ends the process as ever. */
async function servesAndStops(sidecar: SilentSidecar): Promise<void> {
  await sidecar.refuses(5);
  assert.equal(await sidecar.status('admin', '/readyz'), 200);
  sidecar.process.kill('SIGTERM');
  assert.equal(await sidecar.end(), 0);
}

const objects = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

describe('S16: serving and ending go on where the log', { timeout }, () => {
  test('is on a full disk: every line is lost and counted', async (t) => {
    const full = openSync('/dev/full', 'w');
    t.after(() => closeSync(full));
    const sidecar = await start(t, full);
    await sidecar.refuses(20);
    await until(async () => (await sidecar.lostLines()) > 20, 'lost lines are counted');
    await servesAndStops(sidecar);
  });

  test('is a file that reaches its limit in the middle of a line, and goes on when there is room', async (t) => {
    const file = join(folder, 'log');
    const log = openSync(file, 'a');
    t.after(() => closeSync(log));
    const limit = 16;
    const sidecar = await start(t, log, { through: ['prlimit', `--fsize=${limit * 1024}`] });
    await sidecar.refuses(limit * 4, `/${'a'.repeat(500)}`);
    // All of them, so that none that is still on its way takes the room that comes.
    const written = () => readFileSync(file, 'utf8').split('aaa"').length - 1;
    await until(
      async () => (await sidecar.lostLines()) + written() >= limit * 4,
      'every line is written, or lost and counted',
    );
    truncateSync(file);
    await sidecar.refuses(1, '/behind');
    await until(() => readFileSync(file, 'utf8').includes('/behind'), 'it writes again');
    const [torn, ...lines] = readFileSync(file, 'utf8').split('\n');
    assert.equal(torn, '', 'what comes first ends the line that was cut off');
    assert.ok(objects(lines.join('\n')).some(({ path }) => path === '/behind'));
    await servesAndStops(sidecar);
  });

  test('has lost its reader, and goes on for the next one', async (t) => {
    const pipe = makePipe('closed');
    const reader = openReader(pipe);
    const writer = openSync(pipe, 'w');
    const sidecar = await start(t, writer);
    closeSync(writer);
    closeSync(reader);
    await sidecar.refuses(3);
    await until(async () => (await sidecar.lostLines()) >= 3, 'lost lines are counted');
    const next = openReader(pipe);
    t.after(() => closeSync(next));
    await sidecar.refuses(1, '/behind');
    let text = '';
    await until(() => {
      text += drain(next);
      return text.includes('/behind') && text.endsWith('\n');
    }, 'it writes again');
    assert.ok(objects(text).some(({ path }) => path === '/behind'));
    await servesAndStops(sidecar);
  });

  test('has a reader that does not read', async (t) => {
    const pipe = makePipe('blocked');
    const reader = openReader(pipe);
    t.after(() => closeSync(reader));
    const writer = openSync(pipe, 'w');
    const sidecar = await start(t, writer);
    closeSync(writer);
    await sidecar.refuses(300, `/${'a'.repeat(500)}`);
    assert.equal(await sidecar.lostLines(), 0, 'what fits is kept');
    await servesAndStops(sidecar);
  });

  test('cannot be written when an error that nobody caught ends the process: exit code 1', async (t) => {
    const full = openSync('/dev/full', 'w');
    t.after(() => closeSync(full));
    const code = "process.on('SIGUSR2', () => { throw new Error('injected') })";
    const sidecar = await start(t, full, {
      nodeArgs: ['--import', `data:text/javascript,${encodeURIComponent(code)}`],
    });
    sidecar.process.kill('SIGUSR2');
    assert.equal(await sidecar.end(), 1);
  });
});

describe('S16: an output', { timeout }, () => {
  /** Runs code with the output of the product as `output`, whose lines go to a pipe. */
  async function withOutput(name: string, code: string, use: (reader: number) => void): Promise<string> {
    const pipe = makePipe(name);
    const reader = openReader(pipe);
    const writer = openSync(pipe, 'w');
    const script = `
      import { Output } from ${JSON.stringify(import.meta.resolve('#holdfast/observability/output.js'))};
      const output = new Output();
      const say = (text) => process.stderr.write(text);
      ${code}`;
    const { stderr, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', writer, 'pipe'],
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
    use(reader);
    closeSync(writer);
    closeSync(reader);
    return stderr;
  }

  test('keeps 16 MiB for a reader that does not read, and loses what comes on top', async () => {
    const said = await withOutput(
      'backlog',
      `const line = 'x'.repeat(1023) + '\\n';
       for (let index = 0; index < 20 * 1024; index++) output.write(line);
       say(output.lostLines + ' ');
       await output.flush();
       say(output.lostLines + ' ');
       process.exit(0);`,
      (reader) => assert.match(drain(reader), /^(x{1023}\n)+/),
    );
    const [kept = 0, ended = 0] = said.split(' ').map(Number);
    assert.ok(kept >= 4 * 1024 - 32 && kept <= 4 * 1024, `${kept} lines lost of 4 MiB too many`);
    assert.ok(ended > 19 * 1024, `${ended} lines lost in all`);
  });

  test('does not wait when everything is written', async () => {
    const said = await withOutput(
      'prompt',
      `output.write('one\\n');
       await output.flush();
       const before = process.hrtime.bigint();
       let turns = 0;
       setImmediate(() => turns++);
       await output.flush();
       say(String(turns));
       process.exit(0);`,
      (reader) => assert.equal(drain(reader), 'one\n'),
    );
    assert.equal(said, '0');
  });
});

describe('S16: a command', { timeout }, () => {
  function run(args: string[], stdio: (number | 'ignore' | 'pipe')[]): { code: number | null; err: string } {
    const { status, stderr } = spawnSync(process.execPath, [mainScript, ...args], {
      stdio: ['ignore', ...stdio],
      encoding: 'utf8',
      timeout,
    });
    return { code: status, err: stderr ?? '' };
  }

  test('that cannot print has failed: exit code 1, and says why', (t) => {
    const full = openSync('/dev/full', 'w');
    t.after(() => closeSync(full));
    const { code, err } = run(['--help'], [full, 'pipe']);
    assert.equal(code, 1);
    assert.match(err, /ENOSPC/);
  });

  test('whose reader has seen enough has not failed', () => {
    const pipe = makePipe('enough');
    const reader = openReader(pipe);
    const writer = openSync(pipe, 'w');
    closeSync(reader);
    assert.deepEqual(run(['--help'], [writer, 'pipe']), { code: 0, err: '' });
    closeSync(writer);
  });

  test('that cannot say what is wrong says it with its exit code', (t) => {
    const full = openSync('/dev/full', 'w');
    t.after(() => closeSync(full));
    for (const command of ['serve', 'check'])
      assert.equal(run([command, '--config', join(folder, 'absent')], ['ignore', full]).code, 2, command);
  });
});
