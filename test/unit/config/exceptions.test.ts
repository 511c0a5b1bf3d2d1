import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { now, Workspace, withOption, withOptions } from './workspace.js';

let workspace: Workspace;
before(async () => {
  workspace = await Workspace.create();
});
after(() => workspace.remove());

const complete = {
  id: 'acme-gateway',
  kind: 'bearer',
  owner: 'payments-platform@example.com',
  reason: 'partner gateway cannot sign proofs before its spring release',
  ticket: 'https://tickets.example.com/PAY-1182',
  created: '2026-11-23',
  expires: '2027-02-28',
  clients: ['acme-gw'],
  routes: ['/orders/**'],
};

const exception = (options: Record<string, unknown> = {}) =>
  withOption('exceptions', [{ ...complete, ...options }]);

test('R01: a complete exception loads', () => {
  const [loaded] = workspace.load(exception({ sources: ['203.0.113.0/24'], maxTokenLifetime: '10m' })).config
    .exceptions;
  const { created: _, expires: __, ...rest } = complete;
  assert.deepEqual(loaded, {
    ...rest,
    issuer: 'https://login.example.com',
    sources: ['203.0.113.0/24'],
    createdAtMs: Date.parse('2026-11-23T00:00:00Z'),
    expiresAtMs: Date.parse('2027-03-01T00:00:00Z'),
    maxTokenLifetimeSeconds: 600,
  });
});

for (const option of Object.keys(complete)) {
  test(`R01: ${option} is mandatory`, () => {
    assert.match(
      workspace.refuseAt(`exceptions[0].${option}`, exception({ [option]: undefined })),
      /^required; /,
    );
    workspace.refuse(exception({ [option]: option === 'clients' || option === 'routes' ? [] : '' }));
  });
}

test('R01: sources and maxTokenLifetime are optional', () => {
  const [loaded] = workspace.load(exception()).config.exceptions;
  assert.deepEqual([loaded?.sources, loaded?.maxTokenLifetimeSeconds], [[], undefined]);
});

test('R01: at most 180 days', () => {
  workspace.load(exception({ expires: '2027-05-22' }));
  assert.match(
    workspace.refuseAt('exceptions[0].expires', exception({ expires: '2027-05-23' })),
    /at most 180 days/,
  );
  workspace.load(exception({ created: '2026-11-23T08:00:00Z', expires: '2027-05-22T08:00:00Z' }));
  workspace.refuseAt(
    'exceptions[0].expires',
    exception({ created: '2026-11-23T08:00:00Z', expires: '2027-05-22T08:00:01Z' }),
  );
});

test('R01: created is neither after expires nor in the future', () => {
  workspace.load(exception({ created: '2026-11-23', expires: '2026-11-23' }));
  workspace.refuseAt('exceptions[0].expires', exception({ created: '2026-11-23', expires: '2026-11-22' }));
  workspace.refuseAt('exceptions[0].created', exception({ created: '2026-11-26', expires: '2027-02-28' }));
});

test('R01: a time of day needs its zone, a date must exist', () => {
  const [loaded] = workspace.load(exception({ expires: '2027-02-28T12:00:00+02:00' })).config.exceptions;
  assert.equal(loaded?.expiresAtMs, Date.parse('2027-02-28T10:00:00Z'));
  for (const expires of [
    '2027-02-30',
    '2027-02-28T12:00:00',
    '28.02.2027',
    'tomorrow',
    '2027-2-28',
    20270228,
  ]) {
    workspace.refuseAt('exceptions[0].expires', exception({ expires }));
  }
});

test('R02: an expired exception is warned about, from its last second on', () => {
  const ends = (ms: number) =>
    exception({ created: '2026-11-01', expires: new Date(ms).toISOString().replace('.000', '') });
  assert.deepEqual(workspace.warnings(ends(now)), ['exceptions[0].expires']);
  assert.deepEqual(workspace.warnings(ends(now + 1000)), []);
});

test('R05: wildcards for clients are refused', () => {
  for (const client of ['*', 'acme-*', ''])
    workspace.refuseAt('exceptions[0].clients[0]', exception({ clients: [client] }));
});

test('R05: routes that name nothing are refused', () => {
  for (const route of ['/**', '/*', '/*/**', 'orders', '/a/**/b', '*']) {
    workspace.refuseAt('exceptions[0].routes[0]', exception({ routes: [route] }));
  }
  workspace.load(exception({ routes: ['/*/orders'] }));
});

test('R01: ids are unique, and fit for a metric label', () => {
  workspace.refuseAt('exceptions[1].id', withOption('exceptions', [complete, complete]));
  workspace.load(withOption('exceptions', [complete, { ...complete, id: 'b' }]));
  for (const id of ['a b', 'ä', 'a'.repeat(65)]) workspace.refuseAt('exceptions[0].id', exception({ id }));
});

test('R01: sources are CIDRs that leave somebody out', () => {
  workspace.load(exception({ sources: ['10.0.0.0/8', '203.0.113.7/32', '2001:db8::/32'] }));
  for (const source of [
    '10.0.0.1',
    '0.0.0.0/0',
    '::/0',
    '10.0.0.0/33',
    '10.0/8',
    '2001:db8::/129',
    'example.com',
    '10.0.0.0/08',
  ]) {
    workspace.refuseAt('exceptions[0].sources[0]', exception({ sources: [source] }));
  }
});

test('R01: other kinds are named as not supported', () => {
  for (const kind of ['shared-secret', 'assertion-audience']) {
    assert.match(
      workspace.refuseAt('exceptions[0].kind', exception({ kind })),
      /not supported by this version/,
    );
  }
});

test('R05: an exception for paths that no guarded route takes is warned about', () => {
  const check = (path: string, proof: string) =>
    workspace.warnings(withOptions({ exceptions: [complete], routes: [{ path, proof }] }));
  assert.deepEqual(check('/other/**', 'any'), ['exceptions[0].routes[0]']);
  assert.deepEqual(check('/orders/**', 'none'), ['exceptions[0].routes[0]']);
  assert.deepEqual(check('/orders/**', 'any'), []);
  assert.deepEqual(check('/orders/today', 'any'), []);
});
