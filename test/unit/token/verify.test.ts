import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { VerificationQueue } from '#holdfast/jws/verification-queue.js';
import { sha256Base64url } from '#holdfast/support/digest.js';
import { TokenVerifier } from '#holdfast/token/verify.js';
import { deniedLater } from '../../support/denied.js';
import { makeSigningKey, signJws, TestIssuer } from '../../support/issuer.js';
import { asker, Bench } from './bench.js';

test('D01: only three canonical base64url segments are a token', async (t) => {
  const bench = await Bench.start(t);
  const token = bench.issuer.mint();
  const [header = '', payload = '', signature = ''] = token.split('.');
  const malformed = [
    `${token}=`,
    `${header}=.${payload}.${signature}`,
    `${header}. ${payload}.${signature}`,
    `${header}.${payload}.\t${signature}`,
    `${header}.${payload}`,
    `${token}.`,
    `${token}.a.b`,
    `.${payload}.${signature}`,
    `${header}..${signature}`,
    `${header}.${payload}.`,
    // of the last of 86 characters 4 bits are unused
    `${header}.${payload}.${signature.slice(0, -1)}${nextCharacter(signature.at(-1) ?? '')}`,
    `${token.replaceAll('-', '+').replaceAll('_', '/')}+`,
    JSON.stringify({ protected: header, payload, signature }),
    '',
    '..',
  ];
  for (const text of malformed) await bench.refuses(text, 'token_malformed');
  await bench.accepts(token);
});

test('D03: alg is one of the accepted algorithms, exactly', async (t) => {
  const bench = await Bench.start(t, { settings: { algorithms: ['ES256'] } });
  for (const alg of ['none', 'NoNe', '', 'HS256', 'es256', 'ES256 ', 'ES384', undefined, null, ['ES256']]) {
    await bench.refuses(bench.issuer.mint({ header: { alg } }), 'token_algorithm_refused');
  }
  await bench.accepts(bench.issuer.mint({ header: { alg: 'ES256' } }));
});

test('D03: an unsigned token, and one signed with the public key as a shared secret, are refused', async (t) => {
  const bench = await Bench.start(t);
  const [, payload = ''] = bench.issuer.mint().split('.');
  const unsigned = `${encode({ alg: 'none', typ: 'at+jwt' })}.${payload}.AA`;
  await bench.refuses(unsigned, 'token_algorithm_refused');
  const input = `${encode({ alg: 'HS256', typ: 'at+jwt', kid: bench.issuer.key.kid })}.${payload}`;
  const mac = createHmac('sha256', JSON.stringify(bench.issuer.key.jwk)).update(input).digest('base64url');
  await bench.refuses(`${input}.${mac}`, 'token_algorithm_refused');
});

for (const algorithm of ['ES256', 'PS256', 'RS256', 'EdDSA'] as const) {
  test(`D03: ${algorithm} tokens verify, and one changed bit does not`, async (t) => {
    const bench = await Bench.start(t, { issuer: { algorithm } });
    const token = bench.issuer.mint();
    await bench.accepts(token);
    const [header = '', , signature = ''] = token.split('.');
    const other = bench.issuer.mint({ claims: { sub: 'admin' } }).split('.')[1];
    await bench.refuses(`${header}.${other}.${signature}`, 'token_signature_invalid');
    const bytes = Buffer.from(signature, 'base64url');
    bytes.writeUInt8(bytes.readUInt8(7) ^ 1, 7);
    await bench.refuses(
      `${token.slice(0, -signature.length)}${bytes.toString('base64url')}`,
      'token_signature_invalid',
    );
  });
}

test('D04: keys and addresses of keys in the header are not used', async (t) => {
  const bench = await Bench.start(t);
  const stranger = makeSigningKey('ES256', bench.issuer.key.kid ?? null);
  const jku = `${bench.issuer.origin}/canary`;
  for (const header of [{ jwk: stranger.jwk }, { jku }, { x5u: jku }, { x5c: ['AAAA'] }, {}]) {
    await bench.refuses(bench.issuer.mint({ header, key: stranger }), 'token_signature_invalid');
    await bench.refuses(
      bench.issuer.mint({ header: { ...header, kid: undefined }, key: stranger }),
      'token_signature_invalid',
    );
    bench.clock.advance(5_000);
    await bench.accepts(bench.issuer.mint({ header }));
  }
  assert.equal(bench.issuer.requests('/canary'), 0);
});

test('D06: extensions, other payload encodings and nesting are refused', async (t) => {
  const bench = await Bench.start(t);
  for (const header of [
    { crit: ['exp'], exp: 1 },
    { crit: [] },
    { b64: false },
    { b64: true },
    { zip: 'DEF' },
    { cty: 'JWT' },
  ]) {
    await bench.refuses(bench.issuer.mint({ header }), 'token_malformed');
  }
  await bench.accepts(bench.issuer.mint({ header: { cty: 'text/plain', extra: 1 } }));
});

test('D07: duplicate member names in header or payload are refused', async (t) => {
  const bench = await Bench.start(t);
  const { kid } = bench.issuer.key;
  const header = `{"typ":"at+jwt","alg":"ES256","kid":"${kid}"}`;
  await bench.refuses(
    bench.issuer.mint({ header: header.replace('{', '{"alg":"ES256",') }),
    'token_malformed',
  );
  await bench.refuses(
    bench.issuer.mint({ header: header.replace('{', '{"\\u0061lg":"none",') }),
    'token_malformed',
  );
  await bench.accepts(bench.issuer.mint({ header }));
  const now = bench.clock.nowMs() / 1000;
  const claims = `{"iss":"${bench.issuer.issuer}","aud":"a","sub":"s","client_id":"c","jti":"j","iat":${now},"exp":${now + 60}}`;
  await bench.refuses(
    bench.issuer.mint({ claims: claims.replace('{', '{"sub":"admin",') }),
    'token_malformed',
  );
  await bench.accepts(bench.issuer.mint({ claims }));
});

test('D13: an encrypted token is refused', async (t) => {
  const bench = await Bench.start(t);
  await bench.refuses(`${encode({ alg: 'dir', enc: 'A256GCM' })}..AAAA.AAAA.AAAA`, 'token_malformed');
});

test('D15: hostile content is a refusal, never a failure', async (t) => {
  const bench = await Bench.start(t);
  const { key } = bench.issuer;
  const deep = `${'['.repeat(2500)}${']'.repeat(2500)}`;
  const payloads = [`{"a":${deep}}`, deep, 'null', '"x"', '1', '{', '\ufeff{}', '{"iss":{"toString":1}}'];
  for (const payload of payloads) {
    const token = signJws(JSON.stringify({ typ: 'at+jwt', alg: 'ES256', kid: key.kid }), payload, key);
    await assert.rejects(bench.verify(token), { name: 'Denial' });
  }
  const [header, payload] = bench.issuer.mint().split('.');
  for (const signature of ['AA', 'AAAA', 'A'.repeat(86), 'A'.repeat(4000)]) {
    await bench.refuses(`${header}.${payload}.${signature}`, 'token_signature_invalid');
  }
  await bench.accepts(bench.issuer.mint());
});

test('D16: a cached token expires', async (t) => {
  const bench = await Bench.start(t);
  const now = bench.clock.nowMs() / 1000;
  const token = bench.issuer.mint({ claims: { exp: now + 30 } });
  await bench.accepts(token);
  bench.clock.advance(39_000);
  await bench.accepts(token);
  assert.deepEqual(bench.cache, ['miss', 'hit']);
  bench.clock.advance(1_000);
  await bench.refuses(token, 'token_expired');
  await bench.refuses(token, 'token_expired');
});

test('D10: a token that expires while its signature waits for its turn is refused', async (t) => {
  const bench = await Bench.start(t);
  const now = bench.clock.nowMs() / 1000;
  const waiting = bench.verify(bench.issuer.mint({ claims: { exp: now + 30 } }));
  const longer = bench.verify(bench.issuer.mint({ claims: { exp: now + 31 } }));
  bench.clock.advance(40_000);
  await deniedLater(() => waiting, 'token_expired');
  await longer;
});

test('D16: a hit answers at once, with the same token', async (t) => {
  const bench = await Bench.start(t);
  const token = bench.issuer.mint();
  const presented = { scheme: 'Bearer', token, digest: sha256Base64url(token) } as const;
  const first = bench.verifier.verify(presented, asker);
  assert(first instanceof Promise);
  const verified = await first;
  assert.equal(bench.verifier.verify(presented, asker), verified);
  assert.deepEqual(bench.cache, ['miss', 'hit']);
});

test('D16: a refusal is not remembered as an acceptance, nor as a refusal', async (t) => {
  const bench = await Bench.start(t);
  const token = bench.issuer.mint({ claims: { nbf: bench.clock.nowMs() / 1000 + 30 } });
  await bench.refuses(token, 'token_not_yet_valid');
  await bench.refuses(token, 'token_not_yet_valid');
  bench.clock.advance(20_000);
  await bench.accepts(token);
});

test('D20: an issuer vouches for its own tokens only', async (t) => {
  const a = await Bench.start(t);
  const b = await TestIssuer.start({ now: () => a.clock.nowMs() / 1000, algorithm: 'RS256' });
  t.after(() => b.stop());
  const verifier = a.verifierOf([
    a.issuer.settings,
    { ...b.settings, algorithms: ['RS256'], tokenType: 'jwt' },
  ]);
  t.after(() => verifier.close());
  await verifier.start();
  const verify = async (token: string) =>
    verifier.verify({ scheme: 'Bearer', token, digest: sha256Base64url(token) }, asker);

  await assert.rejects(verify(b.mint({ claims: { iss: a.issuer.issuer } })), {
    name: 'Denial',
    reason: 'token_key_unknown',
  });
  const underOurKid = b.mint({ claims: { iss: a.issuer.issuer }, header: { kid: a.issuer.key.kid } });
  await assert.rejects(verify(underOurKid), { name: 'Denial' });
  await assert.rejects(verify(a.issuer.mint({ header: { typ: 'JWT' } })), { reason: 'token_type_refused' });
  await assert.rejects(verify(b.mint({ header: { alg: 'ES256' } })), { reason: 'token_algorithm_refused' });
  assert.equal((await verify(a.issuer.mint())).issuer, a.issuer.issuer);
  assert.equal((await verify(b.mint({ header: { typ: 'JWT' } }))).issuer, b.issuer);
  assert.deepEqual(
    verifier.state().map(({ issuer }) => issuer),
    [a.issuer.issuer, b.issuer],
  );
});

test('without issuers every token is refused', async (t) => {
  const bench = await Bench.start(t);
  const verifier = new TokenVerifier([], {
    clock: bench.clock,
    verifications: new VerificationQueue(),
  });
  await verifier.start();
  const token = bench.issuer.mint();
  const presented = { scheme: 'Bearer', token, digest: sha256Base64url(token) } as const;
  await assert.rejects(async () => verifier.verify(presented, asker), { reason: 'token_issuer_unknown' });
  await bench.accepts(token);
});

test('D20: two issuers cannot share one identifier', async (t) => {
  const bench = await Bench.start(t);
  const { settings } = bench.issuer;
  assert.throws(() => bench.verifierOf([settings, { ...settings, tokenType: 'jwt' }]), RangeError);
  assert.equal(
    bench.verifierOf([settings, { ...settings, issuer: `${settings.issuer}/` }]).state().length,
    2,
  );
});

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** The same bits for a decoder that ignores those at the end. */
function nextCharacter(character: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet.charAt(alphabet.indexOf(character) + 1);
}
