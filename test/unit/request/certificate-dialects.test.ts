import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { buildClientCert, parseClientCert } from '#holdfast/request/client-cert-field.js';
import { parseEscapedPem } from '#holdfast/request/escaped-pem.js';
import { parseXfcc } from '#holdfast/request/xfcc.js';
import { type IssuedCertificate, makeSelfSigned } from '../../support/certificates.js';
import { albEscaped, envoyEscaped, nginxEscaped } from '../../support/client-cert-dialects.js';

let one: IssuedCertificate;
let two: IssuedCertificate;
before(async () => {
  one = await makeSelfSigned({ cn: 'one', usage: 'client' });
  two = await makeSelfSigned({ cn: 'two', usage: 'client' });
});

describe('RFC 9440 §2: byte sequences', () => {
  test('K02, K03: what is written is read again', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 99 }),
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 9 }), { maxLength: 4 }),
        (bytes, more) => {
          const chain = { leaf: Buffer.from(bytes), others: more.map((one) => Buffer.from(one)) };
          const { clientCert, clientCertChain } = buildClientCert(chain);
          assert.deepEqual(
            parseClientCert(clientCert, clientCertChain === undefined ? [] : [clientCertChain]),
            chain,
          );
        },
      ),
    );
  });

  test('K03: a chain may be spread over field lines, its order is theirs', () => {
    const parsed = parseClientCert(':AQ==:', [':Ag==: ,  :Aw==:', ':BA==:']);
    assert.deepEqual(
      parsed?.others.map((one) => [...one]),
      [[2], [3], [4]],
    );
  });

  for (const value of [
    'AQ==',
    ':AQ==',
    ':AQ:',
    ':AQ=:',
    ':AR==:',
    ':AQ==:x',
    ':A Q==:',
    '::',
    '":AQ==:"',
    ':AQ==:;a=1',
    ':_w==:',
    ':/w:',
    '?1',
    '',
  ])
    test(`K07: ${JSON.stringify(value)} is no byte sequence`, () => {
      assert.equal(parseClientCert(value, []), undefined);
      assert.equal(parseClientCert(':AQ==:', [value]), undefined);
      assert.equal(parseClientCert(':AQ==:', [`:AQ==:,${value}`]), undefined);
      assert.notEqual(parseClientCert(':/w==:', [':AQ==:']), undefined);
    });
});

describe('percent-encoded PEM', () => {
  test('K07: one certificate or several, as each front encodes them', () => {
    for (const [encode, plain] of [
      [nginxEscaped, false],
      [envoyEscaped, false],
      [albEscaped, true],
    ] as const) {
      assert.deepEqual(parseEscapedPem(encode(one.certPem), { plain }), [one.der]);
      assert.deepEqual(parseEscapedPem(encode(one.certPem, two.certPem), { plain }), [one.der, two.der]);
    }
    assert.deepEqual(parseEscapedPem(nginxEscaped(one.certPem.trimEnd()), { plain: false }), [one.der]);
    assert.deepEqual(parseEscapedPem(nginxEscaped(one.certPem.replaceAll('\n', '\r\n')), { plain: false }), [
      one.der,
    ]);
  });

  test('K07: a plus sign is no space, and unescaped only where AWS leaves it', () => {
    assert.equal(parseEscapedPem(albEscaped(one.certPem), { plain: false }), undefined);
    assert.equal(
      parseEscapedPem(nginxEscaped(one.certPem).replaceAll('%20', '+'), { plain: true }),
      undefined,
    );
  });

  test('K07: anything around or inside it', () => {
    const good = one.certPem;
    const [head = '', body = ''] = good.split('\n');
    const bad = [
      `x${good}`,
      `${good}x`,
      `${good}\n`,
      `\n${good}`,
      good.replace('BEGIN CERTIFICATE', 'BEGIN TRUSTED CERTIFICATE'),
      good.replaceAll('CERTIFICATE', 'PRIVATE KEY'),
      good.replace(head, `${head}\nProc-Type: 4`),
      good.replace(body, `${body.slice(0, 20)} ${body.slice(20)}`),
      good.replace(body, `${body}=`),
      good.replaceAll('\n', ''),
      good.slice(0, -30),
      `${head}\n-----END CERTIFICATE-----\n`,
    ];
    for (const pem of bad) assert.equal(parseEscapedPem(nginxEscaped(pem), { plain: false }), undefined, pem);
    for (const text of [
      '',
      '%',
      '%zz',
      '%ff',
      nginxEscaped(good).slice(0, -2),
      `${nginxEscaped(good)}%00`,
      good,
    ])
      assert.equal(parseEscapedPem(text, { plain: false }), undefined, text);
  });
});

describe('X-Forwarded-Client-Cert of Envoy', () => {
  const cert = (shown: IssuedCertificate) => `Cert="${envoyEscaped(shown.certPem)}"`;
  const chain = (...shown: IssuedCertificate[]) =>
    `Chain="${envoyEscaped(...shown.map(({ certPem }) => certPem))}"`;

  test('K07: certificate, chain, or both', () => {
    const alone = { leaf: one.der, others: [] };
    assert.deepEqual(parseXfcc(cert(one)), alone);
    assert.deepEqual(parseXfcc(cert(one).replaceAll('"', '')), alone);
    assert.deepEqual(
      parseXfcc(`By=spiffe://a/b;Hash=ab;Subject="CN=\\"a, b\\";c";${cert(one)};URI=;DNS=x;DNS=y`),
      alone,
    );
    assert.deepEqual(parseXfcc(`hash=ab;cert="${envoyEscaped(one.certPem)}"`), alone);
    assert.deepEqual(parseXfcc(chain(one)), alone);
    assert.deepEqual(parseXfcc(`${cert(one)};${chain(one, two)}`), { leaf: one.der, others: [two.der] });
    assert.equal(parseXfcc(`${cert(two)};${chain(one, two)}`), undefined);
  });

  test('K07: the last element is of the proxy that speaks to us, the others are hearsay', () => {
    assert.deepEqual(parseXfcc(`${cert(two)},${cert(one)}`)?.leaf, one.der);
    assert.deepEqual(parseXfcc(`${cert(two)}, ${cert(one)}`)?.leaf, one.der);
    assert.equal(parseXfcc(`${cert(two)},Hash=ab`), undefined);
    const quoting = `Subject="\\",${cert(two).replaceAll('"', '')}",${cert(one)}`;
    assert.deepEqual(parseXfcc(quoting)?.leaf, one.der, 'what stands in quotes ends no element');
  });

  // Envoy 1.40 writes URI and DNS names of a certificate unquoted and as they are.
  test('K07: a name in a certificate that reads like the end of its element makes nobody the owner of another', async () => {
    const stolen = envoyEscaped(two.certPem);
    for (const name of [
      `a,Cert="${stolen}"`,
      `a,Cert=${stolen}`,
      `a,Hash=ab, cHAIN="${stolen}"`,
      `a;Chain="x",Cert="${stolen}"`,
      `a;Cert="x",Chain="${stolen}"`,
      `a,Hash=ab,Hash=ab,Cert="${stolen}"`,
    ]) {
      const thief = await makeSelfSigned({ cn: 'thief', usage: 'client', san: [name, 'b.test'] });
      const own = [cert(thief), chain(thief), `${cert(thief)};${chain(thief)}`];
      for (const shown of own)
        for (const before of ['', `${cert(two)},`])
          assert.equal(parseXfcc(`${before}Hash=ab;${shown};URI=;DNS=${name};DNS=b.test`), undefined, name);
    }
    // Nor where Envoy is told to write the names and no certificate: then a certificate is never its own.
    for (const name of [`a,Cert="${stolen}"`, `a;Cert="${stolen}"`, `a,Hash=ab;Chain="${stolen}"`])
      for (const key of ['URI', 'DNS', 'uri'])
        assert.equal(parseXfcc(`Hash=ab;${key}=${name}`), undefined, `${key}=${name}`);
    assert.deepEqual(parseXfcc(`Hash=ab;Subject="CN=a",${cert(one)}`)?.leaf, one.der);
    const plain = await makeSelfSigned({ cn: 'client', usage: 'client', san: ['a.test', 'b.test'] });
    assert.deepEqual(parseXfcc(`${cert(plain)};DNS=a.test;DNS=b.test,${cert(one)}`)?.leaf, one.der);
  });

  // DER has no strings in pieces, but OpenSSL reads them.
  test('K07: such a name is found in whatever pieces it is encoded', async () => {
    const text = `a,Cert="${envoyEscaped(two.certPem)}"`;
    const encoded = (tag: number, ...content: Uint8Array[]): Buffer => {
      const bytes = Buffer.concat(content);
      return Buffer.concat([Buffer.from([tag, 0x82, bytes.length >> 8, bytes.length & 0xff]), bytes]);
    };
    const pieces = (...parts: string[]) => parts.map((part) => encoded(0x16, Buffer.from(part)));
    // [6], a URI
    const names = {
      whole: encoded(0x86, Buffer.from(text)),
      pieces: encoded(0xa6, ...pieces(text.slice(0, 4), text.slice(4))),
      harmless: encoded(0xa6, ...pieces('spiffe:', '//a')),
    };
    const shown = async (name: Buffer, uri: string) => {
      const encodedSan = encoded(0x30, name);
      const thief = await makeSelfSigned({ cn: 'thief', usage: 'client', encodedSan });
      return parseXfcc(`Hash=ab;${cert(thief)};URI=${uri},${cert(one)}`);
    };
    assert.equal(await shown(names.whole, 'a'), undefined);
    assert.equal(await shown(names.pieces, 'a'), undefined);
    assert.deepEqual((await shown(names.harmless, 'spiffe://a'))?.leaf, one.der);
  });

  test('K07: what is not whole, or says one thing twice', () => {
    for (const text of [
      '',
      'Hash=ab',
      'Cert',
      'Cert=',
      'Cert=""',
      `${cert(one)};${cert(one)}`,
      `${cert(one)};`,
      `${cert(one)},`,
      `,${cert(one)}`,
      `${cert(one)}x`,
      `Subject="a;${cert(one)}`,
      `Subject=a"b;${cert(one)}`,
      `Cert="${envoyEscaped(one.certPem, two.certPem)}"`,
      `Cert="${one.certPem.replaceAll('\n', ' ')}"`,
    ])
      assert.equal(parseXfcc(text), undefined, text);
  });

  test('K07: no text makes it fail in another way, or take long', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('"', '\\', ',', ';', '=', ' ', 'Cert', 'Chain', '%0A', '-'),
          maxLength: 2000,
        }),
        (text) => {
          assert.equal(parseXfcc(text), undefined);
        },
      ),
    );
  });
});
