import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import test from 'node:test';
import { jwtVerify } from 'jose';
import { AssertionSigner } from '#holdfast/forward/assertion.js';
import { sha256Base64url } from '#holdfast/support/digest.js';
import { makeFacts } from '../../support/facts.js';
import { makeAdmission, makeGrant, makePublicGrant, x5tS256 } from '../../support/grants.js';
import { makeClientKey } from '../../support/proofs.js';

const key = makeClientKey('ES256');
const nowSeconds = 1_800_000_000;
const options = {
  header: 'X-Auth-Assertion',
  key: key.privateKey,
  issuer: 'holdfast',
  audience: 'orders',
  lifetimeSeconds: 60,
};
const signer = await AssertionSigner.create(options, { nowMs: () => nowSeconds * 1000 + 999 });
const facts = makeFacts({ method: 'POST', target: '/a%7Eb?secret=1' });
const verify = async (assertion: string | undefined) => {
  assert.ok(assertion !== undefined);
  return jwtVerify(assertion, createPublicKey(key.privateKey), {
    issuer: 'holdfast',
    audience: 'orders',
    typ: 'pop-assertion+jwt',
    algorithms: ['ES256'],
    currentDate: new Date(nowSeconds * 1000),
  });
};

test('L06: the assertion says who called, how that was proven, and for which request', async () => {
  const { payload, protectedHeader } = await verify(await signer.sign(makeAdmission(facts)));
  assert.deepEqual(protectedHeader, { alg: 'ES256', typ: 'pop-assertion+jwt', kid: signer.publicJwk.kid });
  const { jti, ...claims } = payload;
  assert.match(String(jti), /^[0-9a-f-]{36}$/);
  assert.deepEqual(claims, {
    iss: 'holdfast',
    aud: 'orders',
    sub: 'alice',
    client_id: 'app',
    scope: 'read',
    iat: nowSeconds,
    exp: nowSeconds + 60,
    cnf: { 'x5t#S256': x5tS256 },
    token: { iss: 'https://login.example' },
    pop: { method: 'mtls', key: x5tS256 },
    req: { method: 'POST', path_sha256: sha256Base64url('/a%7Eb') },
  });
});

test('L06: the key that services verify with is public, and named by its thumbprint', async () => {
  const { crv, kty, x, y } = key.publicJwk;
  const kid = sha256Base64url(JSON.stringify({ crv, kty, x, y }));
  assert.deepEqual({ ...signer.publicJwk }, { crv, kty, x, y, kid, alg: 'ES256', use: 'sig' });
});

test('L06: the algorithm follows from the key', async () => {
  for (const alg of ['ES384', 'PS256', 'EdDSA'] as const) {
    const { privateKey } = makeClientKey(alg);
    const other = await AssertionSigner.create(
      { ...options, key: privateKey },
      { nowMs: () => nowSeconds * 1000 },
    );
    const assertion = await other.sign(makeAdmission(facts));
    const named = other.publicJwk.alg ?? '';
    assert.ok(named === alg || (alg === 'EdDSA' && named === 'Ed25519'), named);
    await jwtVerify(assertion ?? '', createPublicKey(privateKey), {
      algorithms: [named],
      currentDate: new Date(nowSeconds * 1000),
    });
    assert.equal('d' in other.publicJwk, false);
  }
});

test('L06: no two assertions are the same', async () => {
  const [a, b] = await Promise.all(
    [1, 2].map(async () => (await verify(await signer.sign(makeAdmission(facts)))).payload.jti),
  );
  assert.notEqual(a, b);
});

test('L06: what is absent from the token is absent from the assertion', async () => {
  const grant = makeGrant({ subject: undefined, scopes: new Set() }, facts);
  const { payload } = await verify(await signer.sign(makeAdmission(facts, grant)));
  for (const name of ['sub', 'scope', 'exception']) assert.equal(name in payload, false, name);
});

test('L07: nothing is asserted of the caller of a public route', async () => {
  assert.equal(await signer.sign(makeAdmission(facts, makePublicGrant())), undefined);
});
