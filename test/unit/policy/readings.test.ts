import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { otherReadings } from '#holdfast/policy/readings.js';

test('N03: a plain path is read in one way only', () => {
  for (const path of ['/', '/a/b', '/a.b/c', '/a/', "/A-_~!$&'()*+,=:@"])
    assert.deepEqual(otherReadings(path), []);
});

test('N03: what a service may make of encodings, parameters and empty segments', () => {
  const includes = (path: string, ...readings: string[]) => {
    const all = otherReadings(path);
    for (const reading of readings)
      assert.ok(all?.includes(reading), `${path} is also ${reading}, got ${all}`);
  };
  includes('/a%2Fb', '/a/b');
  includes('/a%5Cb', '/a/b');
  includes('/a%252Fb', '/a%2Fb', '/a/b');
  includes('/a;x=1/b', '/a/b');
  includes('/a%3Bx/b', '/a;x/b', '/a/b');
  includes('//a', '/a');
  includes('/;x/a', '//a', '/a');
  includes('/a;p%5Cq/b%5Cc', '/a/b/c', '/a/q/b/c');
});

test('N03: a dot segment in any reading refuses the path', () => {
  for (const path of [
    '/a%2F..%2Fb',
    '/a%5C..%5Cb',
    '/a/..%5Cb',
    '/a/%252e%252e/b',
    '/a/..%3Bx/b',
    '/a%252F..%252Fb',
    '/a/.%3B/b',
    '/a;%2F../b',
  ]) {
    assert.equal(otherReadings(path), undefined, path);
  }
  for (const path of ['/a%2Fb..', '/a/..b%3B', '/a/%252e.b'])
    assert.notEqual(otherReadings(path), undefined, path);
});

test('N02, N03: octets that decoders cut, skip or shorten refuse the path in any reading', () => {
  for (const path of [
    '/a%2500',
    '/a%2500.html',
    '/a/%250D%250A',
    '/pro%2509tected',
    '/a%257f',
    '/..%25c0%25af',
    '/%25E0%2580%25AE',
  ])
    assert.equal(otherReadings(path), undefined, path);
  for (const path of ['/a%2520b', '/a%25C3%25A9', '/a%25E0%25A0%2580', '/100%25', '/a%2531'])
    assert.notEqual(otherReadings(path), undefined, path);
});

test('N03: the number of readings is bounded', () => {
  const hostile = fc.string({
    unit: fc.constantFrom('%2F', '%5C', '%252F', ';', '/', '//', 'a', '%3B', '%25'),
    maxLength: 40,
  });
  fc.assert(
    fc.property(hostile, (text) => {
      assert.ok((otherReadings(`/${text}`)?.length ?? 0) < 64);
    }),
  );
});
