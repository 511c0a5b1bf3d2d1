import assert from 'node:assert/strict';
import test from 'node:test';
import { verifyCertificate } from '#holdfast/proof/certificate.js';
import { sha256Base64url } from '#holdfast/support/digest.js';
import { ManualClock } from '../../support/manual-clock.js';

const thumbprint = sha256Base64url('certificate');
const clock = new ManualClock();
const strict = { requireTrust: true, clock };
const lax = { requireTrust: false, clock };
const trusted = {
  thumbprint,
  trusted: true,
  notBeforeMs: clock.nowMs() - 1000,
  notAfterMs: clock.nowMs() + 1000,
} as const;

test('J04: without configured CAs possession is all that counts', () => {
  const self = { thumbprint, trusted: false, distrust: undefined } as const;
  assert.equal(verifyCertificate(self, lax).evidence?.thumbprint, thumbprint);
});

test('J06: with CAs an untrusted certificate is no evidence, and the cause is kept', () => {
  for (const distrust of ['CERT_HAS_EXPIRED', 'INVALID_PURPOSE']) {
    const finding = verifyCertificate({ thumbprint, trusted: false, distrust }, strict);
    assert.equal(finding.evidence, undefined);
    assert.equal(finding.distrust, distrust);
  }
  assert.equal(verifyCertificate(trusted, strict).evidence?.thumbprint, thumbprint);
});

test('J06: a verdict that is missing is no trust', () => {
  const finding = verifyCertificate({ thumbprint, trusted: false, distrust: undefined }, strict);
  assert.equal(finding.evidence, undefined);
  assert.equal(finding.distrust, 'not verified');
});

test('J02: no certificate is no evidence and no distrust', () => {
  for (const rules of [strict, lax]) {
    const finding = verifyCertificate(undefined, rules);
    assert.equal(finding.evidence, undefined);
    assert.equal(finding.distrust, undefined);
  }
});

test('J12: a verdict of trust holds from notBefore until notAfter', () => {
  const { notBeforeMs, notAfterMs } = trusted;
  const at = (nowMs: number) =>
    verifyCertificate(trusted, { requireTrust: true, clock: new ManualClock(nowMs) });
  assert.equal(at(notBeforeMs - 1).distrust, 'CERT_NOT_YET_VALID');
  assert.equal(at(notBeforeMs).evidence?.thumbprint, thumbprint);
  assert.equal(at(notAfterMs - 1).evidence?.thumbprint, thumbprint);
  for (const nowMs of [notAfterMs, notAfterMs + 1]) {
    assert.equal(at(nowMs).evidence, undefined);
    assert.equal(at(nowMs).distrust, 'CERT_HAS_EXPIRED');
  }
});

test('K07, J12: what a front passed on and what was held against CAs of its own is trusted, and in date, or no evidence', () => {
  assert.equal(verifyCertificate(trusted, lax).evidence?.thumbprint, thumbprint);
  assert.equal(verifyCertificate({ ...trusted, notAfterMs: 0 }, lax).distrust, 'CERT_HAS_EXPIRED');
  const finding = verifyCertificate({ thumbprint, trusted: false, distrust: 'INVALID_CA' }, lax);
  assert.equal(finding.evidence, undefined);
  assert.equal(finding.distrust, 'INVALID_CA');
});
