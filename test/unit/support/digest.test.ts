import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import fc from 'fast-check';
import { isSha256Base64url, sha256Base64url, shortDigest } from '#holdfast/support/digest.js';

test('FIPS 180-4: the SHA-256 of "abc", in base64url', () => {
  assert.equal(sha256Base64url('abc'), 'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0');
});

test('F05: every SHA-256 in base64url is recognised, and no other spelling of it', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const digest = createHash('sha256').update(bytes).digest();
      const text = digest.toString('base64url');
      assert.equal(sha256Base64url(bytes), text);
      assert.ok(isSha256Base64url(text));
      for (const other of [`${text}=`, `${text}A`, text.slice(1), ` ${text}`, `${text}\n`]) {
        assert.ok(!isSha256Base64url(other), other);
      }
    }),
  );
});

test('F05: a last character with unused bits set is not canonical', () => {
  const digest = sha256Base64url('abc');
  assert.ok(isSha256Base64url(`${digest.slice(0, -1)}0`));
  assert.ok(!isSha256Base64url(`${digest.slice(0, -1)}1`));
  assert.ok(!isSha256Base64url(`${digest.slice(0, -1)}+`));
});

test('S01: a secret is named by twelve characters of its digest', () => {
  assert.equal(shortDigest('abc'), 'ungWv48Bz-pB');
});
