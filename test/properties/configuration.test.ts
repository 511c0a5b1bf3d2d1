import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { ConfigError } from '#holdfast/config/problems.js';
import { tenLines, Workspace } from '../unit/config/workspace.js';
import { textOf } from './inputs.js';

let workspace: Workspace;
before(async () => {
  workspace = await Workspace.create();
});
after(() => workspace.remove());

/** Loads, or says what is wrong, at least one thing, each with a place. */
function loadsOrReports(text: string): void {
  try {
    workspace.load(text, { SET: 'x' });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    assert.ok(error.problems.length > 0);
    for (const { line, message } of error.problems) {
      assert.ok(line >= 1);
      assert.notEqual(message, '');
    }
  }
}

test('DESIGN 2: whatever the file holds, it loads or its problems are reported', () => {
  const yaml = textOf('abc: -[]{}"\'|>&*!#%@`,?\n\t~0$', 80);
  fc.assert(fc.property(yaml, loadsOrReports), { numRuns: 100 });
});

test('DESIGN 2: the same for a good file in which something was put, cut or taken twice', () => {
  const change = fc.tuple(
    fc.nat(tenLines.length),
    fc.nat(12),
    textOf('abcSET: -[]{}"\'|>&*!#%@`,?\n\t~0$', 12),
  );
  fc.assert(
    fc.property(change, ([at, cut, put]) => {
      loadsOrReports(tenLines.slice(0, at) + put + tenLines.slice(at + cut));
    }),
    { numRuns: 100 },
  );
});

test('DESIGN 2: the same for values of any kind where others belong', () => {
  const sections = [
    'listen',
    'upstream',
    'issuers',
    'dpop',
    'replay',
    'routes',
    'identity',
    'exceptions',
    'admin',
    'log',
    'shutdown',
  ];
  const names = [
    'path',
    'proof',
    'headers',
    'tls',
    'origins',
    'limits',
    'url',
    'issuer',
    'keys',
    'store',
    'level',
    '__proto__',
    'constructor',
  ];
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.dictionary(fc.constantFrom(...names), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 4 }),
    fc.array(fc.dictionary(fc.constantFrom(...names), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 4 }), {
      maxLength: 3,
    }),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...sections), value, { maxKeys: 6 }), (config) =>
      loadsOrReports(JSON.stringify(config)),
    ),
    { numRuns: 100 },
  );
});
