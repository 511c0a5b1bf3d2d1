import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Checkpoint } from '../support/checkpoint.js';
import { makeSigningKey, signJws } from '../support/issuer.js';
import { TokenSigner } from '../support/token-signer.js';

test('P12: a token forged under a published Ed25519 key of small order is refused', async (t) => {
  const signer = new TokenSigner();
  // The neutral element. R = it and S = 0 is a signature of every text, made by nobody's private key.
  const point = Buffer.alloc(32);
  point[0] = 1;
  const weak = { kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url'), kid: 'weak', alg: 'EdDSA' };
  const guarded = await Checkpoint.start({
    signer,
    files: { 'jwks.json': JSON.stringify({ keys: [weak, signer.jwk] }) },
  });
  t.after(() => guarded.stop());
  await guarded.fetchNonce();
  const signature = Buffer.concat([point, Buffer.alloc(32)]).toString('base64url');
  for (const alg of ['EdDSA', 'Ed25519']) {
    const [header, payload] = guarded.token({}, { alg, kid: 'weak' }).split('.');
    await guarded.refuses(
      { token: `${header}.${payload}.${signature}` },
      { reason: 'token_key_unknown', error: 'invalid_token' },
    );
  }
  const ignored = await guarded.sidecar.child.event(({ event }) => event === 'issuer_key_ignored');
  assert.equal(ignored.why, 'key 0: Ed25519 point of small order');
  await guarded.admits();
});

test('D05: an RSA key without alg that has verified PS256 verifies no RS256', async (t) => {
  const signer = new TokenSigner();
  const pss = makeSigningKey('PS256', 'rsa');
  const guarded = await Checkpoint.start({
    signer,
    files: { 'jwks.json': JSON.stringify({ keys: [{ ...pss.jwk, alg: undefined }, signer.jwk] }) },
  });
  t.after(() => guarded.stop());
  await guarded.fetchNonce();
  const mint = (alg: 'PS256' | 'RS256') => {
    const claims = signer.claims({ cnf: { jkt: guarded.client.jkt } });
    const header = JSON.stringify({ typ: 'at+jwt', alg, kid: 'rsa' });
    return signJws(header, JSON.stringify(claims), { ...pss, alg });
  };
  await guarded.admits({ token: mint('PS256') });
  await guarded.refuses({ token: mint('RS256') }, { reason: 'token_key_unknown', error: 'invalid_token' });
  await guarded.admits({ token: mint('PS256') });
});
