import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers, overlaps } from '#holdfast/config/patterns.js';
import { compilePattern } from '#holdfast/policy/pattern.js';

/** All sequences of these segments, of each length from `min` to `max`. */
function sequences(segments: readonly string[], min: number, max: number): string[][] {
  if (max === 0) return [[]];
  const shorter = sequences(segments, Math.max(0, min - 1), max - 1);
  return [
    ...(min === 0 ? [[]] : []),
    ...shorter.flatMap((rest) => segments.map((segment) => [segment, ...rest])),
  ];
}

const toPath = (segments: readonly string[]) => `/${segments.join('/')}`;

// `c` stands for every literal that no pattern names, and paths are longer than every pattern: what holds for these
// paths holds for all.
const paths = sequences(['a', 'b', 'c', ''], 1, 4).map(toPath);
const patterns = [
  ...sequences(['a', 'b', '*', ''], 1, 2).map(toPath),
  ...sequences(['a', 'b', '*', ''], 0, 2).map((segments) => toPath([...segments, '**'])),
].map((text) => ({ text, matched: new Set(paths.filter(compilePattern(text).matches)) }));

test('S06: a pattern covers another exactly if it matches all that the other matches', () => {
  for (const broad of patterns) {
    for (const narrow of patterns) {
      const expected = [...narrow.matched].every((path) => broad.matched.has(path));
      assert.equal(covers(broad.text, narrow.text), expected, `${broad.text} ${narrow.text}`);
    }
  }
});

test('S06: two patterns overlap exactly if one path is matched by both', () => {
  for (const one of patterns) {
    for (const other of patterns) {
      const expected = [...one.matched].some((path) => other.matched.has(path));
      assert.equal(overlaps(one.text, other.text), expected, `${one.text} ${other.text}`);
    }
  }
});
