import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { makeSigningKey, type SigningAlgorithm, type SigningKey } from '../../../support/issuer.js';
import { makeKeyPair } from '../../../support/keys.js';
import { Bench, type BenchOptions } from '../bench.js';

/** An issuer that publishes its own good key and this entry. */
function publishing(t: TestContext, entries: readonly unknown[], options: BenchOptions = {}): Promise<Bench> {
  return Bench.start(t, { ...options, prepare: (issuer) => issuer.extraKeys.push(...entries) });
}

function withMembers(key: SigningKey, members: Record<string, unknown>): SigningKey {
  return { ...key, jwk: { ...key.jwk, ...members } };
}

test('P07, trap jose: one malformed key: an entry that cannot be used disables no other', async (t) => {
  const off = makeSigningKey();
  const entries = [
    null,
    7,
    'key',
    [],
    {},
    { kty: 'EC' },
    { kty: 'XX', kid: 'x' },
    { kty: 'EC', crv: 'secp256k1', x: 'AA', y: 'AA' },
    { kty: 'EC', crv: '__proto__', x: 'AA', y: 'AA' },
    { ...off.jwk, kid: 7 },
    { ...off.jwk, kid: 'k'.repeat(257) },
    { ...off.jwk, alg: 7 },
    { ...off.jwk, alg: 'ES384' },
    { ...off.jwk, x: 'AAAA' },
    { ...off.jwk, x: off.jwk.y }, // not on the curve
    { kty: 'RSA', n: 'AQAB', e: 'AQAB' },
    { kty: 'RSA', e: 'AQAB' },
  ];
  const bench = await publishing(t, entries);
  assert.equal(bench.state.keys, 1);
  assert.equal(new Set(bench.ignored).size, bench.ignored.length);
  await bench.accepts(bench.issuer.mint());
});

const unusable: readonly (readonly [why: string, alg: SigningAlgorithm, members: Record<string, unknown>])[] =
  [
    ['D05: alg of the key is another one of its type', 'RS256', { alg: 'PS256' }],
    ['D05: alg of the key is of another type', 'ES256', { alg: 'RS256' }],
    ['D05: use is enc', 'ES256', { use: 'enc' }],
    ['D05: use is no text', 'ES256', { use: ['sig'] }],
    ['D05: key_ops lacks verify', 'ES256', { use: undefined, key_ops: ['sign'] }],
    ['D05: key_ops is no array', 'ES256', { key_ops: 'verify' }],
    ['P09: it has its private member', 'ES256', { d: 'AAAA' }],
    ['P09: its private member is empty', 'ES256', { d: '' }],
  ];
const usable: readonly (readonly [why: string, alg: SigningAlgorithm, members: Record<string, unknown>])[] = [
  ['D05: with alg', 'RS256', { alg: 'RS256', use: undefined }],
  ['D05: RSA without alg, for RS256', 'RS256', { alg: undefined }],
  ['D05: RSA without alg, for PS256', 'PS256', { alg: undefined }],
  ['D05: EC without alg and use', 'ES256', { alg: undefined, use: undefined }],
  ['D05: OKP without alg', 'EdDSA', { alg: undefined }],
  ['P12: alg of the key is the other name of EdDSA', 'EdDSA', { alg: 'Ed25519' }],
  ['D05: key_ops has verify', 'ES256', { key_ops: ['verify'] }],
  ['P07: unknown members', 'ES256', { x5c: ['AAAA'], exp: 1, custom: {} }],
];

for (const [why, alg, members] of unusable) {
  test(`${why}: the key verifies nothing`, async (t) => {
    const key = withMembers(makeSigningKey(alg), members);
    const bench = await publishing(t, [key.jwk]);
    await bench.refuses(bench.issuer.mint({ key }), 'token_key_unknown');
  });
}
for (const [why, alg, members] of usable) {
  test(`${why}: the key verifies`, async (t) => {
    const key = withMembers(makeSigningKey(alg), members);
    const bench = await publishing(t, [key.jwk]);
    await bench.accepts(bench.issuer.mint({ key }));
    assert.deepEqual(bench.ignored, []);
  });
}

test('D05: a curve serves its own algorithm only, also when several are accepted', async (t) => {
  const p384 = makeSigningKey('ES384');
  const bench = await publishing(t, [p384.jwk], { settings: { algorithms: ['ES256', 'ES384'] } });
  await bench.accepts(bench.issuer.mint({ key: p384 }));
  await bench.refuses(bench.issuer.mint({ key: p384, header: { alg: 'ES256' } }), 'token_key_unknown');
});

/** One RSA key that signs in two ways, without `alg` in the set. */
function rsaWithoutAlg(kid: string): { pss: SigningKey; pkcs1: SigningKey } {
  const pss = withMembers(makeSigningKey('PS256', kid), { alg: undefined });
  return { pss, pkcs1: { ...pss, alg: 'RS256' } };
}

test('D05: an RSA key without alg serves the algorithm of the first good token, over refreshes too', async (t) => {
  const { pss, pkcs1 } = rsaWithoutAlg('one');
  const other = rsaWithoutAlg('other');
  const bench = await publishing(t, [pss.jwk, other.pss.jwk]);
  const forged = bench.issuer.mint({ key: { ...makeSigningKey('RS256'), kid: 'one' } });
  await bench.refuses(forged, 'token_signature_invalid');
  await bench.accepts(bench.issuer.mint({ key: pss }));
  await bench.refuses(bench.issuer.mint({ key: pkcs1 }), 'token_key_unknown');
  await bench.accepts(bench.issuer.mint({ key: other.pkcs1 }));
  await bench.refuses(bench.issuer.mint({ key: other.pss }), 'token_key_unknown');

  bench.issuer.rotate({ keepOld: true });
  bench.clock.advance(60_000);
  await bench.accepts(bench.issuer.mint());
  assert.equal(bench.issuer.requests(), 2);
  await bench.refuses(bench.issuer.mint({ key: pkcs1 }), 'token_key_unknown');
  await bench.accepts(bench.issuer.mint({ key: pss }));
});

test('D05: an RSA key that is published twice without alg serves one algorithm by both names', async (t) => {
  const { pss, pkcs1 } = rsaWithoutAlg('one');
  const renamed = { ...pss.jwk, kid: 'two' };
  const bench = await publishing(t, [pss.jwk, renamed]);
  await bench.accepts(bench.issuer.mint({ key: pss }));
  await bench.refuses(bench.issuer.mint({ key: { ...pkcs1, kid: 'two' } }), 'token_key_unknown');
  await bench.accepts(bench.issuer.mint({ key: { ...pss, kid: 'two' } }));
});

test('D05: of two tokens that wait together one decides what the key serves', async (t) => {
  const { pss, pkcs1 } = rsaWithoutAlg('one');
  const bench = await publishing(t, [pss.jwk]);
  const waiting = [pss, pkcs1].map((key) => bench.verify(bench.issuer.mint({ key })));
  const [first, second] = await Promise.allSettled(waiting);
  assert.deepEqual([first?.status, second?.status], ['fulfilled', 'rejected']);
});

test('D05: an RSA key whose alg the issuer publishes after all serves that one', async (t) => {
  const { pss, pkcs1 } = rsaWithoutAlg('one');
  const bench = await publishing(t, [pss.jwk]);
  await bench.accepts(bench.issuer.mint({ key: pss }));
  bench.issuer.extraKeys = [{ ...pss.jwk, alg: 'RS256' }];
  bench.issuer.rotate({ keepOld: true });
  bench.clock.advance(60_000);
  await bench.accepts(bench.issuer.mint());
  await bench.accepts(bench.issuer.mint({ key: pkcs1 }));
  await bench.refuses(bench.issuer.mint({ key: pss }), 'token_key_unknown');
});

test('D05: RSA keys below 2048 bits and with another exponent are ignored', async (t) => {
  const small = makeKeyPair('rsa', { modulusLength: 2040 });
  const odd = makeKeyPair('rsa', { modulusLength: 2048, publicExponent: 3 });
  const good = makeSigningKey('RS256', 'good');
  const keys = Object.entries({ small, odd }).map(
    ([kid, { privateKey, publicKey }]): SigningKey => ({
      ...{ kid, alg: 'RS256', privateKey },
      jwk: { ...publicKey.export({ format: 'jwk' }), kid },
    }),
  );
  const one = { ...good.jwk, kid: 'one', e: 'AQ' };
  const bench = await publishing(t, [...keys.map(({ jwk }) => jwk), one, good.jwk]);
  for (const key of keys) {
    await bench.refuses(bench.issuer.mint({ key }), 'token_key_unknown');
    bench.clock.advance(5_000);
  }
  assert.equal(bench.ignored.length, 3);
  await bench.accepts(bench.issuer.mint({ key: good }));
});

test('P08: of keys with one kid the one for the algorithm is used', async (t) => {
  const rsa = makeSigningKey('RS256', 'same');
  const ec = makeSigningKey('ES256', 'same');
  const bench = await publishing(t, [rsa.jwk, ec.jwk]);
  for (const key of [rsa, ec]) await bench.accepts(bench.issuer.mint({ key }));
});

test('P08: at most four keys of one kid are tried for one token', async (t) => {
  const keys = Array.from({ length: 5 }, () => makeSigningKey('EdDSA', 'same'));
  const bench = await publishing(
    t,
    keys.map(({ jwk }) => jwk),
  );
  for (const key of keys.slice(0, 4)) await bench.accepts(bench.issuer.mint({ key }));
  for (const key of keys.slice(4)) await bench.refuses(bench.issuer.mint({ key }), 'token_signature_invalid');
});

test('P12: without kid eight keys are tried, and the log says of how many', async (t) => {
  const keys = Array.from({ length: 9 }, () => makeSigningKey('EdDSA'));
  const bench = await publishing(
    t,
    keys.map(({ jwk }) => jwk),
  );
  const nameless = (key: SigningKey) => bench.issuer.mint({ key, header: { kid: undefined } });
  for (const key of keys.slice(0, 8)) await bench.accepts(nameless(key));
  await assert.rejects(bench.verify(nameless(makeSigningKey('EdDSA'))), {
    reason: 'token_signature_invalid',
    detail: 'kid absent, alg EdDSA, tried 8 of 9 keys',
  });
});

test('P08: a token without kid is tried with keys of its algorithm', async (t) => {
  const named = makeSigningKey('EdDSA');
  const nameless = makeSigningKey('EdDSA', null);
  const bench = await publishing(t, [named.jwk, nameless.jwk]);
  for (const key of [named, nameless]) {
    await bench.accepts(bench.issuer.mint({ key, header: { kid: undefined } }));
  }
  const stranger = makeSigningKey('EdDSA', null);
  await bench.refuses(bench.issuer.mint({ key: stranger }), 'token_signature_invalid');
});

test('P09: symmetric and private keys in the set are ignored and reported once', async (t) => {
  const bench = await publishing(t, [
    { kty: 'oct', k: Buffer.alloc(32, 1).toString('base64url'), kid: 'shared', alg: 'HS256' },
    { ...makeSigningKey().jwk, d: 'AAAA' },
  ]);
  assert.equal(bench.ignored.length, 2);
  await bench.refuses(
    bench.issuer.mint({ header: { alg: 'HS256', kid: 'shared' } }),
    'token_algorithm_refused',
  );
  bench.clock.advance(60_000);
  await bench.refuses(bench.issuer.mint({ header: { kid: 'shared' } }), 'token_key_unknown');
  assert.equal(bench.issuer.requests(), 2);
  assert.equal(bench.ignored.length, 2);
  await bench.accepts(bench.issuer.mint());
});

test('P10: kid is only ever a name to look up', async (t) => {
  const odd = makeSigningKey('ES256', '../../x');
  const bench = await publishing(t, [odd.jwk]);
  const before = bench.issuer.requests();
  for (const kid of ['k'.repeat(257), '', 7, null, ['x'], { kid: 'x' }]) {
    await assert.rejects(bench.verify(bench.issuer.mint({ header: { kid } })), { name: 'Denial' });
  }
  assert.equal(bench.issuer.requests(), before, 'what cannot be a kid is not asked for');
  for (const kid of [
    '__proto__',
    'constructor',
    '/../../etc/passwd',
    "' or 1=1",
    `${bench.issuer.origin}/canary`,
  ]) {
    await bench.refuses(bench.issuer.mint({ header: { kid } }), 'token_key_unknown');
    bench.clock.advance(5_000);
  }
  assert.equal(bench.issuer.requests('/canary'), 0);
  await bench.accepts(bench.issuer.mint({ key: odd }));
});

test('P12: an Ed25519 point of small order is no key, and what verifies with it is refused', async (t) => {
  const x = Buffer.alloc(32);
  x[0] = 1; // the neutral element: its encoding with S = 0 is a signature of every text
  const { publicKey } = makeKeyPair('ed25519');
  const jwk = {
    ...publicKey.export({ format: 'jwk' }),
    x: x.toString('base64url'),
    kid: 'weak',
    alg: 'EdDSA',
  };
  const bench = await publishing(t, [jwk]);
  assert.deepEqual(bench.ignored, ['key 1: Ed25519 point of small order']);
  const [header, payload] = bench.issuer.mint({ header: { alg: 'EdDSA', kid: 'weak' } }).split('.');
  const forged = Buffer.concat([x, Buffer.alloc(32)]).toString('base64url');
  await bench.refuses(`${header}.${payload}.${forged}`, 'token_key_unknown');
});

test('P12: a token says Ed25519 where the issuer and its key say EdDSA', async (t) => {
  const key = makeSigningKey('EdDSA');
  const bench = await publishing(t, [key.jwk]);
  await bench.accepts(bench.issuer.mint({ key, header: { alg: 'Ed25519' } }));
  await bench.accepts(bench.issuer.mint({ key }));
});
