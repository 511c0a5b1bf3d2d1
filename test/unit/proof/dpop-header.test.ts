import assert from 'node:assert/strict';
import test from 'node:test';
import { ProofHeaders } from '#holdfast/proof/dpop-header.js';
import { makeClientKey, segment } from '../../support/proofs.js';

const clock = { nowMs: () => 1_800_000_000_000 };
const tokenOf = (clientId: string) => ({
  issuer: 'https://login.example',
  clientId,
  usableUntilMs: 1_800_000_600_000,
});

function makeHeaders() {
  const headers = new ProofHeaders(['ES256', 'PS256', 'RS256'], clock);
  /** As after a good signature. */
  const learn = (text: string, clientId = 'c1') => {
    const typed = headers.read(text);
    if ('known' in typed) return typed;
    const { algorithm, parsed } = headers.readKey(typed);
    const known = headers.import(parsed, tokenOf(clientId));
    headers.remember(text, { algorithm, known }, tokenOf(clientId));
    return { algorithm, known };
  };
  return { headers, learn };
}

const textOf = (jwk: object, extra: object = {}, alg = 'ES256') =>
  segment({ typ: 'dpop+jwt', alg, jwk, ...extra });

test('S13: one key under 1,900 texts pushes nobody else out', () => {
  const { headers, learn } = makeHeaders();
  const other = textOf(makeClientKey().publicJwk);
  learn(other, 'good');
  const { publicJwk } = makeClientKey();
  for (let i = 0; i < 1900; i++) learn(textOf(publicJwk, { i, padding: 'x'.repeat(1000) }), 'flood');
  assert.ok(headers.knownKey(other));
  assert.ok(headers.size <= 5, `${headers.size} texts`);
  assert.ok(headers.knownKey(textOf(publicJwk, { i: 1899, padding: 'x'.repeat(1000) })), 'the newest');
});

test('S13: one client with thousands of keys pushes no key of others out', () => {
  const { headers, learn } = makeHeaders();
  const other = textOf(makeClientKey().publicJwk);
  learn(other, 'good');
  const { publicJwk } = makeClientKey();
  const typed = headers.readKey({ algorithm: 'ES256', jwk: publicJwk });
  const known = headers.import(typed.parsed, tokenOf('flood'));
  for (let i = 0; i < 9000; i++)
    headers.remember(
      `text ${i}`,
      { algorithm: 'ES256', known: { ...known, thumbprint: `key ${i}` } },
      tokenOf('flood'),
    );
  assert.ok(headers.size < 9000, 'the cache was full');
  assert.ok(headers.knownKey(other));
});

test('a key is imported once, whatever the text of its header', () => {
  const { headers, learn } = makeHeaders();
  const { publicJwk } = makeClientKey();
  const first = learn(textOf(publicJwk));
  const typed = headers.read(textOf(publicJwk, { other: true }));
  assert.ok(!('known' in typed));
  const { parsed } = headers.readKey(typed);
  assert.equal(headers.import(parsed, tokenOf('c1')).key, first.known.key);
});

test('texts of one RSA key keep their own algorithm', () => {
  const { headers, learn } = makeHeaders();
  const { publicJwk } = makeClientKey('PS256');
  const [pss, pkcs1] = [textOf(publicJwk, {}, 'PS256'), textOf(publicJwk, {}, 'RS256')];
  learn(pss);
  learn(pkcs1);
  assert.deepEqual([headers.read(pss).algorithm, headers.read(pkcs1).algorithm], ['PS256', 'RS256']);
});

test('a text that is far longer than a key needs is not remembered', () => {
  const { headers, learn } = makeHeaders();
  const text = textOf(makeClientKey().publicJwk, { padding: 'x'.repeat(2048) });
  learn(text);
  assert.equal(headers.knownKey(text), undefined);
});
