import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import test from 'node:test';

/**
 * The order of the rooms, lowest first. A room may import from rooms on lower rows only: not from its own row, so that
 * token and proof do not know each other, and never upwards.
 */
const order: readonly (readonly string[])[] = [
  ['support', 'denial'],
  ['jws'],
  ['pki'],
  ['request'],
  ['token', 'proof'],
  ['binding'],
  ['policy'],
  ['gate'],
  ['reply', 'forward', 'observability', 'admin'],
  ['listener'],
  ['app'],
  ['cli'],
  ['main'],
];

/** The configuration stands beside the order: it knows the words and the rules of these rooms, and few know it. */
const configMayImport: readonly string[] = ['support', 'denial', 'jws', 'pki', 'request', 'policy'];
const mayImportConfig: readonly string[] = ['app', 'cli', 'main'];

/** Where each package may be used: a room, or one file. */
const homes: Readonly<Record<string, readonly string[]>> = {
  jose: ['proof/jwk.ts', 'forward/assertion.ts'],
  'lru-cache': ['proof/nonce.ts', 'request/front-certificates.ts'],
  'http-proxy': ['forward/upgrade-request.ts'],
  pino: ['observability'],
  'prom-client': ['observability'],
  zod: ['config'],
  yaml: ['config'],
};

interface Import {
  /** path below src/, with `/` */
  readonly file: string;
  readonly specifier: string;
}

const source = new URL('../../../src/', import.meta.url);

/** Every import and re-export of a file, types included, static and dynamic. */
function findImports(file: string, text: string): Import[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const found = code.matchAll(/(?<!['"`])\b(?:from|import|require)\b\s*\(?\s*(['"`])([^'"`]*)\1/g);
  return [...found].map(([, , specifier = '']) => ({ file, specifier }));
}

function readSources(): [file: string, text: string][] {
  return readdirSync(source, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [file, readFileSync(new URL(file, source), 'utf8')]);
}

const roomOf = (file: string) => file.split('/', 1)[0]?.replace(/\.[jt]s$/, '') ?? '';
const rankOf = (room: string) => order.findIndex((row) => row.includes(room));

/** @returns what is wrong with an import, undefined when nothing is */
function judge({ file, specifier }: Import): string | undefined {
  if (specifier.startsWith('.')) return judgeRoom(file, roomOf(posix.join(posix.dirname(file), specifier)));
  if (specifier.startsWith('node:')) return undefined;
  if (builtinModules.includes(specifier)) return 'a built-in module without node:';
  const home = homes[specifier];
  if (home === undefined) return 'a package without a home';
  return home.includes(roomOf(file)) || home.includes(file) ? undefined : `its home is ${home.join(', ')}`;
}

function judgeRoom(file: string, to: string): string | undefined {
  const from = roomOf(file);
  if (from === to) return undefined;
  if (to === 'config') return mayImportConfig.includes(from) ? undefined : 'config is for app and cli';
  if (from === 'config') return configMayImport.includes(to) ? undefined : `config does not know ${to}`;
  if (rankOf(from) < 0 || rankOf(to) < 0) return 'a room that has no place in the order';
  return rankOf(to) < rankOf(from) ? undefined : `${from} does not stand above ${to}`;
}

/** @returns the files from which imports lead back to them, types included */
function findCircles(imports: readonly Import[]): string[] {
  const needs = new Map<string, string[]>();
  for (const { file, specifier } of imports) {
    if (!specifier.startsWith('.')) continue;
    const other = posix.join(posix.dirname(file), specifier).replace(/\.js$/, '.ts');
    needs.set(file, [...(needs.get(file) ?? []), other]);
  }
  const reaches = (from: string, to: string, seen: Set<string>): boolean =>
    (needs.get(from) ?? []).some(
      (next) => next === to || (!seen.has(next) && reaches(next, to, seen.add(next))),
    );
  return [...needs.keys()].filter((file) => reaches(file, file, new Set()));
}

const violations = (imports: readonly Import[]) =>
  imports.flatMap((one) => {
    const wrong = judge(one);
    return wrong === undefined ? [] : [`src/${one.file} imports ${one.specifier}: ${wrong}`];
  });

test('DESIGN 1: dependencies of rooms point one way, and each package stays in its home', () => {
  const sources = readSources();
  const imports = sources.flatMap(([file, text]) => findImports(file, text));
  assert.ok(
    sources.length > 50 && imports.length > 150,
    `${imports.length} imports in ${sources.length} files`,
  );
  assert.deepEqual(violations(imports), []);
});

test('DESIGN 1: every home uses its package', () => {
  const imports = readSources().flatMap(([file, text]) => findImports(file, text));
  const unused = Object.entries(homes).flatMap(([name, places]) => {
    const users = imports.filter(({ specifier }) => specifier === name).map(({ file }) => file);
    const isUsed = (place: string) => users.some((file) => file === place || roomOf(file) === place);
    return places.filter((place) => !isUsed(place)).map((place) => `${name} in ${place}`);
  });
  assert.deepEqual(unused, []);
});

test('DESIGN 1: no file needs one that needs it', () => {
  const around = [
    ...findImports('config/a.ts', `import type { B } from './b.js';`),
    ...findImports('config/b.ts', `import { c } from '../support/c.js';`),
  ];
  assert.deepEqual(findCircles(around), []);
  const back = findImports('support/c.ts', `export * from '../config/a.js';`);
  assert.deepEqual(findCircles([...around, ...back]), ['config/a.ts', 'config/b.ts', 'support/c.ts']);
  assert.deepEqual(findCircles(readSources().flatMap(([file, text]) => findImports(file, text))), []);
});

test('DESIGN 1: every room of the order exists', () => {
  const rooms = new Set(readSources().map(([file]) => roomOf(file)));
  assert.deepEqual(
    order.flat().filter((room) => !rooms.has(room)),
    [],
  );
});

test('DESIGN 1: the check finds what it forbids', () => {
  const wrong: Readonly<Record<string, string>> = {
    'proof/dpop.ts': `import type { VerifiedToken } from '../token/verified-token.js';`,
    'token/verify.ts': `import { importProofKey } from "../proof/jwk.js";`,
    'request/facts.ts': `export * from '../gate/gate.js';`,
    'support/clock.ts': `import { Denial } from '../denial/denial.js';`,
    'gate/gate.ts': `import {\n  Replies,\n} from '../reply/reply.js';`,
    'reply/reply.ts': `import '../forward/pool.js';`,
    'policy/routes.ts': `import { loadConfig } from '../config/load.js';`,
    'config/load.ts': `import { Gate } from '../gate/gate.js';`,
    'binding/binding.ts': `const { jwtVerify } = await import('jose');`,
    'gate/claim.ts': `import { LRUCache } from 'lru-cache';`,
    'forward/pool.ts': `import httpProxy from 'http-proxy';`,
    'token/fetch.ts': `type Agent = import('undici').Agent;`,
    'request/target.ts': `import { parse } from 'url';`,
    'policy/pattern.ts': `import x from '../helpers/x.js';`,
    'app.ts': `import { run } from './main.js';`,
    'listener/server.ts': `import { App } from '../app.js';`,
  };
  for (const [file, text] of Object.entries(wrong)) {
    assert.equal(violations(findImports(file, text)).length, 1, `${file}: ${text}`);
  }
});

test('DESIGN 1: the check lets pass what is allowed, and reads no comments', () => {
  const right: Readonly<Record<string, string>> = {
    'proof/nonce.ts': `import { LRUCache } from 'lru-cache';\nimport { nowSeconds } from '../support/clock.js';`,
    'proof/replay/memory.ts': `import type { Clock } from '../../support/clock.js';\nimport { x } from '../nonce.js';`,
    'gate/gate.ts': `/** @see import('jose') */\n// import { x } from '../reply/reply.js';\nimport { Denial } from '../denial/denial.js';`,
    'app.ts': `import { loadConfig } from './config/load.js';`,
    'main.ts': `import { serve } from './cli/serve.js';\nimport { parseArgs } from 'node:util';`,
    'forward/assertion.ts': `import { SignJWT } from 'jose';`,
  };
  for (const [file, text] of Object.entries(right)) {
    const imports = findImports(file, text);
    assert.ok(imports.length > 0);
    assert.deepEqual(violations(imports), []);
  }
});

test('trap Node: isSessionReused() ends the process after a handshake that failed, and is called nowhere', () => {
  const callers = readSources().filter(([, text]) => text.includes('isSessionReused'));
  assert.deepEqual(
    callers.map(([file]) => file),
    [],
  );
});
