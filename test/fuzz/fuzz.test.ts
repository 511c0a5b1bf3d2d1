import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Fuzzer, type FuzzOptions } from './fuzzer.js';
import { answerLeaks, LeakyHop, leaks } from './leaks.js';
import { Violations } from './violations.js';

function start(t: TestContext, options: Partial<FuzzOptions> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const violations = new Violations(folder, 'smoke');
  const run = Fuzzer.run({
    ...{ seed: 'smoke', durationMs: 120_000, maxCases: 64, first: 0, jobs: 16 },
    ...options,
    violations,
  });
  return { run, folder, violations, complaints: () => violations.found.flatMap(({ why }) => why) };
}

test('A12, A18, B06, L01: what generated and mutated requests make of the process is what it says', async (t) => {
  const { run, complaints, folder } = start(t, { maxCases: 400 });
  const { tally } = await run;
  assert.deepEqual(complaints(), []);
  assert.deepEqual(readdirSync(folder), []);
  // Or it would be no wonder.
  const { forwarded } = tally;
  for (const proof of ['none', 'dpop', 'exception', 'mtls', 'dpop+mtls'])
    assert.ok((forwarded[proof] ?? 0) > 0, `none forwarded with ${proof}: ${JSON.stringify(forwarded)}`);
  assert.ok(Object.keys(tally.refused).length > 15, JSON.stringify(tally.refused));
  assert.ok(Object.keys(tally.failed).length > 0);
  assert.ok(tally.tunnelledToService > 0 && tally.tunnelledToClients > 0, JSON.stringify(tally));
});

test('the oracle: a hop that forwards something else is found out, in each of its ways', async (t) => {
  const hops: LeakyHop[] = [];
  t.after(() => Promise.all(hops.map((hop) => hop.stop())));
  const upstream = async (serviceUrl: string) => {
    const hop = await LeakyHop.start(serviceUrl);
    hops.push(hop);
    return hop.url;
  };
  const missing = () =>
    [...leaks, ...answerLeaks].filter(({ complaint }) => !complaints().some((why) => complaint.test(why)));
  const { run, complaints, violations, folder } = start(t, {
    leak: { upstream },
    patienceMs: 3000,
    // Which case meets with which leak is chance.
    maxCases: 4096,
    isEnough: () => missing().length === 0,
  });
  await run;
  assert.deepEqual(missing(), [], complaints().join('\n'));
  const files = readdirSync(folder);
  assert.equal(files.length, violations.count);
  const { seed, why } = JSON.parse(readFileSync(join(folder, 'violation-1.json'), 'utf8'));
  assert.deepEqual({ seed, why }, { seed: 'smoke', why: violations.found[0]?.why });
});

test('the oracle: a gate that lets unproven requests pass is found out', async (t) => {
  const routes = [
    { path: '/dpop/**', proof: 'none' },
    { path: '/mtls/**' },
    { path: '/protected/**', proof: 'any' },
  ];
  await findsOut(t, { config: { routes, exceptions: [] } }, /^proof none passed on \/dpop$/);
});

test('the oracle: a gate that takes a client for that of another issuer is found out', async (t) => {
  const routes = [{ path: '/own/**' }, { path: '/protected/**', proof: 'any' }];
  const config = { routes, exceptions: [] };
  await findsOut(t, { config }, /^shop \(alice\) of https:\/\/other\.test passed on \/own\/\*\*$/);
});

test('the oracle: a gate that believes what anybody says is found out', async (t) => {
  await findsOut(t, { trusted: ['127.0.0.1/32'] }, /^x-forwarded-for is/);
});

async function findsOut(
  t: TestContext,
  leak: NonNullable<FuzzOptions['leak']>,
  complaint: RegExp,
): Promise<void> {
  const isFound = () => complaints().some((why) => complaint.test(why));
  const { run, complaints } = start(t, { leak, patienceMs: 3000, maxCases: 2048, isEnough: isFound });
  await run;
  assert.ok(isFound(), complaints().join('\n'));
}
