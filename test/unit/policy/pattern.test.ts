import assert from 'node:assert/strict';
import test from 'node:test';
import { compilePattern } from '#holdfast/policy/pattern.js';

const assertMatches = (pattern: string, { yes, no }: { yes: string[]; no: string[] }) => {
  const { matches } = compilePattern(pattern);
  for (const path of yes) assert.ok(matches(path), `${pattern} should match ${path}`);
  for (const path of no) assert.ok(!matches(path), `${pattern} should not match ${path}`);
};

test('DESIGN 2: ** matches any rest, also none', () => {
  assertMatches('/orders/**', {
    yes: ['/orders', '/orders/', '/orders/1', '/orders/1/x', '/orders//'],
    no: ['/orders1', '/order', '/', '/x/orders', '/Orders'],
  });
  assertMatches('/**', { yes: ['/', '/a', '//', '/a/b'], no: [] });
});

test('DESIGN 2: * matches one segment that is not empty', () => {
  assertMatches('/orders/*/lines', {
    yes: ['/orders/1/lines', '/orders/;/lines'],
    no: ['/orders//lines', '/orders/1/2/lines', '/orders/lines', '/orders/1/lines/'],
  });
});

test('N04: a literal is compared character by character', () => {
  assertMatches('/a', { yes: ['/a'], no: ['/a/', '/A', '//a', '/a;x', '/ab', '/'] });
  assertMatches('/a/', { yes: ['/a/'], no: ['/a', '/a//'] });
  assertMatches('/', { yes: ['/'], no: ['//', '/a'] });
});

test('N02: characters that mean something in a regular expression mean themselves', () => {
  assertMatches('/a.b+c(d)[e]{f}^$|', { yes: ['/a.b+c(d)[e]{f}^$|'], no: ['/axb+c(d)[e]{f}^$|', '/a'] });
  assertMatches('/v1.0/**', { yes: ['/v1.0/x'], no: ['/v1x0/x'] });
});

test('N02: literals are normalised as request paths are', () => {
  assertMatches('/%7euser/caf%c3%a9', { yes: ['/~user/caf%C3%A9'], no: ['/%7euser/caf%c3%a9'] });
  assertMatches('/a%2fb', { yes: ['/a%2Fb'], no: ['/a/b'] });
});

test('N08: a literal is known by what is left without case, accents and encodings', () => {
  const { segments, hasRest, endsInSlash } = compilePattern('/Caf%c3%a9/*/Menu/');
  assert.deepEqual(segments, [
    { text: 'Caf%C3%A9', folded: 'cafe' },
    undefined,
    { text: 'Menu', folded: 'menu' },
  ]);
  assert.deepEqual([hasRest, endsInSlash], [false, true]);
  assert.deepEqual(compilePattern('/**').segments, []);
});
