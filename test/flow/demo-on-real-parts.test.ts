import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isSuccess } from '../demo/report.js';
import type { Row } from '../demo/scene.js';

const program = fileURLToPath(new URL('../demo/main.js', import.meta.url));

interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The demo in its own process; it bounds its own time. */
function runDemo(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Run> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [program, ...args],
      { env: { ...process.env, ...env } },
      (_, stdout, stderr) => resolve({ exitCode: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

function parseReport(text: string): { ok: boolean; rows: Row[] } {
  return JSON.parse(text) as { ok: boolean; rows: Row[] };
}

test('C01, C07, C10, G11, G18, I01, I11, J01, J02, L01, R01: every scene of the demo comes out as expected, on parts that this project did not write', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));

  const { exitCode, stdout, stderr } = await runDemo(['--json'], { TMPDIR: folder });

  assert.equal(exitCode, 0, `${stdout}\n${stderr}`);
  const { ok, rows } = parseReport(stdout);
  assert.equal(ok, true);
  assert.deepEqual(
    rows.map(({ got }) => got.log),
    [
      'forwarded',
      'bound_token_as_bearer',
      'dpop_key_mismatch',
      'proof_replayed',
      'dpop_htu_mismatch',
      'forwarded',
      'forwarded',
      'certificate_thumbprint_mismatch',
      'certificate_missing',
      'forwarded',
      undefined,
      'credentials_missing',
      undefined,
    ],
  );
  assert.deepEqual(await readdir(folder), [], 'nothing of the run is left');
});

test('the demo fails on one row that came out otherwise, and on no rows at all', () => {
  const row: Row = { request: 'a call', expected: { status: 401 }, got: { status: 401 }, ok: true };
  assert.equal(isSuccess([row]), true);
  assert.equal(isSuccess([row, { ...row, got: { status: 200 }, ok: false }]), false);
  assert.equal(isSuccess([]), false);
});
