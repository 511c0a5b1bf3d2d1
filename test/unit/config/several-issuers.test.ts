import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Workspace, withOptions } from './workspace.js';

let workspace: Workspace;
before(async () => {
  workspace = await Workspace.create();
});
after(() => workspace.remove());

const a = 'https://a.example.com';
const b = 'https://b.example.com';
const audience = 'https://orders.example.com';
const issuers = [
  { issuer: a, audience: [audience, 'https://admin.example.com'] },
  { issuer: b, audience },
];
const exception = {
  ...{ id: 'acme', kind: 'bearer', owner: 'payments', reason: 'no proofs yet', ticket: 'PAY-1' },
  ...{ created: '2026-11-23', expires: '2027-02-28', clients: ['acme-gw'], routes: ['/orders/**'] },
};
const config = (options: Record<string, unknown>, known: readonly unknown[] = issuers) =>
  withOptions({ issuers: known, ...options });
const route = (options: Record<string, unknown>, known?: readonly unknown[]) =>
  config({ routes: [{ path: '/admin', ...options }, { path: '/**' }] }, known);

for (const demand of [{ clients: ['acme-gw'] }, { claims: { sub: ['root'] } }, { audience: [audience] }]) {
  const [option = ''] = Object.keys(demand);
  test(`D21: with two issuers a route that names ${option} names its issuers`, () => {
    const message = workspace.refuseAt('routes[0].issuers', route(demand));
    assert.match(message, new RegExp(`^required; expected the issuers .*\\b${option}\\b`));
    workspace.refuseAt('routes[0].issuers', route({ ...demand, issuers: [] }));
    workspace.load(route({ ...demand, issuers: [a] }));
    workspace.load(route({ ...demand, issuers: [a, b] }));
    assert.deepEqual(workspace.load(route(demand, issuers.slice(0, 1))).config.routes[0]?.issuers, []);
  });
}

test('D21: scopes alone need no issuers', () => {
  workspace.load(route({ scopes: ['admin'] }));
});

test('D21: with two issuers an exception names its issuer, and with one it is that one', () => {
  assert.match(
    workspace.refuseAt('exceptions[0].issuer', config({ exceptions: [exception] })),
    /^required; /,
  );
  const [named] = workspace.load(config({ exceptions: [{ ...exception, issuer: b }] })).config.exceptions;
  assert.equal(named?.issuer, b);
  const [only] = workspace.load(config({ exceptions: [exception] }, issuers.slice(0, 1))).config.exceptions;
  assert.equal(only?.issuer, a);
});

test('D21: an issuer that is not configured is a problem wherever it is named', () => {
  workspace.refuseAt('routes[0].issuers[1]', route({ issuers: [a, `${b}/`] }));
  workspace.refuseAt('exceptions[0].issuer', config({ exceptions: [{ ...exception, issuer: `${b}/` }] }));
});

test('D21: all problems are told at once', () => {
  const problems = workspace.refuse(
    config({
      routes: [
        { path: '/x', clients: ['c'] },
        { path: '/y', issuers: ['https://c.example.com'] },
        { path: '/**' },
      ],
      exceptions: [exception],
    }),
  );
  assert.deepEqual(problems.map(({ path }) => path).sort(), [
    'exceptions[0].issuer',
    'routes[0].issuers',
    'routes[1].issuers[0]',
  ]);
});

test('D22: an audience that no issuer of the route has can never be met', () => {
  const admin = ['https://admin.example.com'];
  workspace.load(route({ issuers: [a], audience: admin }));
  workspace.load(route({ issuers: [a, b], audience: admin }));
  const message = workspace.refuseAt('routes[0].audience[0]', route({ issuers: [b], audience: admin }));
  assert.match(message, /issuers\[\]\.audience/);
  workspace.refuseAt('routes[0].audience[0]', route({ audience: ['https://x'] }, issuers.slice(0, 1)));
});

test('D21: an issuer whose tokens no route takes is warned about', () => {
  assert.deepEqual(workspace.warnings(config({ routes: [{ path: '/**', issuers: [a] }] })), ['issuers[1]']);
  const admin = { path: '/**', issuers: [a, b], audience: ['https://admin.example.com'] };
  assert.deepEqual(workspace.warnings(config({ routes: [admin] })), ['issuers[1]']);
  assert.deepEqual(workspace.warnings(config({ routes: [{ path: '/**', issuers: [a, b] }] })), []);
});

test('D21: an exception on routes that take no token of its issuer is warned about', () => {
  const routes = [
    { path: '/orders/**', issuers: [a] },
    { path: '/**', issuers: [b] },
  ];
  const check = (issuer: string) =>
    workspace.warnings(config({ routes, exceptions: [{ ...exception, issuer, routes: ['/orders/old'] }] }));
  // The second route is broader and takes other tokens, of which its own warning tells.
  assert.deepEqual(check(a), ['routes[1]']);
  // The pattern lies within the broader route too, which the path of the first never gets to.
  assert.deepEqual(check(b), ['routes[1]']);
  assert.deepEqual(
    workspace.warnings(
      config({
        routes: [routes[0], { path: '/b/**', issuers: [b] }],
        exceptions: [{ ...exception, issuer: b }],
      }),
    ),
    ['exceptions[0].routes[0]'],
  );
});

test('D21: a service that is told names without their issuer is warned about', () => {
  const check = (headers: Record<string, string>, known?: readonly unknown[]) =>
    workspace.warnings(config({ identity: { headers: { 'X-Auth-Proof': '$proof', ...headers } } }, known));
  for (const source of ['$client', '$user', 'sub', 'client_id']) {
    assert.deepEqual(check({ 'X-Who': source }), ['identity.headers'], source);
    assert.deepEqual(check({ 'X-Who': source, 'X-Whose': '$issuer' }), []);
    assert.deepEqual(check({ 'X-Who': source }, issuers.slice(0, 1)), []);
  }
  assert.deepEqual(check({ 'X-Who': 'scope' }), []);
});
