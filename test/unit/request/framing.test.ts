import assert from 'node:assert/strict';
import test from 'node:test';
import { parseFraming } from '#holdfast/request/framing.js';
import { denied } from '../../support/denied.js';

const limits = { httpVersion: '1.1', maxBodyBytes: 1000 };
const parse = (coding: string[], length: string[] = [], changes: Partial<typeof limits> = {}) =>
  parseFraming(coding, length, { ...limits, ...changes });

test('A08: Transfer-Encoding beside Content-Length is refused', () => {
  denied(() => parse(['chunked'], ['5']), 'framing_invalid');
  denied(() => parse(['chunked'], ['0']), 'framing_invalid');
  assert.deepEqual(parse(['chunked']), { kind: 'chunked' });
  assert.deepEqual(parse([], ['5']), { kind: 'length', bytes: 5 });
});

test('A09: Transfer-Encoding in HTTP/1.0 is refused', () => {
  denied(() => parse(['chunked'], [], { httpVersion: '1.0' }), 'framing_invalid');
  assert.deepEqual(parse([], ['5'], { httpVersion: '1.0' }), { kind: 'length', bytes: 5 });
});

test('A10: nothing but exactly one chunked coding is supported', () => {
  for (const coding of [
    'gzip, chunked',
    'x, chunked',
    ',chunked',
    'chunked,',
    'identity',
    'chunked, chunked',
    'chunked;q=1',
    '',
    '\u000bchunked',
    'chunked\u00a0',
  ]) {
    denied(() => parse([coding]), 'transfer_coding_unsupported');
  }
  denied(() => parse(['chunked', 'chunked']), 'framing_invalid');
  denied(() => parse(['chunked', 'identity']), 'framing_invalid');
  for (const coding of ['chunked', 'Chunked', 'CHUNKED'])
    assert.deepEqual(parse([coding]), { kind: 'chunked' });
});

test('A11: Content-Length is one plain decimal', () => {
  for (const length of [
    '+2',
    '-1',
    '1_0',
    '2, 2',
    '0x2',
    '00',
    '01',
    '',
    ' 2',
    '2 ',
    '1e2',
    '２',
    '1.0',
    '9'.repeat(16),
  ]) {
    denied(() => parse([], [length]), 'framing_invalid');
  }
  denied(() => parse([], ['2', '2']), 'framing_invalid');
  for (const length of ['0', '2', '1000'])
    assert.deepEqual(parse([], [length]), { kind: 'length', bytes: Number(length) });
});

test('A11: a length above the limit is 413, the limit itself passes', () => {
  assert.equal(denied(() => parse([], ['1001']), 'body_too_large').entry.status, 413);
  assert.deepEqual(parse([], ['1000']), { kind: 'length', bytes: 1000 });
  assert.deepEqual(parse([], ['999999999999999'], { maxBodyBytes: Number.POSITIVE_INFINITY }), {
    kind: 'length',
    bytes: 999_999_999_999_999,
  });
});

test('A12: a message without either field has no body', () => {
  assert.deepEqual(parse([]), { kind: 'none' });
});
