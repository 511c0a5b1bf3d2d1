import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Origins } from '#holdfast/request/authority.js';
import { denied, refusesOnlyByDenial } from '../../support/denied.js';

const origins = new Origins(['https://api.example', 'https://b.example:8443', 'https://[2001:db8::1]']);
const select = (...fields: string[]) => origins.select(fields);

test('A01: exactly one Host field', () => {
  denied(() => select(), 'host_invalid');
  denied(() => select('api.example', 'api.example'), 'host_invalid');
  denied(() => select('api.example', 'other.example'), 'host_invalid');
  assert.equal(select('api.example').uri, 'https://api.example');
});

test('A02: a value that is not host[:port] is refused, also when a parser could repair it', () => {
  for (const host of [
    '',
    ' ',
    'api.example/pay?',
    'api.example/',
    'a@api.example',
    'api.example, b.example',
    'api.example#',
    'api.example?x',
    'api.example\\',
    'api.example:99999',
    'api.example:65536',
    'api.example:0',
    'api.example:0443',
    'api.example:',
    'api.example:+443',
    'api.example:443:443',
    '[2001:db8::1',
    '2001:db8::1]',
    '[2001:db8::1%25eth0]',
    'api.example\u0000',
    'api.example\t',
    'api%2Eexample',
    'аpi.example', // Cyrillic
  ]) {
    denied(() => select(host), 'host_invalid');
  }
});

test('A03: an authority that is not configured is misdirected', () => {
  for (const host of [
    'other.example',
    'api.example.',
    'xapi.example',
    'api.example:8443',
    'b.example',
    'b.example:443',
  ]) {
    denied(() => select(host), 'host_not_served');
  }
  assert.equal(denied(() => select('other.example'), 'host_not_served').entry.status, 421);
  assert.equal(denied(() => select('eyJhbGciOi.example'), 'host_not_served').detail, 'eyjhbgcioi.example');
});

test('N01: letter case and the default port make no other authority', () => {
  for (const host of ['api.example', 'API.Example', 'api.example:443', 'API.EXAMPLE:443']) {
    assert.deepEqual(select(host), { scheme: 'https', authority: 'api.example', uri: 'https://api.example' });
  }
  assert.equal(select('B.example:8443').uri, 'https://b.example:8443');
  assert.equal(select('[2001:DB8::1]:443').uri, 'https://[2001:db8::1]');
});

test('N01: a configured default port is the same origin', () => {
  const explicit = new Origins(['https://API.example:443', 'http://plain.example:80']);
  assert.equal(explicit.select(['api.example']).uri, 'https://api.example');
  assert.equal(explicit.select(['plain.example:80']).uri, 'http://plain.example');
  denied(() => explicit.select(['plain.example:443']), 'host_not_served');
});

test('N05: a trailing dot is another host', () => {
  denied(() => select('api.example.'), 'host_not_served');
});

test('N06: spellings of an address that a parser would canonicalise never reach a configured host', () => {
  const local = new Origins(['https://127.0.0.1']);
  for (const host of ['127.1', '0x7f.1', '127.0.0.01', '2130706433', '0x7f000001']) {
    denied(() => local.select([host]), 'host_not_served');
  }
  assert.equal(local.select(['127.0.0.1']).uri, 'https://127.0.0.1');
});

test('A02: arbitrary text selects a configured origin or is refused, nothing else is thrown', () => {
  const hostile = fc.string({
    unit: fc.constantFrom(...'api.example:443@/[]#?, \\'.split('')),
    maxLength: 24,
  });
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), hostile), { maxLength: 3 }), (fields) => {
      refusesOnlyByDenial(() =>
        assert.match(
          select(...fields).uri,
          /^https:\/\/(api|b)\.example(:8443)?$|^https:\/\/\[2001:db8::1\]$/,
        ),
      );
    }),
    { numRuns: 1000 },
  );
});
