import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { ClientCas } from '#holdfast/pki/client-cas.js';
import {
  clientAuth,
  digitalSignature,
  keyCertSign,
  keyEncipherment,
  type Made,
  makeAuthority,
  makeCertificate,
  policyConstraints,
  type Shape,
  serverAuth,
  unknownExtension,
} from '../../support/certificate-paths.js';

let root: Made;
let leaf: Made;
before(async () => {
  root = await makeAuthority({ cn: 'root' });
  leaf = await makeCertificate({ cn: 'leaf', issuer: root });
});

/** @returns undefined when it is trusted, else why not */
function distrust(shown: Made, { others = [], cas = [root] }: { others?: Made[]; cas?: Made[] } = {}) {
  const judged = new ClientCas(cas.map(({ pem }) => pem)).judge(
    shown.certificate.raw,
    others.map(({ certificate }) => certificate.raw),
    Date.now(),
  );
  return judged.trusted ? undefined : judged.cause;
}

/** A leaf below one intermediate of this shape. */
async function below(shape: Shape, leafShape: Shape = {}) {
  const between = await makeAuthority({ cn: 'between', issuer: root, ...shape });
  return { between, leaf: await makeCertificate({ cn: 'leaf', issuer: between, ...leafShape }) };
}

describe('RFC 5280 §6.1: a path leads from the leaf to a configured root', () => {
  test('K07: directly, and through what came along, in any order and with certificates that belong elsewhere', async () => {
    assert.equal(distrust(leaf), undefined);
    const { between, leaf: deep } = await below({});
    assert.equal(distrust(deep, { others: [between] }), undefined);
    const stranger = await makeAuthority({ cn: 'stranger' });
    assert.equal(distrust(deep, { others: [stranger, root, between, leaf] }), undefined);
    assert.equal(distrust(deep, { cas: [root, between] }), undefined);
  });

  test('J07: nothing that came along is an anchor, and nothing is one without its root', async () => {
    const none = 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY';
    const stranger = await makeAuthority({ cn: 'root' });
    const forged = await makeCertificate({ cn: 'leaf', issuer: stranger });
    assert.equal(distrust(forged), none);
    assert.equal(distrust(forged, { others: [stranger] }), none);
    assert.equal(distrust(leaf, { cas: [] }), none);
    const { between, leaf: deep } = await below({});
    assert.equal(distrust(deep), none);
    assert.equal(distrust(deep, { cas: [between] }), none);
    assert.equal(distrust(await makeCertificate({ cn: 'self' })), none);
  });

  test('J07: of two CAs of one name the one whose key signed counts', async () => {
    const namesake = await makeAuthority({ cn: 'root' });
    assert.equal(distrust(leaf, { cas: [namesake, root] }), undefined);
    assert.equal(distrust(leaf, { cas: [namesake] }), 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY');
  });

  test('J07: a self-signed certificate that is itself configured is trusted, as OpenSSL has it', async () => {
    const pinned = await makeCertificate({ cn: 'pinned', keyUsage: null });
    assert.equal(distrust(pinned, { cas: [pinned] }), undefined);
    const server = await makeCertificate({ cn: 'server', keyUsage: null, extKeyUsage: [serverAuth] });
    assert.equal(distrust(server, { cas: [server] }), 'INVALID_PURPOSE');
  });

  test('K07: a circle of CAs ends, and so does a path that is too long', async () => {
    let last = root;
    const others: Made[] = [];
    for (let depth = 0; depth < 8; depth++) {
      last = await makeAuthority({ cn: `ca${depth}`, issuer: last });
      others.push(last);
    }
    const deep = await makeCertificate({ cn: 'leaf', issuer: last });
    assert.equal(distrust(deep, { others }), 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY');
    const one = await makeAuthority({ cn: 'one', issuer: { ...root, shape: { cn: 'two' } } });
    assert.equal(
      distrust(await makeCertificate({ cn: 'leaf', issuer: one }), { others: [one] }),
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    );
  });
});

describe('RFC 5280 §4.2.1: what a certificate is for', () => {
  test('J06: the leaf is for TLS clients', async () => {
    const issuer = root;
    assert.equal(distrust(await makeCertificate({ issuer, extKeyUsage: [] })), undefined);
    assert.equal(
      distrust(await makeCertificate({ issuer, extKeyUsage: [serverAuth, clientAuth] })),
      undefined,
    );
    assert.equal(distrust(await makeCertificate({ issuer, extKeyUsage: [serverAuth] })), 'INVALID_PURPOSE');
    // anyExtendedKeyUsage: OpenSSL does not take it for a client's either
    assert.equal(
      distrust(await makeCertificate({ issuer, extKeyUsage: ['2.5.29.37.0'] })),
      'INVALID_PURPOSE',
    );
    assert.equal(distrust(await makeCertificate({ issuer, keyUsage: null })), undefined);
    assert.equal(distrust(await makeCertificate({ issuer, keyUsage: keyEncipherment })), 'INVALID_PURPOSE');
    assert.equal(distrust(await makeCertificate({ issuer, ca: null })), undefined);
  });

  test('J06: an intermediate is a CA, and for clients where it says what for', async () => {
    const judge = async (shape: Shape) => {
      const { between, leaf: deep } = await below(shape);
      return distrust(deep, { others: [between] });
    };
    assert.equal(await judge({ extKeyUsage: [clientAuth] }), undefined);
    assert.equal(await judge({ extKeyUsage: [serverAuth] }), 'INVALID_PURPOSE');
    assert.equal(await judge({ ca: false }), 'INVALID_CA');
    assert.equal(await judge({ ca: null }), 'INVALID_CA');
    assert.notEqual(await judge({ keyUsage: digitalSignature }), undefined);
    assert.equal(await judge({ keyUsage: null }), undefined);
  });

  test('J06: a client certificate signs no other', async () => {
    const child = await makeCertificate({ cn: 'child', issuer: leaf });
    assert.notEqual(distrust(child, { others: [leaf] }), undefined);
    const signing = await makeCertificate({
      cn: 'signing',
      issuer: root,
      keyUsage: digitalSignature | keyCertSign,
    });
    assert.equal(distrust(await makeCertificate({ issuer: signing }), { others: [signing] }), 'INVALID_CA');
  });

  test('RFC 5280 §4.2.1.9: no more CAs below one than it says, the root included', async () => {
    const path = async (
      rootLength: number | undefined,
      betweenLength: number | undefined,
      levels: number,
    ) => {
      const limited = (length: number | undefined) => (length === undefined ? {} : { pathLength: length });
      const top = await makeAuthority({ cn: 'top', ...limited(rootLength) });
      const others: Made[] = [];
      let last = top;
      for (let level = 0; level < levels; level++) {
        last = await makeAuthority({
          cn: `level${level}`,
          issuer: last,
          ...(level === 0 ? limited(betweenLength) : {}),
        });
        others.push(last);
      }
      return distrust(await makeCertificate({ cn: 'leaf', issuer: last }), { others, cas: [top] });
    };
    assert.equal(await path(0, undefined, 0), undefined);
    assert.equal(await path(0, undefined, 1), 'PATH_LENGTH_EXCEEDED');
    assert.equal(await path(1, undefined, 1), undefined);
    assert.equal(await path(1, undefined, 2), 'PATH_LENGTH_EXCEEDED');
    assert.equal(await path(undefined, 0, 1), undefined);
    assert.equal(await path(undefined, 0, 2), 'PATH_LENGTH_EXCEEDED');
    assert.equal(await path(5, 1, 2), undefined);
  });

  test('RFC 5280 §4.2: a critical extension that is not understood, and policy constraints in any form', async () => {
    const issuer = root;
    assert.equal(distrust(await makeCertificate({ issuer, more: [unknownExtension(false)] })), undefined);
    const critical = { more: [unknownExtension(true)] };
    assert.equal(distrust(await makeCertificate({ issuer, ...critical })), 'UNHANDLED_CRITICAL_EXTENSION');
    const { between, leaf: deep } = await below(critical);
    assert.equal(distrust(deep, { others: [between] }), 'UNHANDLED_CRITICAL_EXTENSION');
    for (const isCritical of [true, false]) {
      const explicit = await below({ more: [policyConstraints(isCritical)] });
      assert.equal(
        distrust(explicit.leaf, { others: [explicit.between] }),
        'POLICY_CONSTRAINTS_NOT_SUPPORTED',
      );
    }
  });
});

describe('what a certificate is signed with', () => {
  const rsa = (modulusLength: number, hash = 'SHA-256') => ({
    ...{ name: 'RSASSA-PKCS1-v1_5', modulusLength, publicExponent: new Uint8Array([1, 0, 1]), hash },
  });

  test('J06: SHA-1 counts for nothing, SHA-2 does', async () => {
    for (const [hash, expected] of [
      ['SHA-256', undefined],
      ['SHA-384', undefined],
      ['SHA-512', undefined],
      ['SHA-1', 'MD_TOO_WEAK'],
    ] as const) {
      const ca = await makeAuthority({ cn: 'rsa', key: rsa(2048, hash), hash });
      assert.equal(distrust(await makeCertificate({ issuer: ca, hash }), { cas: [ca] }), expected, hash);
    }
    const pss = await makeAuthority({ cn: 'pss', key: { ...rsa(2048), name: 'RSA-PSS' } });
    assert.equal(distrust(await makeCertificate({ issuer: pss }), { cas: [pss] }), undefined);
  });

  test('J06: RSA of 1024 bits counts for nothing, of leaf and CA', async () => {
    assert.equal(distrust(await makeCertificate({ issuer: root, key: rsa(1024) })), 'KEY_TOO_SMALL');
    assert.equal(distrust(await makeCertificate({ issuer: root, key: rsa(2048) })), undefined);
    const weak = await makeAuthority({ cn: 'weak', key: rsa(1024) });
    assert.equal(distrust(await makeCertificate({ issuer: weak }), { cas: [weak] }), 'KEY_TOO_SMALL');
  });

  test('K07: a certificate whose signature was touched', async () => {
    const { X509Certificate } = await import('node:crypto');
    const der = Buffer.from(leaf.certificate.raw);
    der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
    const touched = { ...leaf, certificate: new X509Certificate(der) };
    assert.equal(distrust(touched), 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY');
  });
});

test('J12: the verdict holds as long as every certificate of the path is valid', async () => {
  const seconds = (ms: number) => Math.floor(ms / 1000) * 1000;
  const from = new Date(seconds(Date.now() - 3_600_000));
  const to = new Date(seconds(Date.now() + 3_600_000));
  const { between, leaf: deep } = await below({ notBefore: from, notAfter: to });
  const judged = new ClientCas([root.pem]).judge(deep.certificate.raw, [between.certificate.raw], Date.now());
  assert.ok(judged.trusted);
  assert.deepEqual([judged.notBeforeMs, judged.notAfterMs], [from.getTime(), to.getTime()]);
});
