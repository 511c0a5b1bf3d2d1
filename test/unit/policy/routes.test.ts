import assert from 'node:assert/strict';
import test from 'node:test';
import type { RouteOptions } from '#holdfast/policy/route-options.js';
import { RouteTable } from '#holdfast/policy/routes.js';
import { denied } from '../../support/denied.js';
import { makeFacts } from '../../support/facts.js';
import { makeRoute } from '../../support/routes.js';

const open = makeRoute('/public/**', { proof: 'none' });
const guarded = makeRoute('/admin/**', { proof: 'both' });
const rest = makeRoute('/**', { proof: 'none' });
const match = (routes: RouteOptions[], target: string, method = 'GET', headers: string[] = []) =>
  new RouteTable(routes).match(makeFacts({ method, target, headers }));

test('S06: the first path that matches wins', () => {
  assert.equal(match([guarded, rest], '/admin/x'), guarded);
  assert.equal(match([guarded, rest], '/x'), rest);
  assert.equal(match([rest, guarded], '/admin/x'), rest);
});

test('S06: what no route names is 404', () => {
  assert.equal(denied(() => match([guarded, open], '/x'), 'route_not_found').entry.status, 404);
  denied(() => match([], '/'), 'route_not_found');
});

test('A20: a method that the path does not list is refused, not handed to a weaker route', () => {
  const read = makeRoute('/admin/**', { methods: ['GET', 'TRACE'] });
  const write = makeRoute('/admin/**', { methods: ['POST'] });
  const { allow } = denied(() => match([read, write, rest], '/admin/x', 'DELETE'), 'method_not_allowed');
  assert.deepEqual(allow, ['GET', 'POST']);
  assert.equal(match([read, write, rest], '/admin/x', 'POST'), write);
  assert.equal(match([read, rest], '/x', 'DELETE'), rest);
});

test('A20: methods are compared with their letter case', () => {
  denied(() => match([makeRoute('/**', { methods: ['GET'] })], '/', 'get'), 'method_not_allowed');
});

test('N03, N08: a path that may be read as one of a stricter route is refused', () => {
  for (const target of [
    '/public/%252e%252e/admin',
    '/;x/admin',
    '/Admin/x',
    '/ADMIN',
    '/admin;x/y',
    '/admin%3Bx',
    '/admin%5Cx',
    '/admin%252Fx',
    '/%2561dmin',
    '/admin%3Fx',
    '/admin%23x',
    '/x;y/z',
    '/x%5Cy',
    '/x%3Fadmin',
  ]) {
    denied(() => match([open, guarded, rest], target), 'path_ambiguous');
  }
  for (const target of ['/public//x', '/public/a;b', '/Public2/x', '/x/a;b', '/x/a%5Cb', '/x//y']) {
    assert.equal(match([open, guarded, rest], target).proof, 'none', target);
  }
});

test('N04: a trailing slash leads to no other route', () => {
  const exact = makeRoute('/admin', { proof: 'both' });
  denied(() => match([exact, rest], '/admin/'), 'path_ambiguous');
  denied(() => match([exact, rest], '/admin//'), 'path_ambiguous');
  assert.equal(match([exact, rest], '/admin'), exact);
  assert.equal(match([exact, rest], '/other/'), rest);
});

test('N04: a route that ends on a slash can be reached, unless its path without it is a stricter one', () => {
  const slashed = makeRoute('/orders/');
  assert.equal(match([slashed], '/orders/'), slashed);
  assert.equal(match([slashed, guarded], '/orders/'), slashed);
  denied(() => match([slashed], '/orders'), 'route_not_found');
  assert.equal(match([slashed, rest], '/orders/'), slashed, 'whoever drops the slash demands less');
  denied(() => match([slashed, makeRoute('/**', { proof: 'both' })], '/orders/'), 'path_ambiguous');
  denied(() => match([slashed, makeRoute('/ORDERS', { proof: 'both' })], '/orders/'), 'path_ambiguous');
});

test('N03: what no route names cannot be reached as another reading of what one does', () => {
  const one = makeRoute('/public/*', { proof: 'none' });
  denied(() => match([one], '/public/a%5Cb'), 'path_ambiguous');
  denied(() => match([one], '/public/%252Fb'), 'path_ambiguous');
  assert.equal(match([one], '/public/a;b'), one);
});

test('N03: an encoded slash is refused unless the route declares it a character', () => {
  const pass = makeRoute('/files/*', { encodedSlashes: 'pass' });
  denied(() => match([makeRoute('/files/*')], '/files/a%2Fb'), 'path_ambiguous');
  assert.equal(match([pass], '/files/a%2Fb'), pass);
  assert.equal(match([pass, guarded], '/files/a%2fb'), pass);
  denied(() => match([pass], '/files/a%2F..%2Fb'), 'path_ambiguous');
  denied(() => match([pass, guarded, rest], '/admin%2Fx'), 'path_ambiguous');
});

test('N03: the declaration counts for the route that decides, not for its neighbour with another method', () => {
  const read = makeRoute('/files/*', { methods: ['GET'], encodedSlashes: 'pass' });
  const write = makeRoute('/files/*', { methods: ['PUT'] });
  assert.equal(match([read, write], '/files/a%2Fb', 'GET'), read);
  denied(() => match([read, write], '/files/a%2Fb', 'PUT'), 'path_ambiguous');
});

test('N02: a route with an encoded literal can be reached', () => {
  const cafe = makeRoute('/caf%C3%A9/my%20files/**', { proof: 'dpop' });
  assert.equal(match([cafe, rest], '/caf%c3%a9/my%20files/x'), cafe);
  denied(() => match([cafe, rest], '/caf%25C3%25A9/my%20files/x'), 'path_ambiguous');
});

test('A20: a preflight is found where a route of the path forwards those', () => {
  const asked = ['Origin', 'https://app.example', 'Access-Control-Request-Method', 'PUT'];
  const forwards = makeRoute('/api/**', { methods: ['PUT'], preflight: 'forward' });
  assert.equal(match([forwards], '/api/x', 'OPTIONS', asked), forwards);
  denied(() => match([forwards], '/api/x', 'OPTIONS'), 'method_not_allowed');
  denied(
    () => match([makeRoute('/api/**', { methods: ['PUT'] })], '/api/x', 'OPTIONS', asked),
    'method_not_allowed',
  );
});

/** ATTACKS A: each was accepted on the weaker route, and served as the protected path by somebody. */
const protectedPaths: readonly [route: string, target: string][] = [
  ['/admin/**', '/https://x/admin/y'],
  ['/admin/**', '/https:/x/admin/y'],
  ['/bank/**', '/ban%E2%84%AA/x'],
  ['/admin/**', '/adm%C4%B1n/x'],
  ['/key/**', '/ke%C5%BF/1'],
  ['/keys/1', '/key%C5%BF/1'],
  ['/caf%C3%A9/**', '/CAF%C3%89/x'],
  ['/caf%C3%A9/**', '/cafe/x'],
  ['/admin/**', '/index.php/admin/users'],
  ['/admin/**', '/app/index.php/admin/users'],
  ['/app/admin/**', '/app/index.php/admin/users'],
  ['/export.php', '/export.php/x'],
  ['/export.php', '/EXPORT.PHP/x'],
  ['/admin/export', '/admin/export.json'],
  ['/admin/export', '/admin/export.x'],
  ['/admin/export', '/admin/export.'],
  ['/admin/**', '/admin.json'],
  ['/admin/**', '/admin%20/x'],
  ['/admin/**', '/%20admin/x'],
  ['/admin/export', '/admin/export%20'],
  ['/admin/**', '/admin+/x'],
  ['/transfers', '/transfers;/x'],
  ['/admin/**', '/admin./x'],
  ['/admin/**', '/admin::$INDEX_ALLOCATION/x'],
  ['/admin/**', '/ADMIN~1/x'],
  ['/administration/**', '/AD1A2B~3/x'],
  ['/admin/**', '/%25252561dmin/x'],
  ['/admin/**', '/(S(abc))/admin/x'],
  ['/api/admin/**', '/api/(S(abc))/admin/x'],
  ['/admin/**', '/public/index.p%2568p/admin/x'],
  ['/admin/**', '/public/index.php;v=1/admin/x'],
  ['/admin', '/https%3A/evil/admin'],
  ['/admin', '/admin.json/;'],
  ['/admin', '/admin/index.php'],
  ['/', '/index.php/'],
  ['/api/admin/**', '/api/%28S(abc)%29/admin/x'],
];

for (const [path, target] of protectedPaths) {
  test(`N08: ${target} does not pass beside ${path}`, () => {
    const strict = makeRoute(path, { proof: 'dpop' });
    denied(() => match([strict, rest], target), 'path_ambiguous');
    // The same where the difference lies in what is demanded of a token.
    const open = makeRoute('/**', { proof: 'dpop' });
    denied(() => match([makeRoute(path, { proof: 'dpop', scopes: ['a'] }), open], target), 'path_ambiguous');
    const alike = makeRoute('/**', { proof: 'dpop' });
    assert.equal(match([strict, alike], target), alike, 'nothing is gained where the demands are the same');
  });
}

test('N08: what is plain where the stricter route has its literal passes, however it goes on', () => {
  for (const target of [
    '/',
    '/files/caf%C3%A9',
    '/files/a%20b.pdf',
    '/v1.2/x',
    '/x:batch',
    '/~user/x',
    '/index.php/public',
    '/files/a;v=1',
    '/administrator/x',
    '/Products(1)',
    "/Orders('a')/x",
  ])
    assert.equal(match([guarded, rest], target), rest, target);
});

test('N08: a root path is served in whatever order its routes stand', () => {
  const root = makeRoute('/', { proof: 'dpop' });
  assert.equal(match([root, rest], '/'), root);
  assert.equal(match([rest, root], '/'), rest);
  assert.equal(match([guarded, root], '/'), root);
});

test('N08: the refusal names both routes', () => {
  const { detail } = denied(() => match([guarded, rest], '/%20admin/x'), 'path_ambiguous');
  assert.match(detail ?? '', /\/\*\* is weaker than \/admin\/\*\*/);
});

test('N08: a method that the stricter path refuses is not had through a weaker one', () => {
  const read = makeRoute('/admin/**', { methods: ['GET'], proof: 'none' });
  denied(() => match([read, rest], '/%20admin/x', 'POST'), 'path_ambiguous');
  denied(() => match([read, rest], '/%20admin/x', 'GET'), 'path_ambiguous');
  const reads = makeRoute('/**', { methods: ['GET'], proof: 'none' });
  assert.equal(match([read, reads], '/%20admin/x', 'GET'), reads);
});

test('N08: slashes in their fullwidth form shift the depth, other characters of that width do not', () => {
  const acl = makeRoute('/files/*/acl', { proof: 'dpop' });
  denied(() => match([acl, rest], '/files/a%EF%BC%8Fb'), 'path_ambiguous');
  assert.equal(match([acl, rest], '/files/a%EF%BC%A1b'), rest);
});
