import assert from 'node:assert/strict';
import test from 'node:test';
import { confirmBinding, type Evidence, SenderConstraint, unconstrained } from '#holdfast/binding/binding.js';
import { verifyCertificate } from '#holdfast/proof/certificate.js';
import type { DpopEvidence } from '#holdfast/proof/dpop.js';
import { sha256Base64url } from '#holdfast/support/digest.js';
import { denied } from '../../support/denied.js';
import { ManualClock } from '../../support/manual-clock.js';
import { makeClientKey, makeProof } from '../../support/proofs.js';
import { makeToken } from '../../support/tokens.js';
import { claimsAt, context, makeVerifier } from '../../support/verifier.js';

const { verifier } = makeVerifier();
const prove = (): Promise<DpopEvidence> => verifier.verify([makeProof(makeClientKey(), claimsAt())], context);
const own = await prove();
const anothers = await prove();
const x5t = sha256Base64url('certificate');
const none = verifyCertificate(undefined, { requireTrust: false, clock: new ManualClock() });
const show = (thumbprint: string) =>
  verifyCertificate(
    { thumbprint, trusted: false, distrust: undefined },
    { requireTrust: false, clock: new ManualClock() },
  );
const distrusted = verifyCertificate(
  { thumbprint: x5t, trusted: false, distrust: 'CERT_HAS_EXPIRED' },
  { requireTrust: true, clock: new ManualClock() },
);

const dpop = (evidence = own, certificate = none): Evidence => ({
  scheme: 'DPoP',
  dpop: evidence,
  certificate,
});
const bearer = (certificate = none): Evidence => ({ scheme: 'Bearer', dpop: undefined, certificate });
const confirm = (cnf: unknown, evidence: Evidence) => confirmBinding(makeToken({ cnf }), evidence);
const methods = (cnf: unknown, evidence: Evidence) => {
  const constraint = confirm(cnf, evidence);
  assert.ok(constraint instanceof SenderConstraint);
  const { isDpop, isMtls, jkt, x5tS256 } = constraint;
  return { isDpop, isMtls, jkt, x5tS256 };
};

test('G18: the key of the proof is the key of the token', () => {
  assert.deepEqual(methods({ jkt: own.jkt }, dpop()), {
    isDpop: true,
    isMtls: false,
    jkt: own.jkt,
    x5tS256: undefined,
  });
  denied(() => confirm({ jkt: own.jkt }, dpop(anothers)), 'dpop_key_mismatch');
});

test('J01: the certificate of the connection is the certificate of the token', () => {
  assert.deepEqual(methods({ 'x5t#S256': x5t }, bearer(show(x5t))), {
    isDpop: false,
    isMtls: true,
    jkt: undefined,
    x5tS256: x5t,
  });
  denied(
    () => confirm({ 'x5t#S256': x5t }, bearer(show(sha256Base64url('another')))),
    'certificate_thumbprint_mismatch',
  );
});

test('J02: a certificate-bound token without a certificate is 401, not 400', () => {
  assert.equal(denied(() => confirm({ 'x5t#S256': x5t }, bearer()), 'certificate_missing').entry.status, 401);
});

test('J06: an untrusted certificate confirms nothing, even with the right thumbprint', () => {
  const { detail } = denied(
    () => confirm({ 'x5t#S256': x5t }, bearer(distrusted)),
    'client_certificate_untrusted',
  );
  assert.equal(detail, 'CERT_HAS_EXPIRED');
});

test('F01: a token with two keys needs both proven', () => {
  const cnf = { jkt: own.jkt, 'x5t#S256': x5t };
  assert.deepEqual(methods(cnf, dpop(own, show(x5t))), {
    isDpop: true,
    isMtls: true,
    jkt: own.jkt,
    x5tS256: x5t,
  });
  denied(() => confirm(cnf, dpop(own, show(sha256Base64url('another')))), 'certificate_thumbprint_mismatch');
  denied(() => confirm(cnf, dpop(own)), 'certificate_missing');
  denied(() => confirm(cnf, dpop(own, distrusted)), 'client_certificate_untrusted');
  denied(() => confirm(cnf, dpop(anothers, show(x5t))), 'dpop_key_mismatch');
  denied(() => confirm(cnf, bearer(show(x5t))), 'bound_token_as_bearer');
});

test('F02: a binding that cannot be checked is no bearer token', () => {
  denied(() => confirm({ kid: '1' }, bearer()), 'confirmation_unsupported');
  denied(() => confirm({ kid: '1' }, dpop()), 'confirmation_unsupported');
});

test('F04: a malformed binding is no bearer token', () => {
  for (const cnf of [null, {}, [], 'x', { jkt: '' }])
    denied(() => confirm(cnf, bearer()), 'confirmation_malformed');
});

test('F06: a key-bound token under Bearer is never admitted as a bearer token', () => {
  denied(() => confirm({ jkt: own.jkt }, bearer()), 'bound_token_as_bearer');
  denied(() => confirm({ jkt: own.jkt }, bearer(show(x5t))), 'bound_token_as_bearer');
  assert.equal(confirm(undefined, bearer()), unconstrained);
});

test('C08: a token without a key under DPoP is refused, proof or not', () => {
  denied(() => confirm(undefined, dpop()), 'token_not_bound');
  denied(() => confirm({ 'x5t#S256': x5t }, dpop(own, show(x5t))), 'token_not_bound');
});

test('J05: a certificate that the token does not ask for changes nothing', () => {
  assert.equal(confirm(undefined, bearer(show(x5t))), unconstrained);
  assert.equal(confirm(undefined, bearer(distrusted)), unconstrained);
  assert.equal(methods({ jkt: own.jkt }, dpop(own, show(x5t))).isMtls, false);
});
