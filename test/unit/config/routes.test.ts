import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Workspace, withOption, withOptions } from './workspace.js';

let workspace: Workspace;
before(async () => {
  workspace = await Workspace.create();
});
after(() => workspace.remove());

const routes = (...list: Record<string, unknown>[]) => withOption('routes', list);

test('S06: a route without proof demands any', () => {
  assert.equal(workspace.load(routes({ path: '/a' })).config.routes[0]?.proof, 'any');
});

test('S06: no routes are one route that demands proof everywhere', () => {
  const [route, ...rest] = workspace.load(routes()).config.routes;
  assert.deepEqual([route?.path, route?.proof, rest], ['/**', 'any', []]);
});

test('DESIGN 2: everything a route can say', () => {
  const route = {
    path: '/orders/*/items/**',
    methods: ['GET', 'M-SEARCH'],
    proof: 'both',
    issuers: ['https://login.example.com'],
    audience: ['https://orders.example.com'],
    scopes: ['orders:read'],
    claims: { tenant: ['x', 1, true] },
    clients: ['c'],
    websocket: true,
    encodedSlashes: 'pass',
    preflight: 'forward',
  };
  assert.deepEqual(workspace.load(routes(route)).config.routes[0], {
    ...route,
    claims: new Map([['tenant', ['x', 1, true]]]),
  });
});

test('A23: a WebSocket is opened by GET, and on a public route by any web page', () => {
  const post = routes({ path: '/a', methods: ['POST'], websocket: true });
  assert.match(workspace.refuseAt('routes[0].websocket', post), /GET/);
  assert.deepEqual(workspace.warnings(routes({ path: '/a', methods: ['GET'], websocket: true })), []);
  assert.equal(workspace.warnings(routes({ path: '/a', websocket: true, proof: 'none' })).length, 1);
});

for (const path of [
  'orders',
  '',
  '/a/**/b',
  '/a*',
  '/a/**b',
  '/../a',
  '/a/./b',
  '/a?b',
  '/a#b',
  '/a\\b',
  '/ä',
  '/a%2',
  '/a b',
]) {
  test(`DESIGN 2: ${JSON.stringify(path)} is no path pattern`, () => {
    workspace.refuseAt('routes[0].path', routes({ path }));
  });
}

for (const path of ['/', '/**', '/*', '/a/', '/a/*/**', '/a;v=1', '/%7Euser', '/a.b', '/...']) {
  test(`DESIGN 2: ${path} is a path pattern`, () => {
    workspace.load(routes({ path }));
  });
}

for (const method of ['TRACE', 'CONNECT', 'get', '', '*']) {
  test(`A20: ${JSON.stringify(method)} is no method of a route`, () => {
    workspace.refuseAt('routes[0].methods[0]', routes({ path: '/a', methods: [method] }));
  });
}

for (const demand of [
  { scopes: ['a'] },
  { claims: { a: ['b'] } },
  { clients: ['a'] },
  { audience: ['https://orders.example.com'] },
  { issuers: ['https://login.example.com'] },
]) {
  const [option = ''] = Object.keys(demand);
  test(`S06: ${option} on a public route cannot be enforced`, () => {
    workspace.refuseAt(`routes[0].${option}`, routes({ path: '/a', proof: 'none', ...demand }));
    workspace.load(routes({ path: '/a', proof: 'any', ...demand }));
  });
}

test('S06: a path and method that are listed twice are a problem', () => {
  workspace.refuseAt('routes[1]', routes({ path: '/a' }, { path: '/a', methods: ['GET'] }));
  workspace.refuseAt(
    'routes[2]',
    routes({ path: '/a', methods: ['GET'] }, { path: '/b' }, { path: '/a', methods: ['PUT', 'GET'] }),
  );
  assert.deepEqual(
    workspace.warnings(routes({ path: '/a', methods: ['GET'] }, { path: '/a', methods: ['PUT'] })),
    [],
  );
});

const unreachable = [
  ['/**', '/a'],
  ['/a/**', '/a'],
  ['/a/**', '/a/b/**'],
  ['/a/*', '/a/b'],
  ['/*/**', '/a/*/c'],
];
for (const [first = '', second = ''] of unreachable) {
  test(`S06: ${second} after ${first} is warned about`, () => {
    assert.deepEqual(workspace.warnings(routes({ path: first }, { path: second })), ['routes[1]']);
    assert.deepEqual(workspace.warnings(routes({ path: second }, { path: first })), []);
  });
}

for (const [first = '', second = ''] of [
  ['/a', '/b'],
  ['/a/*', '/a/**'],
  ['/a/*', '/a/b/c'],
  ['/a/*', '/a/'],
  ['/a', '/a/'],
  ['/a', '/A'],
]) {
  test(`S06: ${second} after ${first} can match`, () => {
    assert.deepEqual(workspace.warnings(routes({ path: first }, { path: second })), []);
  });
}

test('N02: two spellings of one path are one path', () => {
  assert.deepEqual(workspace.warnings(routes({ path: '/%7Ea' }, { path: '/~a' })), ['routes[1]']);
  assert.deepEqual(workspace.warnings(routes({ path: '/%2Fa' }, { path: '/a' })), []);
});

test('S06: a protected prefix followed by a broader, weaker route is warned about', () => {
  const strict = { path: '/orders/admin/**', proof: 'both' };
  for (const proof of ['dpop', 'mtls', 'any', 'none']) {
    assert.deepEqual(workspace.warnings(routes(strict, { path: '/orders/**', proof })), ['routes[1]']);
  }
  assert.deepEqual(workspace.warnings(routes(strict, { path: '/orders/**', proof: 'both' })), []);
  assert.deepEqual(workspace.warnings(routes(strict, { path: '/other/**', proof: 'none' })), []);
  assert.deepEqual(
    workspace.warnings(
      routes({ path: '/orders/public', proof: 'none' }, { path: '/orders/**', proof: 'any' }),
    ),
    [],
  );
});

test('J01: certificates that no client can present are not demanded', () => {
  for (const proof of ['mtls', 'both']) {
    const route = [{ path: '/a', proof }];
    workspace.refuseAt(
      'routes[0].proof',
      withOptions({ listen: { tls: null, address: 'unix:/a' }, routes: route }),
    );
    workspace.refuseAt(
      'routes[0].proof',
      withOptions({ listen: { tls: { clientCertificates: { mode: 'off' } } }, routes: route }),
    );
    workspace.load(withOptions({ routes: route }));
  }
});
