import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { catalogue } from '#holdfast/denial/catalogue.js';
import { faults } from '#holdfast/denial/fault.js';
import { Metrics } from '#holdfast/observability/metrics.js';

let text: string;

before(async () => {
  text = await readFile(join(process.cwd(), 'docs/operations.md'), 'utf8');
});

test('DESIGN 6: the operations page lists every metric with its type, and no other', async () => {
  const metrics = new Metrics({
    configHash: 'hash',
    replay: { size: 0, capacity: 1 },
    issuers: () => [{ issuer: 'https://issuer.example', ageSeconds: 1 }],
    connections: () => [{ listener: 'public', count: 0 }],
    places: () => ({ inFlight: 0, waiting: 0 }),
    exceptions: [{ id: 'one', owner: 'owner', expiresAtMs: 0 }],
    certificates: () => [{ name: 'listener', expiresAtMs: 0 }],
    reload: () => undefined,
    clockOffsetSeconds: () => 0,
    lostLogLines: () => 0,
  });
  const exposed = [...(await metrics.render()).matchAll(/^# TYPE (holdfast_\w+) (\w+)$/gm)];
  const rows = [...text.matchAll(/^\| `(holdfast_\w+)` +\| (\w+) +\|/gm)];
  assert.ok(exposed.length > 10);
  assert.deepEqual(namesAndTypes(rows), namesAndTypes(exposed));
});

test('DESIGN 6: every reason that the operations page points at is one', () => {
  const anchors = [...text.matchAll(/reasons\.md#(\w+)/g)].map(([, anchor]) => anchor);
  // An anchor of a heading is in lower case.
  const known = new Set([...Object.keys(catalogue), ...Object.keys(faults)].map((key) => key.toLowerCase()));
  assert.ok(anchors.length > 10);
  assert.deepEqual(
    anchors.filter((anchor) => anchor === undefined || !known.has(anchor)),
    [],
  );
});

function namesAndTypes(matches: readonly RegExpExecArray[]): string[] {
  return matches.map(([, name, type]) => `${name} ${type}`).toSorted();
}
