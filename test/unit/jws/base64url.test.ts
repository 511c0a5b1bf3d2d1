import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { isCanonicalBase64url } from '#holdfast/jws/base64url.js';

test('D01: the unpadded spelling of any bytes is canonical, the empty one is not', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
      assert.ok(isCanonicalBase64url(Buffer.from(bytes).toString('base64url')));
    }),
  );
  assert.ok(!isCanonicalBase64url(''));
});

test('D01: text is canonical exactly when decoding and encoding give it back', () => {
  const character = fc.constantFrom(...'ABCDQXgwz019-_AEIM+/=. \n');
  fc.assert(
    fc.property(fc.string({ unit: character, minLength: 1, maxLength: 12 }), (text) => {
      const again = Buffer.from(text, 'base64url').toString('base64url');
      assert.equal(isCanonicalBase64url(text), again === text, JSON.stringify(text));
    }),
    { numRuns: 2000 },
  );
});

test('D01: padding, white space, the other alphabet and a lone sixth bit are refused', () => {
  for (const text of ['QQ==', 'QUI=', 'Q Q', 'QQ\n', '+/8', 'A', 'AAAAA', 'QR', 'QUJ', 'é']) {
    assert.ok(!isCanonicalBase64url(text), JSON.stringify(text));
  }
  for (const text of ['QQ', 'QUI', 'QUJD', '-_8']) assert.ok(isCanonicalBase64url(text), text);
});
