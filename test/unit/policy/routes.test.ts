import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Denial } from '#holdfast/denial/denial.js';
import { type RouteOptions, RouteTable } from '#holdfast/policy/routes.js';
import { parseTarget } from '#holdfast/request/target.js';
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

test('N03: a path that another reading gives to another route is refused', () => {
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
  ]) {
    denied(() => match([open, guarded, rest], target), 'path_ambiguous');
  }
  for (const target of ['/x;y/z', '/x%5Cy', '/public//x', '/public/a;b', '/Public2/x', '/x%3Fadmin']) {
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

test('N04: a route that ends on a slash can be reached, unless its path without it is another route', () => {
  const slashed = makeRoute('/orders/');
  assert.equal(match([slashed], '/orders/'), slashed);
  assert.equal(match([slashed, guarded], '/orders/'), slashed);
  denied(() => match([slashed], '/orders'), 'route_not_found');
  denied(() => match([slashed, rest], '/orders/'), 'path_ambiguous');
  denied(() => match([slashed, makeRoute('/ORDERS')], '/orders/'), 'path_ambiguous');
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

test('N03: a path that is long and can be read in other ways is refused unread, a plain one is not', () => {
  const table = new RouteTable([guarded, rest]);
  const facts = (target: string) => makeFacts({ target });
  denied(() => table.match(facts(`/a${'//x'.repeat(200)}`)), 'path_ambiguous');
  assert.equal(table.match(facts(`/a${'//x'.repeat(100)}`)), rest);
  assert.equal(table.match(facts(`/${'a/x'.repeat(700)}`)), rest);
  assert.equal(table.match(facts(`/${'%D0%AF'.repeat(700)}`)), rest, 'octets that are no ASCII hide nothing');
});

/** A service’s own way of reading a path, as servers and frameworks are known to do it. */
interface Reader {
  readonly stripsFirst: boolean;
  readonly decodes: 0 | 1 | 2;
  readonly backslashes: boolean;
  readonly stripsLast: boolean;
  readonly cuts: boolean;
  readonly merges: boolean;
  readonly folds: boolean;
  readonly trims: boolean;
}

function read(path: string, reader: Reader): string {
  const strip = (text: string) =>
    text
      .split('/')
      .map((part) => part.split(';', 1)[0])
      .join('/');
  const decode = (text: string) =>
    text.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  let seen = reader.stripsFirst ? strip(path) : path;
  for (let i = 0; i < reader.decodes; i++) seen = decode(seen);
  if (reader.backslashes) seen = seen.replaceAll('\\', '/');
  if (reader.cuts) seen = seen.split(/[?#]/, 1)[0] ?? '';
  if (reader.stripsLast) seen = strip(seen);
  if (reader.merges) seen = seen.replace(/\/+/g, '/');
  seen = resolveDots(seen);
  if (reader.trims && seen.length > 1 && seen.endsWith('/')) seen = seen.slice(0, -1);
  return reader.folds ? seen.toLowerCase() : seen;
}

function resolveDots(path: string): string {
  const kept: string[] = [];
  for (const part of path.split('/').slice(1)) {
    if (part === '..') kept.pop();
    else if (part !== '.') kept.push(part);
  }
  return `/${kept.join('/')}`;
}

/** Which route the operator meant for the path that the service acts on; written without regular expressions. */
function meant(routes: readonly RouteOptions[], path: string, folds: boolean): RouteOptions | undefined {
  return routes.find((route) => {
    const pattern = (folds ? route.path.toLowerCase() : route.path).split('/').slice(1);
    const parts = path.split('/').slice(1);
    const rest = pattern.at(-1) === '**';
    const fixed = rest ? pattern.slice(0, -1) : pattern;
    if (rest ? parts.length < fixed.length : parts.length !== fixed.length) return false;
    return fixed.every((part, i) => (part === '*' ? parts[i] !== '' : part === parts[i]));
  });
}

const policies: RouteOptions[][] = [
  [open, guarded],
  [open, guarded, rest],
  [guarded, rest],
  [makeRoute('/admin', { proof: 'both' }), makeRoute('/*/x', { proof: 'dpop' }), rest],
  [makeRoute('/public/admin/**', { proof: 'both' }), open, makeRoute('/Admin/**', { proof: 'dpop' })],
];

const hostilePath = fc
  .array(
    fc.constantFrom(
      ...[
        'public',
        'admin',
        'Admin',
        'ADMIN',
        'x',
        '',
        '.',
        '..',
        '%2e',
        '%2E%2e',
        '%252e%252e',
        '..;x',
        ';x',
        ';',
        'admin;x',
        ';p%5Cq',
      ],
      ...[
        '%2F',
        '%2f..',
        '%5C',
        '%5c..%5C',
        'public%2Fadmin',
        'admin%5Cx',
        '%61dmin',
        '%2561dmin',
        'admin%3Bx',
        'admin%3Fx',
        'admin%23',
        '%252Fadmin',
        '%25252e',
        '%C0%AE',
      ],
    ),
    { minLength: 1, maxLength: 5 },
  )
  .chain((parts) => fc.constantFrom('/', '//', '').map((joint) => `/${parts.join(joint)}`));

test('B06: what is let through is decided as if on the path that the service reads, however it reads', () => {
  const reader: fc.Arbitrary<Reader> = fc.record({
    stripsFirst: fc.boolean(),
    decodes: fc.constantFrom(0, 1, 2),
    backslashes: fc.boolean(),
    stripsLast: fc.boolean(),
    cuts: fc.boolean(),
    merges: fc.boolean(),
    folds: fc.boolean(),
    trims: fc.boolean(),
  });
  let decided = 0;
  fc.assert(
    fc.property(fc.constantFrom(...policies), hostilePath, reader, (routes, path, how) => {
      let route: RouteOptions;
      try {
        route = new RouteTable(routes).match({ ...makeFacts(), target: parseTarget(path, 8192) });
      } catch (error) {
        assert.ok(error instanceof Denial);
        return;
      }
      decided++;
      const seen = read(path, how);
      assert.equal(meant(routes, seen, how.folds)?.path, route.path, `${path} is ${seen} to the service`);
    }),
    { numRuns: 5000 },
  );
  assert.ok(decided > 500, `${decided} of 5000 paths were let through: enough to mean something`);
});
