import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import fc from 'fast-check';
import type { ProofAlgorithm } from '#holdfast/proof/jwk.js';
import { deniedLater } from '../../support/denied.js';
import { importKey } from '../../support/proof-key.js';
import { makeClientKey } from '../../support/proofs.js';

const keys = {
  ES256: makeClientKey('ES256'),
  ES384: makeClientKey('ES384'),
  PS256: makeClientKey('PS256'),
  EdDSA: makeClientKey('EdDSA'),
};
const refused = (jwk: unknown, algorithm: ProofAlgorithm) =>
  deniedLater(() => importKey(jwk, algorithm), 'dpop_key_invalid');
const bytes = (length: number, fill = 0xff) => Buffer.alloc(length, fill).toString('base64url');

test('G20: the thumbprint covers the required members in lexicographic order and nothing else', async () => {
  const { publicJwk } = keys.ES256;
  const { crv, kty, x, y } = publicJwk;
  const expected = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
  assert.equal((await importKey(publicJwk, 'ES256')).thumbprint, expected);
  const decorated = { y, use: 'sig', kid: 'a', alg: 'ES256', x, x5c: ['y'], kty, crv };
  assert.equal((await importKey(decorated, 'ES256')).thumbprint, expected);
});

test('G07: a key with any private or symmetric member is refused, whatever its value', async () => {
  for (const [name, key] of Object.entries(keys)) {
    const algorithm = name as keyof typeof keys;
    for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) {
      for (const value of ['', 'AAAA', null, undefined, [], 0])
        await refused({ ...key.publicJwk, [member]: value }, algorithm);
    }
    await refused({ ...key.privateKey.export({ format: 'jwk' }) }, algorithm);
    await importKey(key.publicJwk, algorithm);
  }
});

test('G07: anything but an object, and a symmetric key, is refused', async () => {
  for (const jwk of [undefined, null, 'x', 1, [], [keys.ES256.publicJwk], { kty: 'oct' }, {}])
    await refused(jwk, 'ES256');
});

test('G08: type, curve and alg of the key fit the algorithm of the proof', async () => {
  const { ES256, ES384, PS256, EdDSA } = keys;
  await refused(ES384.publicJwk, 'ES256');
  await refused(ES256.publicJwk, 'ES384');
  await refused(PS256.publicJwk, 'ES256');
  await refused(ES256.publicJwk, 'PS256');
  await refused(ES256.publicJwk, 'EdDSA');
  await refused({ ...ES256.publicJwk, crv: 'P-384' }, 'ES256');
  await refused({ ...ES256.publicJwk, kty: 'RSA' }, 'ES256');
  await refused({ ...ES256.publicJwk, alg: 'ES384' }, 'ES256');
  await refused({ ...EdDSA.publicJwk, crv: 'Ed448' }, 'EdDSA');
  await refused({ ...EdDSA.publicJwk, crv: 'X25519' }, 'EdDSA');
  await importKey({ ...ES256.publicJwk, alg: 'ES256' }, 'ES256');
  await importKey(EdDSA.publicJwk, 'Ed25519');
  await importKey(ES384.publicJwk, 'ES384');
});

test('G08: coordinates have exactly the length of the field, and the point lies on the curve', async () => {
  const { publicJwk } = keys.ES256;
  for (const x of [
    bytes(31),
    bytes(33),
    '',
    `${publicJwk.x}=`,
    undefined,
    1,
    [publicJwk.x],
    `${publicJwk.x}A`,
  ]) {
    await refused({ ...publicJwk, x }, 'ES256');
    await refused({ ...publicJwk, y: x }, 'ES256');
  }
  await refused({ ...publicJwk, x: bytes(32, 1) }, 'ES256');
  await refused({ ...publicJwk, x: bytes(32, 0), y: bytes(32, 0) }, 'ES256');
  await refused({ ...publicJwk, x: publicJwk.y, y: publicJwk.x }, 'ES256');
  await importKey(publicJwk, 'ES256');
});

test('G08: RSA keys have 2048 to 4096 bits, the usual exponent and a canonical modulus', async () => {
  const { publicJwk } = keys.PS256;
  for (const e of ['AQ', 'Aw', 'AAEAAQ', '', 'AQAB=', undefined, 65537])
    await refused({ ...publicJwk, e }, 'PS256');
  await refused(makeClientKey('PS256', { modulusLength: 1024 }).publicJwk, 'PS256');
  for (const n of [
    bytes(255),
    bytes(513),
    bytes(2048),
    `AA${publicJwk.n}`,
    Buffer.concat([Buffer.alloc(1), Buffer.alloc(256, 0xff)]).toString('base64url'),
    bytes(256, 0x7f),
    `${publicJwk.n}=`,
    undefined,
    '',
  ]) {
    await refused({ ...publicJwk, n }, 'PS256');
  }
  await importKey(publicJwk, 'PS256');
  await importKey({ ...publicJwk, n: bytes(512) }, 'PS256');
});

test('G08: Ed25519 keys have 32 bytes and no small order', async () => {
  const { publicJwk } = keys.EdDSA;
  for (const x of [bytes(31), bytes(33), '', undefined]) await refused({ ...publicJwk, x }, 'EdDSA');
  const identity = Buffer.alloc(32);
  identity[0] = 1;
  await refused({ ...publicJwk, x: identity.toString('base64url') }, 'EdDSA');
  await refused({ ...publicJwk, x: bytes(32, 0) }, 'EdDSA');
  await importKey(publicJwk, 'EdDSA');
});

test('G08: an arbitrary value is a good key or refused, nothing else is thrown', async () => {
  const member = fc.oneof(
    fc.constantFrom('EC', 'P-256', 'RSA', 'AQAB', 'OKP', 'Ed25519', bytes(32), bytes(256)),
    fc.jsonValue({ maxDepth: 1 }),
  );
  const jwk = fc.record(
    { kty: member, crv: member, x: member, y: member, n: member, e: member },
    { requiredKeys: [] },
  );
  const algorithm = fc.constantFrom<ProofAlgorithm>('ES256', 'ES384', 'PS256', 'RS256', 'EdDSA', 'Ed25519');
  await fc.assert(
    fc.asyncProperty(fc.oneof(jwk, fc.jsonValue()), algorithm, async (value, alg) => {
      const key = await importKey(value, alg).catch((error: unknown) => error);
      const reason = typeof key === 'object' && key !== null && 'reason' in key ? key.reason : undefined;
      assert.ok(
        reason === 'dpop_key_invalid' ||
          (reason === undefined && typeof key === 'object' && key !== null && 'thumbprint' in key),
      );
    }),
  );
});
