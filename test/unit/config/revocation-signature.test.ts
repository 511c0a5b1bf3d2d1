import '../../support/reflect-metadata.js';
import assert from 'node:assert/strict';
import { type webcrypto, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import * as x509 from '@peculiar/x509';
import { isForged } from '#holdfast/config/revocation-signature.js';
import { makeCa } from '../../support/certificates.js';

interface Authority {
  readonly certificate: X509Certificate;
  /** @param keyIdentifier - whether the list says of which key it is */
  list(keyIdentifier?: boolean): Promise<Buffer>;
}

const rsa = { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
const algorithms = {
  'ECDSA with SHA-256': { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  'ECDSA with SHA-384': { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  'ECDSA with SHA-512': { name: 'ECDSA', namedCurve: 'P-521', hash: 'SHA-512' },
  'RSA with SHA-256': { ...rsa, hash: 'SHA-256' },
  'RSA with SHA-384': { ...rsa, hash: 'SHA-384' },
  'RSA with SHA-512': { ...rsa, hash: 'SHA-512' },
  Ed25519: { name: 'Ed25519' },
} as const;

async function makeAuthority(
  signingAlgorithm: (typeof algorithms)[keyof typeof algorithms],
): Promise<Authority> {
  const keys = (await crypto.subtle.generateKey(signingAlgorithm, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  const name = 'CN=One CA';
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...{ name, keys, signingAlgorithm },
    extensions: [await x509.SubjectKeyIdentifierExtension.create(keys.publicKey)],
  });
  return {
    certificate: new X509Certificate(Buffer.from(certificate.rawData)),
    async list(keyIdentifier = false) {
      const extensions = keyIdentifier
        ? [await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey)]
        : [];
      const list = await x509.X509CrlGenerator.create({
        ...{ issuer: name, signingAlgorithm, signingKey: keys.privateKey, extensions },
        ...{ thisUpdate: new Date(), nextUpdate: new Date(Date.now() + 86_400_000) },
      });
      return Buffer.from(list.rawData);
    },
  };
}

for (const [title, algorithm] of Object.entries(algorithms))
  test(`J15: ${title}: a list that a CA of its name has not signed`, async () => {
    const [one, other] = [await makeAuthority(algorithm), await makeAuthority(algorithm)];
    assert.equal(isForged(await one.list(), [other.certificate]), true);
    // Accepting twins: its own CA, also beside another of the same name.
    assert.equal(isForged(await one.list(), [one.certificate]), false);
    assert.equal(isForged(await one.list(true), [one.certificate]), false);
    assert.equal(isForged(await one.list(), [other.certificate, one.certificate]), false);
  });

test('J15: CAs of one name with keys of several kinds, in any order', async () => {
  const old = await makeAuthority(algorithms['RSA with SHA-256']);
  const renewed = await makeAuthority(algorithms.Ed25519);
  const both = [old.certificate, renewed.certificate];
  for (const one of [old, renewed])
    for (const certificates of [both, both.toReversed()])
      assert.equal(isForged(await one.list(), certificates), false);
  assert.equal(isForged(await old.list(), [renewed.certificate]), true);
  assert.equal(isForged(await old.list(true), [renewed.certificate]), false);
});

test('J15: a list that was changed after it was signed', async () => {
  const { certificate, list } = await makeAuthority(algorithms.Ed25519);
  const changed = await list(true);
  const at = changed.indexOf('One CA') + 'One CA'.length + 4; // in the time of the update
  changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
  assert.equal(isForged(changed, [certificate]), true);
});

test('J15: by its authority key identifier it is of an intermediate with the same name', async () => {
  const [one, other] = [await makeAuthority(algorithms.Ed25519), await makeAuthority(algorithms.Ed25519)];
  assert.equal(isForged(await one.list(true), [other.certificate]), false);
});

test('J15: what is no list is an error', async () => {
  const { certPem } = await makeCa();
  for (const bytes of [Buffer.alloc(0), Buffer.from('3000', 'hex'), Buffer.from(certPem)])
    assert.throws(() => isForged(bytes, [new X509Certificate(certPem)]), RangeError);
});
