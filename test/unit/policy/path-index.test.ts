import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { PathIndex } from '#holdfast/policy/path-index.js';
import { compilePattern } from '#holdfast/policy/pattern.js';

const segment = fc.constantFrom('a', 'b', '*', 'A', '%61', 'caf%c3%a9');
const pattern = fc
  .record({ fixed: fc.array(segment, { maxLength: 4 }), end: fc.constantFrom('', '/**', '/') })
  .map(({ fixed, end }) => fixed.map((one) => `/${one}`).join('') + end || '/');
const path = fc
  .array(fc.constantFrom('a', 'b', 'A', '', 'x', 'caf%C3%A9'), { minLength: 1, maxLength: 5 })
  .map((parts) => `/${parts.join('/')}`);

test('N10, S06: the index finds the first pattern that matches, as trying one after the other does', () => {
  let found = 0;
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 8 }), path, (texts, text) => {
      const patterns = texts.map(compilePattern);
      const index = new PathIndex(patterns.map((one, at) => ({ pattern: one, value: at })));
      const first = patterns.findIndex(({ matches }) => matches(text));
      if (first >= 0) found++;
      assert.equal(index.find(text), first < 0 ? undefined : first, `${text} in ${texts.join(' ')}`);
    }),
    { numRuns: 5000 },
  );
  assert.ok(found > 500, `${found} of 5000 were found: enough to mean something`);
});
