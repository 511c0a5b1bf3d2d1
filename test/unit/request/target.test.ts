import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  hasDotSegment,
  hasTokenInQuery,
  normalizePercentEncoding,
  parseTarget,
} from '#holdfast/request/target.js';
import { denied, refusesOnlyByDenial } from '../../support/denied.js';

const parse = (raw: string) => parseTarget(raw, 8192);

test('A05: only origin-form is a target', () => {
  for (const raw of ['http://evil/x', 'https://api.example/', 'api.example:443', '*', '', 'x', '?x']) {
    denied(() => parse(raw), 'target_invalid');
  }
  assert.equal(parse('/x').path, '/x');
});

test('A07: fragment, backslash, control, space, DEL and non-ASCII characters are refused', () => {
  for (const raw of [
    '/a#b',
    '/a\\b',
    '/a b',
    '/a\tb',
    '/a\u0000',
    '/a\u007f',
    '/é',
    '/a?b#c',
    '/a?\\',
    '/a\n',
  ]) {
    denied(() => parse(raw), 'target_invalid');
  }
  assert.equal(parse('/a~!$&\'()*+,;=:@-._"<>[]^`{|}').query, undefined);
});

test('A07: encoded control characters and half percent encodings are refused', () => {
  for (const raw of ['/a%00', '/a%0d%0aX', '/a%1f', '/a%7F', '/a%', '/a%2', '/a%zz', '/a%u002e', '/%%41']) {
    denied(() => parse(raw), 'target_invalid');
  }
  assert.equal(parse('/a%20b%80').path, '/a%20b%80');
});

test('A17: a target above the limit is 414', () => {
  assert.equal(denied(() => parseTarget('/abc', 3), 'target_too_long').entry.status, 414);
  assert.equal(parseTarget('/abc', 4).path, '/abc');
});

test('N02: hex digits in upper case, unreserved characters decoded, reserved ones never', () => {
  assert.equal(parse('/%7euser').path, '/~user');
  assert.equal(parse('/%41%2d%5f%7E').path, '/A-_~');
  assert.equal(parse('/a%2fb').path, '/a%2Fb');
  assert.equal(parse('/%3a%3B%40%26').path, '/%3A%3B%40%26');
  assert.equal(parse('/%2541').path, '/%2541', 'decoded once, not twice');
  assert.equal(parse('/caf%c3%a9').path, '/caf%C3%A9');
});

test('B06: the bytes that the service gets stay as sent', () => {
  const target = parse('/%7euser?q=%7e');
  assert.equal(target.raw, '/%7euser?q=%7e');
  assert.equal(target.rawPath, '/%7euser');
  assert.equal(target.query, 'q=%7e');
});

test('N03: dot segments are refused, raw, encoded and with parameters', () => {
  for (const raw of [
    '/.',
    '/..',
    '/a/../b',
    '/a/./b',
    '/a/..',
    '/%2e%2e/b',
    '/.%2E/b',
    '/%2e',
    '/a/..;x/b',
    '/..;',
    '/a/.;x=1',
    '/.//',
  ]) {
    denied(() => parse(raw), 'path_ambiguous');
  }
  for (const raw of ['/...', '/.a', '/a.', '/..a/b', '/a../b', '/.well-known/x', '/a;..', '/?/../'])
    parse(raw);
});

test('N03: an encoding of more bytes than needed is refused in all its lengths', () => {
  for (const raw of ['/%c0%ae', '/%C1%81', '/%e0%80%ae', '/%E0%9F%BF', '/%f0%80%80%af', '/%F0%8F%BF%BF']) {
    denied(() => parse(raw), 'path_ambiguous');
  }
  for (const raw of ['/%C3%A9', '/%E0%A0%80', '/%E2%82%AC', '/%F0%90%80%80', '/%F0%9F%98%80']) parse(raw);
});

test('N04: trailing slash, letter case, empty segments and parameters stay', () => {
  for (const raw of ['/a/', '/A', '/a//b', '/a//', '/a;b=1']) assert.equal(parse(raw).path, raw);
});

test('N09: a target that begins with two slashes is ambiguous, whatever follows', () => {
  for (const raw of ['//', '//x', '///x', '//x/admin/export', '//x?y', '//user@evil:1/'])
    denied(() => parse(raw), 'path_ambiguous');
});

test('N07: the target is split at the first question mark', () => {
  assert.deepEqual(parse('/evil//x?a?b=/c'), {
    raw: '/evil//x?a?b=/c',
    rawPath: '/evil//x',
    path: '/evil//x',
    query: 'a?b=/c',
  });
  assert.equal(parse('/?').query, '');
  assert.equal(parse('/').query, undefined);
});

test('C05: access_token in the query is seen in any encoding', () => {
  for (const query of [
    'access_token=t',
    'a=b&access_token=t',
    'access_token',
    'a;access_token=t',
    'access%5Ftoken=t',
    '%61ccess_token=',
    [...'access_token'].map((c) => `%${c.charCodeAt(0).toString(16)}`).join(''),
  ]) {
    assert.ok(hasTokenInQuery(query), query);
  }
  for (const query of [
    undefined,
    '',
    'a=access_token',
    'access_tokens=1',
    'Access_Token=1',
    'xaccess_token=1',
  ]) {
    assert.ok(!hasTokenInQuery(query), query);
  }
});

const pathText = fc.string({ unit: fc.constantFrom(...'/%.;aZ09~2eEfF5cC!:@-_'.split('')), maxLength: 30 });

test('N02: percent normalisation is idempotent', () => {
  fc.assert(
    fc.property(pathText, (text) => {
      const once = normalizePercentEncoding(text);
      if (once === undefined) return;
      // What was decoded cannot make a new encoding: `%` itself is never decoded.
      assert.equal(normalizePercentEncoding(once), once);
    }),
    { numRuns: 2000 },
  );
});

test('N02: percent normalisation decodes all unreserved characters and nothing else', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 255 }), fc.boolean(), (octet, upper) => {
      const hex = octet.toString(16).padStart(2, '0');
      const encoded = `%${upper ? hex.toUpperCase() : hex}`;
      const character = String.fromCharCode(octet);
      const unreserved = /^[A-Za-z0-9._~-]$/.test(character);
      assert.equal(normalizePercentEncoding(encoded), unreserved ? character : `%${hex.toUpperCase()}`);
    }),
  );
});

test('N03: a path that passed contains no dot segment after any number of normalisations', () => {
  fc.assert(
    fc.property(pathText, (text) => {
      refusesOnlyByDenial(() => {
        const { path } = parse(`/${text}`);
        assert.ok(!path.split('/').some((part) => /^\.{1,2}(;.*)?$/.test(part)), path);
        assert.ok(!hasDotSegment(path));
      });
    }),
    { numRuns: 2000 },
  );
});

test('A07: arbitrary targets are read or refused, nothing else is thrown', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string({ unit: 'binary' }).map((text) => `/${text}`),
      ),
      (raw) => void refusesOnlyByDenial(() => parse(raw)),
    ),
  );
});
