import assert from 'node:assert/strict';
import test from 'node:test';
import { verifyCertificate } from '#holdfast/proof/certificate.js';
import { sha256Base64url } from '#holdfast/support/digest.js';

const thumbprint = sha256Base64url('certificate');

test('J04: without configured CAs possession is all that counts', () => {
  const self = { thumbprint, trusted: false, distrust: undefined };
  assert.equal(verifyCertificate(self, { requireTrust: false }).evidence?.thumbprint, thumbprint);
});

test('J06: with CAs an untrusted certificate is no evidence, and the cause is kept', () => {
  for (const distrust of ['CERT_HAS_EXPIRED', 'INVALID_PURPOSE']) {
    const finding = verifyCertificate({ thumbprint, trusted: false, distrust }, { requireTrust: true });
    assert.equal(finding.evidence, undefined);
    assert.equal(finding.distrust, distrust);
  }
  const trusted = { thumbprint, trusted: true, distrust: undefined };
  assert.equal(verifyCertificate(trusted, { requireTrust: true }).evidence?.thumbprint, thumbprint);
});

test('J06: a verdict that is missing is no trust', () => {
  const finding = verifyCertificate(
    { thumbprint, trusted: false, distrust: undefined },
    { requireTrust: true },
  );
  assert.equal(finding.evidence, undefined);
  assert.equal(finding.distrust, 'not verified');
});

test('J02: no certificate is no evidence and no distrust', () => {
  for (const requireTrust of [true, false]) {
    const finding = verifyCertificate(undefined, { requireTrust });
    assert.equal(finding.evidence, undefined);
    assert.equal(finding.distrust, undefined);
  }
});
