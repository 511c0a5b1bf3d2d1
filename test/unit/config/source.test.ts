import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { tenLines, Workspace } from './workspace.js';

let workspace: Workspace;
before(async () => {
  workspace = await Workspace.create();
});
after(() => workspace.remove());

test('DESIGN 2: a key that is given twice is a problem', () => {
  const [problem] = workspace.refuse(`${tenLines}dpop:\n  maxAge: 60s\n  maxAge: 300s\n`);
  assert.deepEqual(problem, { path: 'dpop.maxAge', line: 10, message: 'given twice, first on line 9' });
  workspace.load(`${tenLines}dpop:\n  maxAge: 300s\n`);
});

test('DESIGN 2: a key that the schema would pass over is a problem', () => {
  const text = `${tenLines}routes:\n  - path: /a\n    claims:\n      __proto__: [x]\n`;
  assert.deepEqual(workspace.refuse(text), [
    { path: 'routes[0].claims.__proto__', line: 11, message: 'not a usable name' },
  ]);
});

test('DESIGN 2: a syntax error has its line, and quotes nothing', () => {
  const [problem] = workspace.refuse(`${tenLines}dpop: [hunter2\nlog: {}\n`);
  assert.equal(problem?.line, 9);
  assert.match(problem?.message ?? '', /^not valid YAML 1\.2: /);
  assert.doesNotMatch(problem?.message ?? '', /hunter2/);
});

for (const text of ['', '[]', 'text', 'null', '1']) {
  test(`DESIGN 2: a file that is no mapping is refused: ${JSON.stringify(text)}`, () => {
    assert.equal(workspace.refuse(text)[0]?.message, 'expected a mapping with listen, upstream and issuers');
  });
}

test('DESIGN 2: anchors are followed, and problems are placed where the value is used', () => {
  const text = `${tenLines}routes:\n  - &a { path: /a, scopes: [read] }\n  - *a\n`;
  assert.deepEqual(workspace.refuse(text), [
    { path: 'routes[1]', line: 10, message: 'the same path and method as routes[0]' },
  ]);
});

test('DESIGN 2: YAML beyond plain data is refused, not ignored', () => {
  const beyond: Record<string, [path: string, message: RegExp]> = {
    'log: !!set {a}': ['', /tag resolve failed/],
    'log: !include x': ['', /tag resolve failed/],
    'log: *absent': ['log', /no such anchor/],
    'log: &a [*a]': ['log', /a list is not allowed/],
    '<<: { log: {} }': ['<<', /unknown option/],
    '---\nlog: {}': ['', /multiple docs/],
  };
  for (const [text, [path, message]] of Object.entries(beyond)) {
    const [problem] = workspace.refuse(`${tenLines}${text}\n`).filter((one) => one.path === path);
    assert.match(problem?.message ?? '', message, text);
    assert.equal(problem?.line, 8, text);
  }
});

test('DESIGN 2: a file that grows without end when its anchors are followed is refused', () => {
  const level = (name: string, below: string) =>
    `${name}: &${name} [${Array(9).fill(`*${below}`).join(', ')}]\n`;
  const bomb = `a: &a [x]\n${level('b', 'a')}${level('c', 'b')}${level('d', 'c')}${level('e', 'd')}`;
  assert.match(workspace.refuse(bomb)[0]?.message ?? '', /more than 100 uses of one anchor/);
});
