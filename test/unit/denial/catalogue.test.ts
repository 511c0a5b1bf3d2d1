import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { catalogue, type Reason } from '#holdfast/denial/catalogue.js';
import { Denial } from '#holdfast/denial/denial.js';
import { Fault, type FaultCode, faults } from '#holdfast/denial/fault.js';

const root = new URL('../../../../', import.meta.url);
const reasons = Object.entries(catalogue);
const publicText = /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/;

test('O02: every sentence consists of characters that error_description may hold', () => {
  for (const [key, { sentence }] of [...reasons, ...Object.entries(faults)])
    assert.match(sentence, publicText, key);
});

test('O07: every way in which a token is not good has the same outward answer', () => {
  const outward = reasons
    .filter(([key, entry]) => key.startsWith('token_') && 'error' in entry && entry.error === 'invalid_token')
    .map(([, { status, sentence }]) => `${status} ${sentence}`);
  assert.ok(outward.length > 10);
  assert.equal(new Set(outward).size, 1);
  const all = reasons.filter(([, entry]) => 'error' in entry && entry.error === 'invalid_token');
  assert.equal(
    new Set(all.map(([, { status, sentence }]) => `${status} ${sentence}`)).size,
    1,
    'also when binding or policy refuse it',
  );
});

test('O07: every way in which a proof is not good has the same outward answer', () => {
  const proofs = reasons.filter(([, entry]) => 'error' in entry && entry.error === 'invalid_dpop_proof');
  assert.ok(proofs.length > 10);
  assert.equal(new Set(proofs.map(([, { status, sentence }]) => `${status} ${sentence}`)).size, 1);
});

test('S03: reasons are snake_case, fault codes start with ERR_', () => {
  for (const [key] of reasons) assert.match(key, /^[a-z]+(?:_[a-z]+)+$/);
  for (const code of Object.keys(faults)) assert.match(code, /^ERR_[A-Z]+(?:_[A-Z]+)*$/);
});

test('O01: a refusal is 4xx or a statement of what is not supported, a fault is 5xx', () => {
  for (const [key, { status }] of reasons)
    assert.ok((status >= 400 && status < 500) || status === 501 || status === 508, key);
  for (const [code, { status }] of Object.entries(faults)) assert.ok(status >= 500, code);
});

test('STYLE 2: hints say something, and no request data can be in them or in sentences', () => {
  for (const [key, { hint, sentence }] of [...reasons, ...Object.entries(faults)]) {
    assert.ok(hint.length > 10, key);
    assert.match(sentence, /^[A-Z].*\.$/, key);
    assert.doesNotMatch(sentence, /\$\{|%s/, key);
  }
});

test('S03: the catalogue is closed', () => {
  assert.ok(Object.isFrozen(catalogue));
  assert.ok(Object.isFrozen(faults));
});

test('O01: a denial and a fault carry their entry', () => {
  const cause = new Error('cause');
  const denial = new Denial('host_invalid', 'two', { cause });
  assert.equal(denial.entry, catalogue.host_invalid);
  assert.equal(denial.cause, cause);
  assert.equal(denial.message, 'host_invalid', 'no detail in the message');
  const fault = new Fault('ERR_INTERNAL', { cause, detail: 'x', retryAfterSeconds: 3 });
  assert.equal(fault.entry.status, 500);
  assert.equal(fault.message, 'ERR_INTERNAL');
  assert.equal(fault.retryAfterSeconds, 3);
});

test('S01: every reason and every fault is explained in the documentation', () => {
  const page = readFileSync(new URL('docs/reasons.md', root), 'utf8');
  for (const key of [...Object.keys(catalogue), ...Object.keys(faults)])
    assert.ok(page.includes(`### ${key}\n`), key);
});

test('STYLE 4: every reason and every fault is provoked by a test', () => {
  const tests = new URL('test/', root);
  // This file names some keys without provoking anything.
  const texts = readdirSync(tests, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts') && !file.endsWith('catalogue.test.ts'))
    .map((file) => readFileSync(new URL(file.replaceAll('\\', '/'), tests), 'utf8'));
  const isNamed = (key: Reason | FaultCode) => texts.some((text) => new RegExp(`\\b${key}\\b`).test(text));
  const keys = [...(Object.keys(catalogue) as Reason[]), ...(Object.keys(faults) as FaultCode[])];
  assert.deepEqual(
    keys.filter((key) => !isNamed(key)),
    [],
  );
});
