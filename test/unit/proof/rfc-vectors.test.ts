import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import test from 'node:test';
import { confirmBinding, SenderConstraint } from '#holdfast/binding/binding.js';
import { parseCompactJws, splitCompactJws } from '#holdfast/jws/compact.js';
import { isSignedWith } from '#holdfast/jws/signature.js';
import { verifyCertificate } from '#holdfast/proof/certificate.js';
import type { DpopContext } from '#holdfast/proof/dpop.js';
import { equalsHtu } from '#holdfast/proof/htu.js';
import { parseCredentials } from '#holdfast/request/credentials.js';
import { sha256Base64url } from '#holdfast/support/digest.js';
import { deniedLater } from '../../support/denied.js';
import { ManualClock } from '../../support/manual-clock.js';
import { importKey } from '../../support/proof-key.js';
import { makeToken } from '../../support/tokens.js';
import { makeVerifier, ownKey } from '../../support/verifier.js';
import * as rfc7638 from '../../vectors/rfc7638.js';
import * as rfc8705 from '../../vectors/rfc8705.js';
import * as rfc9449 from '../../vectors/rfc9449.js';

test('G20: the thumbprint of RFC 7638 §3.1, whose optional members do not count', async () => {
  assert.equal((await importKey(rfc7638.jwk, 'RS256')).thumbprint, rfc7638.thumbprint);
  const { kty, n, e } = rfc7638.jwk;
  assert.equal((await importKey({ n, kty, e }, 'RS256')).thumbprint, rfc7638.thumbprint);
});

test('RFC 9449 §4.1 figures 2 and 4: the proof for the token endpoint', async () => {
  const { proof, header, claims } = rfc9449.tokenRequest;
  const limits = { maxBytes: 8192, malformed: 'dpop_proof_malformed' } as const;
  assert.deepEqual(parseCompactJws(proof, limits), { header, claims });
  assert.ok(equalsHtu(claims.htu, 'https://server.example.com/token'));
  const { key, thumbprint } = await importKey(header.jwk, 'ES256');
  assert.equal(thumbprint, rfc9449.jkt);
  const { signingInput, signature } = splitCompactJws(proof, limits);
  const signed = { data: Buffer.from(signingInput), signature: Buffer.from(signature, 'base64url') };
  assert.ok(isSignedWith(key, 'ES256', signed));
  assert.ok(!isSignedWith(key, 'ES256', { ...signed, data: Buffer.from(`${signingInput}x`) }));
});

test('RFC 9449 §7.1: the proof for a protected resource verifies, at its time and for its token', async () => {
  const { accessToken, proof, claims } = rfc9449.resourceRequest;
  const { scheme, digest } = parseCredentials([`DPoP ${accessToken}`]);
  assert.equal(digest, claims.ath);

  const { verifier } = makeVerifier({ nowSeconds: claims.iat });
  const context: DpopContext = {
    method: 'GET',
    uri: claims.htu,
    tokenDigest: digest,
    origin: 'https://resource.example.org',
    boundKey: rfc9449.jkt,
    token: makeToken({ cnf: { jkt: rfc9449.jkt } }),
    remoteAddress: '192.0.2.1',
  };
  const dpop = await verifier.verify([proof], context);
  assert.equal(dpop.jkt, rfc9449.jkt);
  assert.equal(dpop.jti, claims.jti);

  const token = makeToken({ cnf: { jkt: rfc9449.jkt } });
  const constraint = confirmBinding(token, {
    scheme,
    dpop,
    certificate: verifyCertificate(undefined, { requireTrust: false, clock: new ManualClock() }),
  });
  assert.ok(constraint instanceof SenderConstraint && constraint.jkt === rfc9449.jkt);
});

test('RFC 9449 §7.1: the same proof fits no other token, method or time', async () => {
  const { proof, claims } = rfc9449.resourceRequest;
  const context: DpopContext = {
    method: 'GET',
    uri: claims.htu,
    tokenDigest: claims.ath,
    origin: 'https://resource.example.org',
    boundKey: rfc9449.jkt,
    token: makeToken({ cnf: { jkt: rfc9449.jkt } }),
    remoteAddress: '192.0.2.1',
  };
  const verifyAt = (nowSeconds: number, changes: Partial<DpopContext>) => () =>
    makeVerifier({ nowSeconds }).verifier.verify([proof], { ...context, ...changes });
  await deniedLater(verifyAt(claims.iat, { tokenDigest: sha256Base64url('another') }), 'dpop_ath_mismatch');
  await deniedLater(verifyAt(claims.iat, { method: 'POST' }), 'dpop_htm_mismatch');
  await deniedLater(verifyAt(claims.iat, { uri: 'https://resource.example.org/other' }), 'dpop_htu_mismatch');
  await deniedLater(verifyAt(claims.iat + 61, {}), 'dpop_iat_outside_window');
});

test('RFC 9449 §4.1: the proof for the token endpoint, which has no ath, is none for a resource', async () => {
  const { proof, claims } = rfc9449.tokenRequest;
  const context: DpopContext = {
    method: 'POST',
    uri: claims.htu,
    tokenDigest: sha256Base64url('x'),
    origin: 'https://server.example.com',
    boundKey: ownKey,
    token: makeToken(),
    remoteAddress: '192.0.2.1',
  };
  await deniedLater(
    () => makeVerifier({ nowSeconds: claims.iat }).verifier.verify([proof], context),
    'dpop_claims_invalid',
  );
});

test('RFC 8705 appendix A: the thumbprint of the certificate is the x5t#S256 of the token', async () => {
  const certificate = new X509Certificate(rfc8705.certificatePem);
  assert.equal(sha256Base64url(certificate.raw), rfc8705.confirmation['x5t#S256']);
  assert.deepEqual({ ...certificate.publicKey.export({ format: 'jwk' }) }, rfc8705.jwk);

  const presented = {
    thumbprint: sha256Base64url(certificate.raw),
    trusted: false,
    distrust: undefined,
  } as const;
  const constraint = confirmBinding(makeToken({ cnf: rfc8705.confirmation }), {
    scheme: 'Bearer',
    dpop: undefined,
    certificate: verifyCertificate(presented, { requireTrust: false, clock: new ManualClock() }),
  });
  assert.ok(constraint instanceof SenderConstraint && constraint.isMtls && !constraint.isDpop);
});
