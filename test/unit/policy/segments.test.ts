import assert from 'node:assert/strict';
import test from 'node:test';
import { findAlternatives } from '#holdfast/policy/alternatives.js';
import { hidesDotSegment } from '#holdfast/policy/hidden-dots.js';
import { readSegments } from '#holdfast/policy/segments.js';
import { parseTarget } from '#holdfast/request/target.js';

const read = (path: string, slashesPass = false) => readSegments(parseTarget(path, 8192), slashesPass);
const alternatives = (path: string) =>
  findAlternatives(read(path))?.map(({ list }) => `/${list.map(({ text }) => text).join('/')}`);

test('N08: plain is pchar without encodings and parameters, and no dot at the end', () => {
  for (const text of ['a', 'A-b_c~d', 'v1.2', 'x:batch', "!$&'()*+,=:@", '.well-known', "Orders('1')"])
    assert.equal(read(`/${text}`).list[0]?.isPlain, true, text);
  for (const text of ['caf%C3%A9', 'a%20b', 'a;b', 'a.', 'a%25', '...'])
    assert.equal(read(`/${text}`).list[0]?.isPlain, false, text);
});

test('N08: what is known not to be read literally is not verbatim', () => {
  assert.deepEqual(
    read('/%61/b%7E/c%c3%a9').list.map(({ isVerbatim }) => isVerbatim),
    [false, false, false],
  );
  assert.deepEqual(
    read('/a/c%C3%A9').list.map(({ isVerbatim }) => isVerbatim),
    [true, true],
  );
});

test('N08: the depth shifts where a segment may be none, several, or the end', () => {
  for (const [path, at] of [
    ['/a//b', 1],
    ['/a/;x/b', 1],
    ['/a/%20;x', 1],
    ['/a;x/b', 0],
    ['/a/b%5Cc', 1],
    ['/a/b%253Fc', 1],
    ['/a/b%2Fc', 1],
    ['/a/b%3Fc', 1],
    ['/a/%20/b', 1],
    ['/a/%E2%80%8B/b', 1],
    ['/a/.../b', 1],
    ['/a/%FF/b', 1],
  ] as const)
    assert.equal(read(path).shiftsAt, at, path);
  for (const path of ['/', '/a/b/', '/a/b;x=1', '/a/caf%C3%A9/b', '/a/b%20c/d', '/a./b'])
    assert.equal(read(path).shiftsAt, Number.POSITIVE_INFINITY, path);
  assert.equal(read('/a/b%2Fc', true).shiftsAt, Number.POSITIVE_INFINITY, 'declared to be a character');
  assert.equal(read('/a/b%252Fc', true).shiftsAt, 1);
});

test('N08: paths that a service may take for the one that was asked for', () => {
  assert.deepEqual(alternatives('/index.php/admin/x'), ['/admin/x', '/admin/x', '/index.php']);
  assert.deepEqual(alternatives('/app/Index.PHP/admin'), ['/app/admin', '/admin', '/app/Index.PHP']);
  assert.deepEqual(alternatives('/https://x/admin/y'), ['/admin/y', '/x/admin/y']);
  assert.deepEqual(alternatives('/https:///admin/y'), ['/y', '/admin/y'], 'an authority may be empty');
  assert.deepEqual(alternatives('/https:/x/admin/y'), ['/admin/y', '/x/admin/y']);
  assert.deepEqual(alternatives('/http:x/admin/y'), ['/admin/y']);
  assert.deepEqual(alternatives('/x:/admin/y'), ['/y', '/admin/y']);
  assert.deepEqual(alternatives('/(S(abc))/admin'), ['/admin']);
  assert.deepEqual(alternatives('/(A(x)F(y))/admin'), ['/admin']);
  for (const path of ['/a.json/b', '/v1.2/x', '/Products(1)/x', "/Orders('a')", '/a/b:c/d', '/x:batch/y'])
    assert.deepEqual(alternatives(path), [], path);
  assert.equal(alternatives('/a.php/b.php/c'), undefined, 'too many to look at');
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
    '/a/..%3Fx',
    '/a/..%2523',
    '/a;p%5C..%5Cb',
    '/a/..%20/b',
    '/a/%2520../b',
    '/a/%EF%BC%8E%EF%BC%8E/b',
    '/a%EF%BC%8F..%EF%BC%8Fb',
  ])
    assert.ok(hidesDotSegment(path), path);
  for (const path of ['/a%2Fb..', '/a/..b%3B', '/a/%252e.b', '/a/b', '/a/..%20b', '/%EF%BC%A1'])
    assert.ok(!hidesDotSegment(path), path);
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
    '/a%2525252561',
  ])
    assert.ok(hidesDotSegment(path), path);
  for (const path of ['/a%2520b', '/a%25C3%25A9', '/a%25E0%25A0%2580', '/100%25', '/a%2531'])
    assert.ok(!hidesDotSegment(path), path);
});
