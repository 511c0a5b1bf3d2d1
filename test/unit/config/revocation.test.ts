import '../../support/reflect-metadata.js';
import assert from 'node:assert/strict';
import type { webcrypto } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import * as x509 from '@peculiar/x509';
import { type Ca, makeCa } from '../../support/certificates.js';
import { now, Workspace, withOption } from './workspace.js';

const dayMs = 86_400_000;
const path = 'listen.tls.clientCertificates.crl';
const at = (days: number) => new Date(now + days * dayMs);

let workspace: Workspace;
let one: Ca;
let two: Ca;
before(async () => {
  workspace = await Workspace.create();
  one = await makeCa({ cn: 'One' });
  two = await makeCa({ cn: 'Two' });
  workspace.write('one.pem', one.certPem);
  workspace.write('two.pem', two.certPem);
  const current = await one.revoke([], { thisUpdate: at(-1), nextUpdate: at(1) });
  workspace.write('one.crl', current);
  workspace.write('both.crl', current + (await two.revoke([], { thisUpdate: at(-2), nextUpdate: null })));
  workspace.write('newer.crl', await one.revoke([], { thisUpdate: at(-0.5), nextUpdate: at(2) }));
  workspace.write('twin.crl', await one.revoke([], { thisUpdate: at(-1), nextUpdate: at(3) }));
  workspace.write('stale.crl', await one.revoke([], { thisUpdate: at(-2), nextUpdate: at(-1) }));
  workspace.write('early.crl', await one.revoke([], { thisUpdate: at(1), nextUpdate: at(2) }));
  workspace.write('cut.crl', current + current.slice(0, -30));
  workspace.write('other-label.crl', current.replaceAll('X509 CRL', 'CRL'));
  workspace.write('broken.crl', current.replace(/\n.{8}/, '\nAAAAAAAA'));
  workspace.write('empty.crl', '');
});
after(() => workspace.remove());

const written = (crl: readonly string[], ca = ['one.pem'], mode = 'optional') =>
  withOption('listen.tls.clientCertificates', { mode, ca, crl });
const load = (crl: readonly string[], ca?: string[]) =>
  workspace.load(written(crl, ca)).config.listen.tls?.clientCertificates.crl ?? [];

test('J15: without crl revocation is not checked', () => {
  assert.deepEqual(load([]), []);
});

test('J15: each list of a file is read, with its next update', () => {
  const lists = load(['both.crl'], ['one.pem', 'two.pem']);
  assert.deepEqual(
    lists.map(({ nextUpdateMs }) => nextUpdateMs),
    [at(1).getTime(), undefined],
  );
  for (const { pem } of lists) assert.equal(pem.match(/BEGIN X509 CRL/g)?.length, 1);
});

test('J15: RFC 5280 §5.1.2.5: dates from 2050 on are written with four digits of the year', async () => {
  const nextUpdate = new Date('2055-01-02T03:04:05Z');
  workspace.write('far.crl', await one.revoke([], { thisUpdate: at(-1), nextUpdate }));
  assert.deepEqual(
    load(['far.crl']).map(({ nextUpdateMs }) => nextUpdateMs),
    [nextUpdate.getTime()],
  );
});

test('J15: the latest list comes first, whatever the order of the files', () => {
  for (const files of [
    ['one.crl', 'newer.crl'],
    ['newer.crl', 'one.crl'],
  ]) {
    assert.deepEqual(
      load(files).map(({ nextUpdateMs }) => nextUpdateMs),
      [at(2).getTime(), at(1).getTime()],
    );
  }
});

for (const name of ['empty.crl', 'cut.crl', 'other-label.crl', 'broken.crl', 'one.pem']) {
  test(`J15: ${name} is no file of lists`, () => {
    assert.match(
      workspace.refuseAt(`${path}[1]`, written(['one.crl', name])),
      /does not hold certificate revoc/,
    );
  });
}

test('J15: a file that is not there', () => {
  assert.match(workspace.refuseAt(`${path}[0]`, written(['absent.crl'])), /ENOENT/);
});

test('J15: two lists of one issuer and date are fine', () => {
  assert.equal(load(['one.crl', 'twin.crl']).length, 2);
  workspace.load(written(['both.crl', 'newer.crl'], ['one.pem', 'two.pem']));
});

test('J15: a list in the name of a CA that has not signed it would make its certificates worthless', async () => {
  workspace.write('forged.crl', await (await makeCa({ cn: 'One' })).revoke([]));
  assert.match(
    workspace.refuseAt(`${path}[0]`, written(['forged.crl'])),
    /a list in the name of CN=One is not signed by its key/,
  );
  workspace.load(written(['forged.crl', 'both.crl'], ['two.pem']));
});

test('J15: lists need a CA, and clients that are asked for certificates', () => {
  assert.match(workspace.refuseAt(path, written(['one.crl'], [])), /without ca/);
  assert.match(workspace.refuseAt(path, written(['one.crl'], [], 'off')), /mode off/);
});

test('J15: what makes certificates count for nothing is warned about', () => {
  // The CAs are of today, wherever the clock of these tests stands.
  const warnings = (crl: readonly string[], ca?: string[]) =>
    workspace.warnings(written(crl, ca)).filter((one) => one.startsWith(path));
  assert.deepEqual(warnings(['one.crl']), []);
  assert.deepEqual(warnings(['stale.crl']), [`${path}[0]`]);
  assert.deepEqual(warnings(['early.crl']), [`${path}[0]`]);
  assert.deepEqual(warnings(['one.crl'], ['one.pem', 'two.pem']), [path]);
});

describe('J18: a list that would be misread is a problem of the configuration', () => {
  const usage = x509.KeyUsageFlags;
  const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

  /** @returns the problem with a list that its CA has signed */
  async function problemWith(extensions: x509.Extension[], keyUsage = usage.keyCertSign | usage.cRLSign) {
    const keys = (await crypto.subtle.generateKey(ecdsa, true, [
      'sign',
      'verify',
    ])) as webcrypto.CryptoKeyPair;
    const ca = await x509.X509CertificateGenerator.createSelfSigned({
      ...{ name: 'CN=Lists', keys, signingAlgorithm: ecdsa, notBefore: at(-1), notAfter: at(9) },
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(keyUsage, true),
      ],
    });
    const list = await x509.X509CrlGenerator.create({
      ...{ issuer: 'CN=Lists', signingAlgorithm: ecdsa, signingKey: keys.privateKey, extensions },
      ...{ thisUpdate: at(-1), nextUpdate: at(1) },
    });
    workspace.write('lists.pem', ca.toString('pem'));
    workspace.write('lists.crl', x509.PemConverter.encode(list.rawData, 'X509 CRL'));
    return () => workspace.refuseAt(`${path}[0]`, written(['lists.crl'], ['lists.pem']));
  }

  const odd = (oid: string, value: string) => [new x509.Extension(oid, true, Buffer.from(value, 'hex'))];

  test('the twin is read', async () => {
    await problemWith([]);
    assert.equal(load(['lists.crl'], ['lists.pem']).length, 1);
  });
  test('a delta list', async () => {
    assert.match((await problemWith(odd('2.5.29.27', '020101')))(), /delta list/);
  });
  test('a list of a part of the certificates, or an indirect one', async () => {
    assert.match((await problemWith(odd('2.5.29.28', '30038101ff')))(), /one distribution point/);
  });
  test('a critical extension that is not understood', async () => {
    assert.match((await problemWith(odd('1.2.3.4.5', '0500')))(), /critical extension/);
  });
  test('a CA that may not sign lists', async () => {
    assert.match((await problemWith([], usage.keyCertSign))(), /lacks cRLSign/);
  });
});

describe('J15, J18: a list that its CA has not signed, by each algorithm', () => {
  const rsa = { modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
  const algorithms = {
    'RSA with SHA-256': { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', ...rsa },
    'RSA with SHA-512': { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-512', ...rsa },
    'RSASSA-PSS': { name: 'RSA-PSS', hash: 'SHA-256', saltLength: 32, ...rsa },
    'ECDSA on P-256': { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
    'ECDSA on P-384': { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
    Ed25519: { name: 'Ed25519' },
  };

  async function make(signingAlgorithm: (typeof algorithms)[keyof typeof algorithms]) {
    const keys = (await crypto.subtle.generateKey(signingAlgorithm, true, [
      'sign',
      'verify',
    ])) as webcrypto.CryptoKeyPair;
    const ca = await x509.X509CertificateGenerator.createSelfSigned({
      ...{ name: 'CN=Namesake', keys, signingAlgorithm, notBefore: at(-1), notAfter: at(9) },
      extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
    });
    const list = await x509.X509CrlGenerator.create({
      ...{ issuer: 'CN=Namesake', signingAlgorithm, signingKey: keys.privateKey },
      ...{ thisUpdate: at(-1), nextUpdate: at(1) },
    });
    return { pem: ca.toString('pem'), list: Buffer.from(list.rawData) };
  }

  for (const [title, algorithm] of Object.entries(algorithms))
    test(`J15: ${title}: another CA of the name, and a byte that was changed`, async () => {
      const [one, other] = [await make(algorithm), await make(algorithm)];
      const write = (list: Buffer) => workspace.write('n.crl', x509.PemConverter.encode(list, 'X509 CRL'));
      workspace.write('n.pem', one.pem);
      write(one.list);
      assert.equal(load(['n.crl'], ['n.pem']).length, 1);
      write(other.list);
      assert.match(workspace.refuseAt(`${path}[0]`, written(['n.crl'], ['n.pem'])), /not signed by its key/);
      // The last byte of the signature, and one in the time of the update.
      for (const index of [one.list.length - 1, one.list.indexOf('Namesake') + 'Namesake'.length + 4]) {
        const changed = Buffer.from(one.list);
        changed.writeUInt8(changed.readUInt8(index) ^ 1, index);
        write(changed);
        assert.match(
          workspace.refuseAt(`${path}[0]`, written(['n.crl'], ['n.pem'])),
          /not signed by its key/,
        );
      }
    });
});
