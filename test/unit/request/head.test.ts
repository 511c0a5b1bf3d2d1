import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { parseHead } from '#holdfast/request/head.js';
import { HeaderNames } from '#holdfast/request/header-names.js';
import { denied, refusesOnlyByDenial } from '../../support/denied.js';
import { identityNames } from '../../support/facts.js';

const rules = { names: new HeaderNames(identityNames), maxCount: 4, refuseOddNames: false };
const parse = (raw: string[], changes: Partial<typeof rules> = {}) =>
  parseHead(raw, { ...rules, ...changes });
const pairs = (count: number) => Array.from({ length: count }, (_, i) => [`X-${i}`, 'v']).flat();

test('A17: more field lines than allowed are refused, none is dropped', () => {
  assert.equal(denied(() => parse(pairs(5)), 'header_fields_too_large').entry.status, 431);
  denied(() => parse(pairs(2100), { maxCount: 100 }), 'header_fields_too_large');
  assert.equal(parse(pairs(4)).fields.length, 4);
});

test('A01: all values of a decisive name are seen, in order, whatever the letter case', () => {
  const head = parse(['Host', 'a', 'HOST', 'b', 'DPoP', 'p1', 'dpop', 'p2']);
  assert.deepEqual(head.values('host'), ['a', 'b']);
  assert.deepEqual(head.values('dpop'), ['p1', 'p2']);
  assert.deepEqual(head.values('authorization'), []);
});

test('A14: an odd name that folds to a protected one is refused in both modes', () => {
  for (const name of [
    'X_Auth_Subject',
    'x.auth.subject',
    'Transfer_Encoding',
    'DPoP_',
    'Authorization_',
    'X_Forwarded_For',
    'X_Forwarded_Anything',
    'SSL_CLIENT_CERT',
    '_Host',
    'X-Auth_Subject',
  ]) {
    denied(() => parse([name, 'v']), 'header_name_refused');
    denied(() => parse([name, 'v'], { refuseOddNames: true }), 'header_name_refused');
  }
});

test('A14: another odd name is dropped later, or refused when the operator says so', () => {
  assert.equal(parse(['X_Foo', 'a']).fields[0]?.meaning.role, 'odd');
  denied(() => parse(['X_Foo', 'a'], { refuseOddNames: true }), 'header_name_refused');
  assert.equal(parse(['X-Foo', 'a'], { refuseOddNames: true }).fields[0]?.meaning.role, 'ordinary');
});

test('B01: Connection nominates names in any case, over several lines', () => {
  assert.deepEqual(
    [...parse(['Connection', 'keep-alive, X-Foo', 'connection', '\tDPoP ,upgrade']).nominated],
    ['keep-alive', 'x-foo', 'dpop', 'upgrade'],
  );
  assert.equal(parse(['Connection', 'keep-alive']).nominated.size, 0);
  assert.equal(parse(['Connection', 'Close']).nominated.size, 0);
  assert.ok(parse(['Connection', 'close, x-foo']).nominated.has('x-foo'));
  assert.equal(parse([]).nominated.size, 0);
});

test('A14: arbitrary fields are read or refused, nothing else is thrown', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 5 }), (fields) => {
      refusesOnlyByDenial(() => parse(fields.flat()));
    }),
  );
});
