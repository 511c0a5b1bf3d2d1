import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ReplayLoadReport } from '../support/replay-load.js';

const program = fileURLToPath(new URL('../support/replay-load.js', import.meta.url));
const megabyte = 1024 * 1024;

async function measure(): Promise<ReplayLoadReport> {
  const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 120_000 });
  return JSON.parse(stdout);
}

// A process of its own, because the memory and the event loop of the test runner tell nothing about the store.
test('I04: a million live proofs take less than 200 MB and never hold up the event loop', {
  timeout: 400_000,
}, async (t) => {
  const report = await measure();
  t.diagnostic(JSON.stringify(report));
  assert.equal(report.claimed, report.entries);
  assert.ok(report.emptyBytes < 10 * megabyte, 'an empty store takes no memory to speak of');
  assert.ok(report.fullBytes < 200 * megabyte, `full: ${report.fullBytes} bytes`);
  assert.ok(report.claimPauseMs < 20, `while claiming: ${report.claimPauseMs} ms`);
  assert.ok(report.releasePauseMs < 20, `while releasing: ${report.releasePauseMs} ms`);
});
