import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { parseConfirmation } from '#holdfast/binding/confirmation.js';
import { sha256Base64url } from '#holdfast/support/digest.js';
import { denied, refusesOnlyByDenial } from '../../support/denied.js';

const jkt = sha256Base64url('key');
const x5t = sha256Base64url('certificate');

test('F01: both members that can be checked are read', () => {
  assert.deepEqual(parseConfirmation({ jkt, 'x5t#S256': x5t }), { jkt, x5tS256: x5t });
  assert.deepEqual(parseConfirmation({ jkt }), { jkt, x5tS256: undefined });
  assert.deepEqual(parseConfirmation({ 'x5t#S256': x5t }), { jkt: undefined, x5tS256: x5t });
});

test('F02: a cnf with nothing that can be checked is a binding all the same', () => {
  for (const cnf of [
    { kid: '1' },
    { jwk: {} },
    { jku: 'x' },
    { x5t: 'x' },
    { 'x5t#s256': x5t },
    { JKT: jkt },
    { a: 1, b: 2 },
  ]) {
    denied(() => parseConfirmation(cnf), 'confirmation_unsupported');
  }
});

test('F03: unknown members beside a known one are tolerated', () => {
  assert.deepEqual(parseConfirmation({ jkt, x: 1, kid: 'a' }), { jkt, x5tS256: undefined });
});

test('F04: a cnf that is there and no object with good members is never taken for no cnf', () => {
  for (const cnf of [
    null,
    [],
    {},
    '',
    'x',
    0,
    false,
    [jkt],
    { jkt: '' },
    { jkt: null },
    { jkt: 1 },
    { jkt: [jkt] },
    { jkt, 'x5t#S256': null },
    { 'x5t#S256': undefined },
  ]) {
    denied(() => parseConfirmation(cnf), 'confirmation_malformed');
  }
  assert.equal(parseConfirmation(undefined), undefined);
});

test('F05: a thumbprint is the canonical base64url of 32 bytes', () => {
  const urn = `urn:ietf:params:oauth:jwk-thumbprint:sha-256:${jkt}`;
  for (const value of [
    `${jkt}=`,
    `${jkt}A`,
    jkt.slice(1),
    ` ${jkt}`,
    `${jkt.slice(0, -1)}B`,
    Buffer.from(jkt, 'base64url').toString('hex'),
    urn,
  ]) {
    denied(() => parseConfirmation({ jkt: value }), 'confirmation_malformed');
    denied(() => parseConfirmation({ 'x5t#S256': value }), 'confirmation_malformed');
  }
});

test('F04: whatever the claim holds, the answer is unbound only when there is none', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (cnf) => {
      refusesOnlyByDenial(() => assert.notEqual(parseConfirmation(cnf), undefined));
    }),
  );
});
