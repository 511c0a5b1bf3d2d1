import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { describe, test } from 'node:test';
import { makeDpopKey } from '../support/dpop.js';
import { Guarded } from '../support/guarded.js';
import { Sidecar, type SidecarOptions, spawnSidecar } from '../support/sidecar.js';
import { handshake, switching } from '../support/websocket.js';

const files = {
  'jwks.json': JSON.stringify({ keys: [{ ...makeDpopKey().jwk, kid: 'k1', alg: 'ES256', use: 'sig' }] }),
};
const config = {
  upstream: 'http://127.0.0.1:9',
  issuers: [{ issuer: 'https://as.test', audience: 'https://api.test', keys: { file: 'jwks.json' } }],
};
const megabyte = 1024 * 1024;

async function refusesToStart(options: Partial<SidecarOptions>, why: RegExp): Promise<void> {
  const { child, folder } = spawnSidecar({ config, files, ...options });
  try {
    assert.equal(await child.end(), 2);
    assert.match(child.text, why);
    assert.ok(!child.events.some(({ event }) => event === 'listening'));
  } finally {
    await child.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('refused at start, exit code 2', () => {
  test('A13, trap Node: NODE_OPTIONS=--insecure-http-parser', () =>
    refusesToStart({ env: { NODE_OPTIONS: '--insecure-http-parser' } }, /--insecure-http-parser/));
  test('A13: --insecure-http-parser among others', () =>
    refusesToStart(
      { env: { NODE_OPTIONS: '--no-deprecation  --insecure-http-parser' } },
      /--insecure-http-parser/,
    ));
  test('A13: --insecure-http-parser on the command line', () =>
    refusesToStart({ nodeArgs: ['--insecure-http-parser'] }, /--insecure-http-parser/));
  test('B09: everybody as a trusted proxy', () =>
    refusesToStart(
      { config: { ...config, listen: { trustedProxies: [{ from: ['0.0.0.0/0'] }] } } },
      /trustedProxies/,
    ));
  test('B17: clear text to a service off loopback', () =>
    refusesToStart({ config: { ...config, upstream: 'http://10.0.0.5' } }, /allowCleartext/));

  test('P12: a key set in a file that can verify nothing, beside another mistake', async () => {
    const [key] = JSON.parse(files['jwks.json']).keys;
    const unfit = { 'jwks.json': JSON.stringify({ keys: [{ ...key, use: 'enc' }] }) };
    const mistaken = { config: { ...config, upstream: 'http://10.0.0.5' }, files: unfit };
    await refusesToStart(
      mistaken,
      /issuers\[0\]\.keys\.file: no usable key in the set; key 0: use is not sig/,
    );
    await refusesToStart(mistaken, /allowCleartext/);
  });

  test('twin: another option of Node', async () => {
    const sidecar = await Sidecar.start({ config, files, env: { NODE_OPTIONS: '--no-deprecation' } });
    await sidecar.ready();
    await sidecar.stop();
    assert.equal(sidecar.child.exitCode, 0);
  });
  test('B09: twin: a range as a trusted proxy', async () => {
    const listen = { trustedProxies: [{ from: ['10.0.0.0/8'] }] };
    const sidecar = await Sidecar.start({ config: { ...config, listen }, files });
    await sidecar.stop();
    assert.equal(sidecar.child.exitCode, 0);
  });
  test('B17: twin: with allowCleartext it starts and warns', async () => {
    const upstream = { url: 'http://10.0.0.5', allowCleartext: true };
    const sidecar = await Sidecar.start({ config: { ...config, upstream }, files });
    const warning = await sidecar.child.event(({ event }) => event === 'config_warning');
    assert.match(String(warning.detail), /clear text/);
    await sidecar.stop();
  });
});

test('S10: a release line without support is warned about, once', async () => {
  const sidecar = await Sidecar.start({ config, files });
  await sidecar.ready();
  await sidecar.stop();
  const warnings = sidecar.child.events.filter(({ event }) => event === 'runtime_out_of_support');
  const isOld = process.versions.node.startsWith('20.');
  assert.equal(warnings.length > 1, false);
  if (isOld) assert.match(String(warnings[0]?.detail), /20\..*2026-04-30/);
});

test('trap H23: neither start nor a request nor a WebSocket makes Node warn', async () => {
  const guarded = await Guarded.start({ config: { routes: [{ path: '/**', websocket: true }] } });
  await guarded.serves();
  guarded.service.script = (seen) => switching(seen);
  const wire = await guarded.open();
  wire.send(guarded.proven({ target: '/ws', headers: handshake }));
  assert.equal((await wire.response()).status, 101);
  wire.close();
  await guarded.stop();
  assert.equal(guarded.sidecar.child.text, '');
});

describe('what it costs', () => {
  // A second, on a machine where Node itself takes 50 ms; a busy one slows both.
  test('start to ready takes less than twenty times what Node takes to do nothing', async (t) => {
    const [ours, bare]: [number[], number[]] = [[], []];
    for (let i = 0; i < 3; i++) {
      const bareStartMs = performance.now();
      spawnSync(process.execPath, ['--eval', '0']);
      bare.push(performance.now() - bareStartMs);
      const startedMs = performance.now();
      const sidecar = await Sidecar.start({ config, files });
      await sidecar.ready();
      ours.push(performance.now() - startedMs);
      await sidecar.stop();
    }
    const rounded = (times: number[]) => times.map(Math.round).join(', ');
    t.diagnostic(`start to ready: ${rounded(ours)} ms; Node alone: ${rounded(bare)} ms`);
    assert.ok(Math.min(...ours) < 20 * Math.min(...bare), `${rounded(ours)} against ${rounded(bare)}`);
  });

  test('memory at rest is less than 120 MB', { skip: process.platform !== 'linux' }, async (t) => {
    const guarded = await Guarded.start();
    await guarded.serves();
    const resident = residentBytes(guarded.sidecar.child.pid);
    t.diagnostic(`resident: ${Math.round(resident / megabyte)} MB`);
    await guarded.stop();
    assert.ok(resident < 120 * megabyte, `${resident} bytes`);
  });
});

function residentBytes(pid: number | undefined): number {
  const match = /VmRSS:\s+([0-9]+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1]) * 1024;
}
