import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Denial } from '#holdfast/denial/denial.js';
import type { RouteOptions } from '#holdfast/policy/route-options.js';
import { RouteTable } from '#holdfast/policy/routes.js';
import { parseTarget } from '#holdfast/request/target.js';
import { makeFacts } from '../support/facts.js';
import { makeRoute } from '../support/routes.js';

/** A service's own way of reading a path, as servers and frameworks are known to do it. */
interface Reader {
  readonly stripsFirst: boolean;
  readonly decodes: 0 | 1 | 2 | 3;
  readonly backslashes: boolean;
  readonly stripsLast: boolean;
  readonly cuts: 'nothing' | 'query' | 'semicolon';
  readonly merges: boolean;
  readonly folds: 'nothing' | 'case' | 'unicode';
  readonly trims: 'nothing' | 'slash' | 'space' | 'windows';
  readonly suffixes: boolean;
  readonly front: 'nothing' | 'script' | 'path info' | 'authority' | 'session';
}

function read(path: string, reader: Reader): string {
  const strip = (text: string) => text.replace(/;[^/]*/g, '');
  let seen = reader.stripsFirst ? strip(path) : path;
  for (let i = 0; i < reader.decodes; i++) seen = decode(seen);
  if (reader.backslashes) seen = seen.replaceAll('\\', '/');
  if (reader.cuts === 'query') seen = seen.split(/[?#]/, 1)[0] ?? '';
  if (reader.cuts === 'semicolon') seen = seen.split(';', 1)[0] ?? '';
  if (reader.stripsLast) seen = strip(seen);
  if (reader.merges) seen = seen.replace(/\/+/g, '/');
  seen = resolveDots(cutFront(seen, reader.front));
  seen = trim(seen, reader.trims);
  if (reader.suffixes) seen = seen.replace(/(?<=[^/])\.[^/.]*$/, '');
  return fold(seen, reader.folds) || '/';
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
}

function cutFront(path: string, how: Reader['front']): string {
  if (how === 'script') return path.replace(/(\.php)\/.*$/is, '$1');
  if (how === 'path info') return path.replace(/^(?:\/[^/]*)*?\.php(?=\/)/i, '');
  if (how === 'authority') return path.replace(/^\/?https?:\/*[^/]*(?=\/)/i, '');
  if (how === 'session') return path.replace(/\/\(S\([^)]*\)\)(?=\/|$)/g, '');
  return path;
}

function trim(path: string, how: Reader['trims']): string {
  const each = (change: (text: string) => string) => path.split('/').map(change).join('/');
  if (how === 'slash') return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
  if (how === 'space') return each((text) => text.trim());
  if (how === 'windows') return each((text) => text.replace(/:.*$/s, '').replace(/[. ]+$/, ''));
  return path;
}

function fold(path: string, how: Reader['folds']): string {
  if (how === 'nothing') return path;
  if (how === 'case') return path.toLowerCase();
  return path.normalize('NFKD').replace(/\p{M}/gu, '').toUpperCase().toLowerCase().replaceAll('ı', 'i');
}

function resolveDots(path: string): string {
  const kept: string[] = [];
  for (const part of path.split('/').slice(1)) {
    if (part === '..') kept.pop();
    else if (part !== '.') kept.push(part);
  }
  return `/${kept.join('/')}`;
}

/** Which path the operator meant for what the service acts on; written without regular expressions. */
function meant(
  routes: readonly RouteOptions[],
  path: string,
  { folds, decodes }: Reader,
): string | undefined {
  return routes.find((route) => {
    const pattern = fold(decodes === 0 ? route.path : decode(route.path), folds)
      .split('/')
      .slice(1);
    const parts = path.split('/').slice(1);
    const rest = pattern.at(-1) === '**';
    const fixed = rest ? pattern.slice(0, -1) : pattern;
    if (rest ? parts.length < fixed.length : parts.length !== fixed.length) return false;
    return fixed.every((part, i) => (part === '*' ? parts[i] !== '' : part === parts[i]));
  })?.path;
}

interface Caller {
  readonly proven: readonly ('dpop' | 'mtls')[];
  readonly issuer: string;
  readonly audience: string;
  readonly client: string;
  readonly scopes: readonly string[];
  readonly role: string;
}

const callers: readonly (Caller | undefined)[] = [
  undefined, // without a token
  ...[[], ['dpop'], ['mtls'], ['dpop', 'mtls']].flatMap((proven) =>
    ['A', 'B'].flatMap((issuer) =>
      ['x', 'y'].flatMap((audience) =>
        ['c', 'd'].flatMap((client) =>
          [[], ['r'], ['w'], ['r', 'w']].flatMap((scopes) =>
            ['user', 'boss'].map(
              (role) => ({ proven, issuer, audience, client, scopes, role }) as unknown as Caller,
            ),
          ),
        ),
      ),
    ),
  ),
];

/** What a route is there to decide, in the words of the reference; not how the product compares routes. */
function admits(route: RouteOptions, caller: Caller | undefined): boolean {
  if (route.proof === 'none') return true;
  if (caller === undefined) return false;
  const has = (list: readonly string[], value: string) => list.length === 0 || list.includes(value);
  const proves = {
    any: caller.proven.length > 0,
    dpop: caller.proven.includes('dpop'),
    mtls: caller.proven.includes('mtls'),
    both: caller.proven.length === 2,
  }[route.proof];
  return (
    proves &&
    has(route.issuers, caller.issuer) &&
    has(route.audience, caller.audience) &&
    has(route.clients, caller.client) &&
    route.scopes.every((scope) => caller.scopes.includes(scope)) &&
    (route.claims.get('role') ?? [caller.role]).includes(caller.role)
  );
}

/** Callers who get in by the route that the gate chose, and would not on the path that the service acts on. */
function gains(chosen: RouteOptions, routes: readonly RouteOptions[], path: string): boolean {
  const there = routes.filter((route) => route.path === path);
  const demanded = there.find(({ methods }) => methods.length === 0 || methods.includes('GET'));
  return callers.some((caller) => admits(chosen, caller) && !(demanded && admits(demanded, caller)));
}

const some = <T>(...values: T[]) => fc.subarray(values);
const aRoute: fc.Arbitrary<RouteOptions> = fc
  .record({
    literals: fc.array(fc.constantFrom('admin', 'public', 'x', 'export', 'index.php', 'caf%C3%A9', '*'), {
      maxLength: 3,
    }),
    rest: fc.boolean(),
    methods: fc.constantFrom<readonly string[]>([], [], [], ['GET'], ['POST']),
    proof: fc.constantFrom('any', 'dpop', 'mtls', 'both', 'none', 'none'),
    issuers: some('A', 'B'),
    audience: fc.constantFrom<readonly string[]>([], [], ['x'], ['y']),
    clients: fc.constantFrom<readonly string[]>([], [], ['c'], ['c', 'd']),
    scopes: some('r', 'w'),
    role: fc.constantFrom<readonly string[] | undefined>(undefined, undefined, ['boss'], ['user', 'boss']),
  })
  .map(({ literals, rest, proof, methods, role, ...demands }) =>
    makeRoute(`/${[...literals, ...(rest || literals.length === 0 ? ['**'] : [])].join('/')}`, {
      proof,
      methods,
      ...(proof === 'none'
        ? {}
        : { ...demands, claims: new Map(role === undefined ? [] : [['role', role]]) }),
    }),
  );

// A last route for everything makes most paths reach a decision; without one what no route names is at stake.
const policy = fc
  .record({ routes: fc.array(aRoute, { minLength: 1, maxLength: 3 }), last: fc.option(aRoute) })
  .map(({ routes, last }) => [...routes, ...(last === null ? [] : [{ ...last, path: '/**', methods: [] }])]);

const pieces = [
  ...['public', 'admin', 'Admin', 'x', 'export', 'index.php', 'caf%C3%A9', 'CAF%C3%89', 'adm%C4%B1n', ''],
  ...[
    '.',
    '..',
    'https%3A',
    '%28S(x)%29',
    'index.p%2568p',
    'index.php;x',
    '%2e',
    '%252e%252e',
    '..;x',
    ';x',
    ';',
    'admin;x',
    ';p%5Cq',
    '%2F',
    '%2f..',
    '%5C',
    '%5c..%5C',
  ],
  ...[
    'public%2Fadmin',
    'admin%5Cx',
    '%61dmin',
    '%2561dmin',
    '%252561dmin',
    'admin%3Bx',
    'admin%3Fx',
    'admin%23',
  ],
  ...[
    '%252Fadmin',
    '%25252e',
    '%C0%AE',
    'admin.json',
    'export.',
    'admin%20',
    '%20admin',
    '%20',
    'export::$DATA',
  ],
  ...['https:', 'http:evil', '(S(x))', 'INDEX.PHP', 'x.php', 'cafe', 'p%75blic'],
];
const hostilePath = fc
  .array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 5 })
  .chain((parts) => fc.constantFrom('/', '/', '//', '').map((joint) => `/${parts.join(joint)}`));

const reader: fc.Arbitrary<Reader> = fc.record({
  stripsFirst: fc.boolean(),
  decodes: fc.constantFrom(0, 1, 2, 3),
  backslashes: fc.boolean(),
  stripsLast: fc.boolean(),
  cuts: fc.constantFrom('nothing', 'query', 'semicolon'),
  merges: fc.boolean(),
  folds: fc.constantFrom('nothing', 'case', 'unicode'),
  trims: fc.constantFrom('nothing', 'slash', 'space', 'windows'),
  suffixes: fc.boolean(),
  front: fc.constantFrom('nothing', 'nothing', 'script', 'path info', 'authority', 'session'),
});

/** Whether the last segment of a path is a literal of the pattern. */
function isNamed(pattern: string, path: string): boolean {
  const depth = path.split('/').length - 1;
  return fold(decode(pattern), 'case').split('/')[depth] === fold(decode(path), 'case').split('/')[depth];
}

test('N08, B06: nobody gets in who would not, had the path been sent as the service reads it', () => {
  let decided = 0;
  fc.assert(
    fc.property(policy, hostilePath, reader, (routes, path, how) => {
      let chosen: RouteOptions;
      try {
        chosen = new RouteTable(routes).match({ ...makeFacts(), target: parseTarget(path, 8192) });
      } catch (error) {
        assert.ok(error instanceof Denial);
        return;
      }
      decided++;
      const seen = read(path, how);
      // A name that the route has itself is what was meant, whatever its ending looks like.
      if (how.suffixes && isNamed(chosen.path, path)) return;
      const route = meant(routes, seen, how);
      // What a script, or a service behind an authority, makes of the rest of a path that no route names is its own.
      if (route === undefined && how.front !== 'nothing') return;
      assert.ok(
        route !== undefined && !gains(chosen, routes, route),
        `${path} is ${seen} to the service: ${route} instead of ${chosen.path}`,
      );
    }),
    { numRuns: 20_000 },
  );
  assert.ok(decided > 1000, `${decided} paths were let through: enough to mean something`);
});
