import '../../support/reflect-metadata.js';
import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, test } from 'node:test';
import * as x509 from '@peculiar/x509';
import { findBundleFaults } from '#holdfast/pki/bundle.js';
import { ClientCas } from '#holdfast/pki/client-cas.js';
import {
  type Made,
  makeAuthority,
  makeCertificate,
  nameConstraints,
  type Shape,
} from '../../support/certificate-paths.js';
import { type Encoded, element, encodeCertificate, pemOf } from '../../support/encoded-certificates.js';
import {
  basicConstraints,
  caExtensions,
  encodeLeaf,
  extension,
  hex,
  makeModulus,
  makeOddCa,
  type OddCa,
  rsaKey,
} from '../../support/odd-certificates.js';

const now = Date.now();
const hourMs = 3_600_000;
const root = makeOddCa('root');

const judge = (leaf: Buffer, others: readonly Buffer[] = [], cas: readonly Buffer[] = [root.der]) => {
  const judged = new ClientCas(cas.map((one) => pemOf(one))).judge(leaf, others, now);
  return judged.trusted ? 'trusted' : judged.cause;
};

test('J19: the twin of every vector below is trusted', () => {
  assert.equal(judge(encodeLeaf(root)), 'trusted');
});

describe('J19: what cannot be read is not trusted', () => {
  const read = /^CERT_CANNOT_BE_READ: /;
  const cases: Readonly<Record<string, [Partial<Encoded>, RegExp]>> = {
    'a year of twelve digits': [{ notAfter: element(0x18, Buffer.from('991399999999Z')) }, /time/],
    'a month 13': [{ notAfter: element(0x17, Buffer.from('301301000000Z')) }, /time/],
    'the 30th of February': [{ notAfter: element(0x17, Buffer.from('300230000000Z')) }, /time/],
    'a time with an offset': [{ notAfter: element(0x17, Buffer.from('3001010000+0000')) }, /time/],
    'a time without seconds': [{ notAfter: element(0x17, Buffer.from('3001010000Z')) }, /time/],
    'a fraction of a second': [{ notAfter: element(0x18, Buffer.from('20510101000000.5Z')) }, /time/],
    'version 4': [{ version: 3 }, /version 4/],
    'extensions in version 2': [{ version: 1 }, /version 2/],
    'bytes behind it': [{ behind: hex('00') }, /./],
    'an extension twice': [
      { extensions: [...[0, 1].map(() => extension('551d0f', hex('03020780')))] },
      /extension 551d0f twice/,
    ],
    'bytes behind basicConstraints': [{ extensions: [basicConstraints('3000 0500')] }, /behind/],
    'bytes behind keyUsage': [{ extensions: [extension('551d0f', hex('03020780 0500'))] }, /behind/],
    'bytes behind extKeyUsage': [
      { extensions: [extension('551d25', hex('300a06082b06010505070302 0500'))] },
      /behind/,
    ],
    'a length in more bytes than it needs': [
      { extensions: [extension('551d0f', hex('0381020780'))] },
      /length of an element/,
    ],
    'a path length of what is no CA': [{ extensions: [basicConstraints('3003020100')] }, /basicConstraints/],
    'a boolean of 1': [{ extensions: [basicConstraints('3003010101')] }, /boolean/],
    'no purposes at all': [{ extensions: [extension('551d25', hex('3000'))] }, /extKeyUsage/],
    'two signature algorithms': [{ outerAlgorithm: hex('300a06082a8648ce3d040303') }, /two signature/],
  };
  for (const [title, [encoded, message]] of Object.entries(cases))
    test(title, () => {
      const cause = judge(encodeLeaf(root, encoded));
      assert.match(cause, read);
      assert.match(cause, message);
    });

  test('a year 49 with four digits is 1,900 years ago, and not 2049', () => {
    const notAfter = element(0x18, Buffer.from('00491231235959Z'));
    const judged = new ClientCas([pemOf(root.der)]).judge(encodeLeaf(root, { notAfter }), [], now);
    assert.ok(!judged.trusted || judged.notAfterMs < 0);
  });

  test('an intermediate whose end cannot be read hides no end of the path', () => {
    const { privateKey: key, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const notAfter = element(0x18, Buffer.from('991399999999Z'));
    const between = encodeCertificate({
      cn: 'between',
      publicKey,
      issuer: root,
      extensions: caExtensions(),
      notAfter,
    });
    const cause = judge(encodeLeaf({ key, cn: 'between' }), [between]);
    assert.equal(cause, 'CERT_CANNOT_BE_READ: an intermediate');
  });
});

describe('J19: one rule for keys', () => {
  const leafWith = (publicKey: KeyObject | Buffer) => judge(encodeLeaf(root, { publicKey }));
  const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).publicKey;
  test('P-256, P-384, P-521, Ed25519, and RSA of 2048 bits with 65537', () => {
    for (const curve of ['P-256', 'P-384', 'P-521']) assert.equal(leafWith(ec(curve)), 'trusted', curve);
    assert.equal(leafWith(generateKeyPairSync('ed25519').publicKey), 'trusted');
    assert.equal(leafWith(rsaKey(makeModulus(), hex('010001'))), 'trusted');
  });

  test('other curves, by name and by their parameters', () => {
    for (const curve of ['secp224r1', 'prime192v1', 'secp256k1', 'brainpoolP256r1'])
      assert.equal(leafWith(ec(curve)), 'KEY_CURVE_NOT_SUPPORTED', curve);
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' });
    assert.equal(leafWith(publicKey), 'KEY_CURVE_PARAMETERS_EXPLICIT');
  });

  test('Ed448, X25519 and DSA', () => {
    for (const { publicKey } of [
      generateKeyPairSync('ed448'),
      generateKeyPairSync('x25519'),
      generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 }),
    ])
      assert.equal(leafWith(publicKey), 'KEY_TYPE_NOT_SUPPORTED');
  });

  test('a point of small order', () => {
    const spki = Buffer.concat([hex('302a300506032b6570032100'), Buffer.alloc(32)]);
    assert.equal(leafWith(spki), 'KEY_OF_SMALL_ORDER');
  });

  test('a point that is not on its curve', () => {
    const spki = Buffer.from(ec('P-256').export({ type: 'spki', format: 'der' }));
    spki.writeUInt8(spki.readUInt8(spki.length - 1) ^ 1, spki.length - 1);
    assert.match(leafWith(spki), /^CERT_CANNOT_BE_READ: a key that OpenSSL cannot read$/);
  });

  test('RSA exponents 1 and 3, an even modulus, too few bits and too many', () => {
    const modulus = makeModulus();
    assert.equal(leafWith(rsaKey(modulus, hex('01'))), 'KEY_EXPONENT_NOT_65537');
    assert.equal(leafWith(rsaKey(modulus, hex('03'))), 'KEY_EXPONENT_NOT_65537');
    const even = Buffer.from(modulus);
    even.writeUInt8(even.readUInt8(256) & 0xfe, 256);
    assert.equal(leafWith(rsaKey(even, hex('010001'))), 'KEY_MODULUS_EVEN');
    assert.equal(leafWith(rsaKey(modulus.subarray(0, 129), hex('010001'))), 'KEY_TOO_SMALL');
    const long = Buffer.concat([hex('00'), Buffer.alloc(1025, 0xff)]);
    assert.equal(leafWith(rsaKey(long, hex('010001'))), 'KEY_TOO_LARGE');
  });

  test('a modulus of the library whose keys can be computed (CVE-2017-15361)', () => {
    // A power of 65537 modulo the product of primes, and a multiple of that product: odd, 2048 bits.
    const primes = [
      2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89,
    ];
    primes.push(97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167);
    const product = primes.reduce((all, prime) => all * BigInt(prime), 1n);
    const base = 2n ** 2047n;
    const number = base - (base % product) + product + 65_537n ** 5n;
    const modulus = hex(`00${number.toString(16)}`);
    assert.equal(leafWith(rsaKey(modulus, hex('010001'))), 'KEY_IS_ROCA');
  });

  test('an intermediate with the exponent 1, for which anybody can sign, vouches for nobody', () => {
    const weak = rsaKey(makeModulus(), hex('01'));
    const between = encodeCertificate({
      cn: 'between',
      publicKey: weak,
      issuer: root,
      extensions: caExtensions(),
    });
    const leaf = encodeLeaf({ key: root.key, cn: 'between' });
    assert.equal(judge(leaf, [between]), 'KEY_EXPONENT_NOT_65537');
  });

  test('what a weak digest signs counts for nothing', () => {
    const leaf = encodeLeaf(root, { digest: 'sha1', algorithm: hex('300906072a8648ce3d0401') });
    assert.equal(judge(leaf), 'MD_TOO_WEAK');
  });
});

describe('RFC 5280 §6: what real PKIs issue', () => {
  const pathOf = async (leaf: Made, others: Made[], cas: Made[], at = now) =>
    new ClientCas(cas.map(({ pem }) => pem)).judge(
      leaf.certificate.raw,
      others.map(({ certificate }) => certificate.raw),
      at,
    );
  const renew = async (made: Made, shape: Shape): Promise<Made> => {
    const generated = await x509.X509CertificateGenerator.create({
      subject: [{ CN: [made.shape.cn ?? 'subject'] }],
      issuer: [{ CN: [made.shape.cn ?? 'subject'] }],
      ...{ notBefore: shape.notBefore ?? new Date(), notAfter: shape.notAfter ?? new Date() },
      ...{ publicKey: made.keys.publicKey, signingKey: made.keys.privateKey },
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
    });
    return { ...made, pem: `${generated.toString('pem')}\n` };
  };

  test('a CA renewed with its key, old and new in the bundle, in any order', async () => {
    const over = { notBefore: new Date(now - 9 * hourMs), notAfter: new Date(now - hourMs) };
    const old = await makeAuthority({ cn: 'renewed', ...over });
    const current = await renew(old, { notBefore: new Date(now - hourMs), notAfter: new Date(now + hourMs) });
    const leaf = await makeCertificate({ issuer: old });
    for (const cas of [
      [old, current],
      [current, old],
    ]) {
      const judged = await pathOf(leaf, [], cas);
      assert.ok(judged.trusted);
      assert.ok(judged.notBeforeMs <= now && now < judged.notAfterMs);
    }
    const alone = await pathOf(leaf, [], [old]);
    assert.ok(alone.trusted && alone.notAfterMs < now, 'the time is for proof/certificate.ts to look at');
  });

  test('a self-signed client certificate that is configured, and may sign nothing else', async () => {
    const pinned = await makeCertificate({ cn: 'pinned' });
    assert.equal((await pathOf(pinned, [], [pinned])).trusted, true);
    const child = await makeCertificate({ cn: 'child', issuer: pinned });
    assert.deepEqual(await pathOf(child, [], [pinned]), { trusted: false, cause: 'INVALID_CA' });
  });

  test('a path length of more than 127', async () => {
    const top = await makeAuthority({ cn: 'top', pathLength: 200 });
    const between = await makeAuthority({ cn: 'between', issuer: top });
    assert.ok((await pathOf(await makeCertificate({ issuer: between }), [between], [top])).trusted);
  });

  test('name constraints: names within them, names beside them, and none', async () => {
    const top = await makeAuthority({ cn: 'top', more: [nameConstraints(true)] });
    const withName = (value: string, type: 'dns' | 'email' | 'url' = 'dns') =>
      makeCertificate({ issuer: top, more: [new x509.SubjectAlternativeNameExtension([{ type, value }])] });
    const judged = async (leaf: Made) => {
      const one = await pathOf(leaf, [], [top]);
      return one.trusted ? 'trusted' : one.cause;
    };
    assert.equal(await judged(await withName('a.good.test')), 'trusted');
    assert.equal(await judged(await withName('GOOD.test')), 'trusted');
    assert.equal(await judged(await withName('good.test.evil')), 'PERMITTED_VIOLATION');
    assert.equal(await judged(await withName('notgood.test')), 'PERMITTED_VIOLATION');
    assert.equal(await judged(await withName('x@elsewhere.test', 'email')), 'trusted');
    assert.equal(await judged(await makeCertificate({ issuer: top })), 'trusted');
  });

  const constraint = (tag: number, kind: number, base: Buffer) =>
    new x509.Extension('2.5.29.30', true, element(0x30, element(tag, element(0x30, element(kind, base)))));
  const kinds = {
    'a mailbox host': [0x81, Buffer.from('good.test'), 'email', 'a@good.test', 'a@sub.good.test'],
    'hosts of URIs': [0x86, Buffer.from('.good.test'), 'url', 'spiffe://a.good.test/x', 'https://good.test/'],
    addresses: [0x87, hex('0a000000ff000000'), 'ip', '10.1.2.3', '11.1.2.3'],
  } as const;
  for (const [title, [kind, base, type, inside, outside]] of Object.entries(kinds))
    test(`name constraints on ${title}`, async () => {
      const judged = async (tag: number, value: string) => {
        const top = await makeAuthority({ cn: 'top', more: [constraint(tag, kind, base)] });
        const names = new x509.SubjectAlternativeNameExtension([{ type, value }]);
        const one = await pathOf(await makeCertificate({ issuer: top, more: [names] }), [], [top]);
        return one.trusted ? 'trusted' : one.cause;
      };
      assert.equal(await judged(0xa0, inside), 'trusted');
      assert.equal(await judged(0xa0, outside), 'PERMITTED_VIOLATION');
      assert.equal(await judged(0xa1, inside), 'EXCLUDED_VIOLATION');
      assert.equal(await judged(0xa1, outside), 'trusted');
    });

  test('L10: the path that was judged, without what came along and did not sign', async () => {
    const top = await makeAuthority({ cn: 'top' });
    const between = await makeAuthority({ cn: 'between', issuer: top });
    const invented = await makeAuthority({ cn: 'between' });
    const leaf = await makeCertificate({ issuer: between });
    const judged = await pathOf(leaf, [invented, between, top], [top]);
    assert.ok(judged.trusted);
    assert.deepEqual(judged.intermediates, [between.certificate.raw]);
  });

  test('J16: a search ends, however many certificates of one name came along', async () => {
    const top = await makeAuthority({ cn: 'name' });
    const many = await Promise.all(
      Array.from({ length: 7 }, () => makeAuthority({ cn: 'name', issuer: top })),
    );
    const stranger = await makeAuthority({ cn: 'name' });
    const started = performance.now();
    const judged = await pathOf(await makeCertificate({ issuer: stranger }), [...many, ...many], [top]);
    assert.equal(judged.trusted, false);
    assert.ok(performance.now() - started < 1000);
  });
});

describe('J16: bundles of CAs', () => {
  test('two CAs that certify each other are a problem, a root and its intermediate are none', () => {
    const crossed = (cn: string, issuer: OddCa) => {
      const { privateKey: key, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      return { cn, key, der: encodeCertificate({ cn, publicKey, issuer, extensions: caExtensions() }) };
    };
    const one = crossed('one', { ...root, cn: 'two' });
    const two = crossed('two', { ...root, cn: 'one' });
    assert.match(findBundleFaults([pemOf(one.der), pemOf(two.der)]).problems[0] ?? '', /certify each other/);
    const fine = crossed('below', root);
    assert.deepEqual(findBundleFaults([root, fine, one].map(({ der }) => pemOf(der))), {
      problems: [],
      warnings: [],
    });
  });

  test('a CA that cannot be read is a problem, one whose key counts for nothing a warning', () => {
    const notAfter = element(0x18, Buffer.from('991399999999Z'));
    assert.match(findBundleFaults([pemOf(makeOddCa('odd', { notAfter }).der)]).problems[0] ?? '', /a time/);
    const { privateKey: key, publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
    const odd = encodeCertificate({
      cn: 'odd',
      publicKey,
      issuer: { cn: 'odd', key },
      extensions: caExtensions(),
    });
    assert.match(findBundleFaults([pemOf(odd)]).warnings[0] ?? '', /CN=odd .*KEY_CURVE_NOT_SUPPORTED/);
  });
});
