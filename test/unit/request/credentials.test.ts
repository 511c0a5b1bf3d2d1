import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { parseCredentials, parseScheme } from '#holdfast/request/credentials.js';
import { sha256Base64url } from '#holdfast/support/digest.js';
import { denied, refusesOnlyByDenial } from '../../support/denied.js';

const parse = (...fields: string[]) => parseCredentials(fields);

test('C01: no Authorization field means no credentials', () => {
  denied(() => parse(), 'credentials_missing');
  assert.deepEqual(parse('Bearer abc'), { scheme: 'Bearer', token: 'abc', digest: sha256Base64url('abc') });
});

test('C02: a scheme of others counts as no credentials', () => {
  for (const field of [
    'Basic dXNlcjpwYXNz',
    'Negotiate',
    'Bear er',
    'Bearerx abc',
    'DPoP\tabc',
    '"Bearer" abc',
    '',
  ]) {
    denied(() => parse(field), 'credentials_missing');
  }
});

test('C03: two Authorization fields, or two credentials in one, are ambiguous', () => {
  denied(() => parse('Bearer abc', 'DPoP abc'), 'credentials_ambiguous');
  denied(() => parse('Bearer abc', 'Bearer abc'), 'credentials_ambiguous');
  denied(() => parse('Bearer abc, DPoP abc'), 'credentials_ambiguous');
  denied(() => parse('DPoP abc,Bearer abc'), 'credentials_ambiguous');
  assert.equal(parse('Bearer abc').token, 'abc');
});

test('C04: the scheme is compared without case', () => {
  for (const field of ['dpop abc', 'DPoP abc', 'DPOP abc']) assert.equal(parse(field).scheme, 'DPoP');
  for (const field of ['bearer abc', 'BEARER abc']) assert.equal(parse(field).scheme, 'Bearer');
});

test('C04: one or more spaces stand between scheme and token', () => {
  assert.equal(parse('DPoP abc').token, 'abc');
  assert.equal(parse('DPoP   abc').token, 'abc');
  assert.equal(parse('DPoP   abc').digest, sha256Base64url('abc'));
});

test('C04: whatever is not exactly one token68 after the scheme is malformed', () => {
  for (const field of [
    'DPoP',
    'DPoP ',
    'Bearer',
    'DPoP abc x',
    'DPoP abc ',
    'DPoP "abc"',
    'DPoP token="abc"',
    'DPoP a=b',
    'DPoP =',
    'DPoP abcé',
    'DPoP abc\t',
  ]) {
    denied(() => parse(field), 'credentials_malformed');
  }
  for (const token of ['abc', 'a-._~+/b', 'abc==', 'mF_9.B5f-4.1JqM'])
    assert.equal(parse(`DPoP ${token}`).token, token);
});

test('C05: the token is taken from the field alone, as sent', () => {
  const token = 'mF_9.B5f-4.1JqM';
  assert.equal(parse(`Bearer ${token}`).token, token);
  denied(() => parse(`Bearer access_token=${token}`), 'credentials_malformed');
});

test('C06: the length is checked before the characters', () => {
  denied(() => parse(`Bearer ${'!'.repeat(8193)}`), 'token_too_long');
  denied(() => parse(`Bearer ${'a'.repeat(65_536)}`), 'token_too_long');
  assert.equal(parse(`Bearer ${'a'.repeat(8192)}`).token.length, 8192);
});

test('RFC 9449 §7.2: the scheme that gets the error is the one that was used', () => {
  assert.equal(parseScheme('dpop'), 'DPoP');
  assert.equal(parseScheme('bearer '), 'Bearer');
  assert.equal(parseScheme('Basic x'), undefined);
  assert.equal(parseScheme('DPoP,Bearer'), undefined);
});

test('C04: arbitrary fields are read or refused, nothing else is thrown', () => {
  const field = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc
      .tuple(
        fc.constantFrom('Bearer', 'DPoP', 'dpop', 'Basic'),
        fc.constantFrom('', ' ', '  ', '\t'),
        fc.string(),
      )
      .map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(fc.array(field, { maxLength: 3 }), (fields) => {
      refusesOnlyByDenial(() => assert.match(parse(...fields).token, /^[A-Za-z0-9._~+/-]+=*$/));
    }),
    { numRuns: 1000 },
  );
});
