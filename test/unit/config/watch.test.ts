import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { FileWatch } from '#holdfast/config/watch.js';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-watch-'));
after(() => rmSync(folder, { recursive: true }));
const one = join(folder, 'one');
const two = join(folder, 'two');
let changes = 0;

beforeEach(() => {
  writeFileSync(one, '1');
  writeFileSync(two, '2');
  changes = 0;
});

/** A watch that looks when it is told to, and has looked once. */
async function watching(): Promise<FileWatch> {
  const watch = new FileWatch({ names: [one, two], onChange: () => changes++ });
  await watch.look();
  assert.equal(changes, 1, 'the first look reports');
  changes = 0;
  return watch;
}

test('S05: content that stays is no change, however often it is written', async () => {
  const watch = await watching();
  writeFileSync(one, '1');
  await watch.look();
  await watch.look();
  assert.equal(changes, 0);
});

test('S05: new content is a change when it is found twice, and only once', async () => {
  const watch = await watching();
  writeFileSync(two, '3');
  await watch.look();
  assert.equal(changes, 0);
  await watch.look();
  assert.equal(changes, 1);
  await watch.look();
  assert.equal(changes, 1);
});

test('S05: content that is still being written is waited for', async () => {
  const watch = await watching();
  for (const text of ['a', 'ab', 'abc']) {
    writeFileSync(one, text);
    await watch.look();
  }
  assert.equal(changes, 0);
  await watch.look();
  assert.equal(changes, 1);
});

test('S05: what goes from one file to the next is a change', async () => {
  const watch = await watching();
  writeFileSync(one, '12');
  writeFileSync(two, '');
  await watch.look();
  await watch.look();
  assert.equal(changes, 1);
});

test('S05: a file that disappears is a change, and so is its return', async () => {
  const watch = await watching();
  unlinkSync(one);
  await watch.look();
  await watch.look();
  assert.equal(changes, 1);
  writeFileSync(one, 'ENOENT');
  await watch.look();
  await watch.look();
  assert.equal(changes, 2);
});

test('S05: a link that leads to another file is a change', async () => {
  const watch = await watching();
  symlinkSync(two, `${one}.new`);
  renameSync(`${one}.new`, one);
  await watch.look();
  await watch.look();
  assert.equal(changes, 1);
});

test('S05: a report takes what there is as known', async () => {
  const watch = await watching();
  writeFileSync(one, '3');
  await watch.report();
  assert.equal(changes, 1);
  await watch.look();
  await watch.look();
  assert.equal(changes, 1);
});

test('S05: it looks by itself until it is stopped', async () => {
  let notify = () => {};
  const next = () =>
    new Promise<void>((resolve) => {
      notify = resolve;
    });
  const watch = new FileWatch({
    names: [one],
    intervalMs: 5,
    settleMs: 1,
    onChange: () => notify(),
  });
  const first = next();
  watch.start();
  // Its timers do not keep a process alive.
  const alive = setInterval(() => {}, 1000);
  await first;
  const second = next();
  writeFileSync(one, 'changed');
  await second;
  watch.stop();
  clearInterval(alive);
  notify = () => assert.fail('after the stop');
  writeFileSync(one, 'again');
  await watch.look();
  await watch.look();
});
