import assert from 'node:assert/strict';
import { constants, sign } from 'node:crypto';
import test from 'node:test';
import fc from 'fast-check';
import type { Reason } from '#holdfast/denial/catalogue.js';
import { Denial } from '#holdfast/denial/denial.js';
import { NonceIssuer } from '#holdfast/proof/nonce.js';
import { sha256Base64url } from '#holdfast/support/digest.js';
import { deniedLater } from '../../support/denied.js';
import { ManualClock } from '../../support/manual-clock.js';
import { makeClientKey, makeProof, segment, signSegments } from '../../support/proofs.js';
import { claimsAt, context, makeVerifier } from '../../support/verifier.js';

const key = makeClientKey();
const now = 1_800_000_000;
const good = (changes: Record<string, unknown> = {}, header: Record<string, unknown> = {}) =>
  makeProof(key, { ...claimsAt(), ...changes }, header);
const { verifier } = makeVerifier();
const passes = async (...fields: string[]) => verifier.verify(fields, context);
const refused = async (reason: Reason, ...fields: string[]) => {
  const denial = await deniedLater(() => verifier.verify(fields, context), reason);
  assert.equal(denial.entry.error, 'invalid_dpop_proof');
  assert.equal(denial.entry.status, 401);
};

test('G01: exactly one DPoP field with one value', async () => {
  await refused('dpop_proof_missing');
  await refused('dpop_proof_repeated', good(), good());
  await refused('dpop_proof_repeated', `${good()},${good()}`);
  await refused('dpop_proof_repeated', `${good()}, ${good()}`);
  await passes(good());
});

test('G02: the value is one strict compact JWS of at most 8 KiB', async () => {
  const proof = good();
  for (const text of [
    '',
    `${proof}=`,
    `${proof} `,
    ` ${proof}`,
    `${proof}.x`,
    proof.split('.').slice(0, 2).join('.'),
    '{}',
    `DPoP ${proof}`,
  ]) {
    await refused('dpop_proof_malformed', text);
  }
  await refused('dpop_proof_malformed', good({ padding: 'x'.repeat(8192) }));
  await passes(good({ padding: 'x'.repeat(4096) }));
});

test('G03: jti, htm, htu, iat and ath are there and of their types', async () => {
  const wrong: Record<string, unknown[]> = {
    jti: [undefined, '', 1, null, ['x'], {}],
    htm: [undefined, '', 1, null, ['GET']],
    htu: [undefined, '', 1, null, [context.uri]],
    iat: [undefined, String(now), null, [now], true],
    ath: [undefined, '', 1, null, [context.tokenDigest]],
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) await refused('dpop_claims_invalid', good({ [name]: value }));
  }
  const evidence = await passes(good({ jti: 'a' }));
  assert.equal(evidence.jti, 'a');
});

test('I05: a jti has at most 256 characters', async () => {
  await refused('dpop_claims_invalid', good({ jti: 'x'.repeat(257) }));
  assert.equal((await passes(good({ jti: 'x'.repeat(256) }))).jti.length, 256);
});

test('G04: typ is dpop+jwt, letter by letter', async () => {
  for (const typ of [
    undefined,
    'JWT',
    'at+jwt',
    'client-authentication+jwt',
    'DPOP+JWT',
    'application/dpop+jwt',
    'dpop+jwt ',
    1,
    null,
  ]) {
    await refused('dpop_type_refused', good({}, { typ }));
  }
  await passes(good({}, { typ: 'dpop+jwt' }));
});

test('G05: alg is one of the configured algorithms, letter by letter', async () => {
  for (const alg of [
    undefined,
    'none',
    'None',
    '',
    'HS256',
    'es256',
    'RS1',
    'RS256',
    'ES384',
    'ES256K',
    1,
    null,
    ['ES256'],
  ]) {
    await refused('dpop_algorithm_refused', good({}, { alg }));
  }
  for (const alg of ['ES256', 'PS256', 'EdDSA'] as const) {
    await passes(makeProof(makeClientKey(alg), claimsAt()));
  }
  const more = makeVerifier({ algorithms: ['ES384', 'RS256', 'Ed25519'] }).verifier;
  for (const alg of ['ES384', 'RS256', 'Ed25519'] as const) {
    await more.verify([makeProof(makeClientKey(alg), claimsAt())], context);
  }
  await deniedLater(() => more.verify([good()], context), 'dpop_algorithm_refused');
});

test('G06: the signature verifies with the key in the header', async () => {
  const [header = '', payload = '', signature = ''] = good().split('.');
  const other = good().split('.');
  await refused('dpop_signature_invalid', `${header}.${payload}.${other[2]}`);
  await refused('dpop_signature_invalid', `${header}.${other[1]}.${signature}`);
  await refused('dpop_signature_invalid', makeProof(makeClientKey(), claimsAt(), { jwk: key.publicJwk }));
  await refused('dpop_signature_invalid', `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`);
  const der = sign('sha256', Buffer.from(`${header}.${payload}`), key.privateKey);
  await refused('dpop_signature_invalid', `${header}.${payload}.${der.toString('base64url')}`);
  await passes(`${header}.${payload}.${signature}`);
});

test('G06: a signature of any length is refused, not thrown', async () => {
  for (const alg of ['ES256', 'PS256', 'EdDSA'] as const) {
    const [header = '', payload = ''] = makeProof(makeClientKey(alg), claimsAt()).split('.');
    for (const length of [1, 2, 3, 31, 32, 63, 64, 65, 96, 128, 255, 256, 257, 1000]) {
      const signature = Buffer.alloc(length, 0x41).toString('base64url');
      await refused('dpop_signature_invalid', `${header}.${payload}.${signature}`);
    }
  }
});

test('G06: a PS256 signature has the salt length of the hash', async () => {
  const rsa = makeClientKey('PS256');
  const proof = makeProof(rsa, claimsAt());
  const input = proof.slice(0, proof.lastIndexOf('.'));
  const short = sign('sha256', Buffer.from(input), {
    key: rsa.privateKey,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: 0,
  });
  await refused('dpop_signature_invalid', `${input}.${short.toString('base64url')}`);
  await passes(proof);
});

test('G07: a jwk that is missing, private or symmetric is refused', async () => {
  for (const jwk of [
    undefined,
    null,
    'x',
    { ...key.publicJwk, d: '' },
    { kty: 'oct', k: 'AAAA' },
    key.privateKey.export({ format: 'jwk' }),
  ]) {
    await refused('dpop_key_invalid', good({}, { jwk }));
  }
});

test('G09: critical and payload-changing headers are refused, references are ignored and not fetched', async () => {
  await refused('dpop_proof_malformed', good({}, { crit: ['b64'], b64: true }));
  await refused('dpop_proof_malformed', good({}, { b64: false }));
  await refused('dpop_proof_malformed', good({}, { zip: 'DEF' }));
  await passes(
    good({}, { jku: 'http://127.0.0.1:1/keys', x5u: 'http://127.0.0.1:1/', x5c: ['x'], kid: '../../x' }),
  );
});

test('D07: a repeated claim or header parameter of a proof is refused', async () => {
  const header = segment({ typ: 'dpop+jwt', alg: 'ES256', jwk: key.publicJwk });
  const text = JSON.stringify({ jti: 'a', ...claimsAt() });
  await refused(
    'dpop_proof_malformed',
    signSegments(header, segment(text.replace('{', '{"htm":"POST",')), key),
  );
  await passes(signSegments(header, segment(text), key));
});

test('G10: htm is the method, with its letter case', async () => {
  for (const htm of ['get', 'POST', 'GET ', 'G']) await refused('dpop_htm_mismatch', good({ htm }));
  await passes(good({ htm: 'GET' }));
});

test('G11: htu is the URI of the request, query and fragment aside', async () => {
  for (const htu of [
    'https://api.example/other',
    'https://b.example/orders',
    'http://api.example/orders',
    'https://api.example:8443/orders',
    'https://api.example/orders/',
  ]) {
    await refused('dpop_htu_mismatch', good({ htu }));
  }
  for (const htu of [
    'https://api.example/orders?a=b',
    'https://api.example/orders#c',
    'HTTPS://api.EXAMPLE:443/orders',
  ])
    await passes(good({ htu }));
});

test('G14: htu is an absolute URI without userinfo', async () => {
  for (const htu of ['/orders', 'https://u:p@api.example/orders', 'ftp://api.example/orders'])
    await refused('dpop_htu_mismatch', good({ htu }));
  await passes(good());
});

test('G11: the log of a mismatch shows no query of the claim', async () => {
  const { detail } = await deniedLater(
    () => verifier.verify([good({ htu: 'https://api.example/x?secret=1#2' })], context),
    'dpop_htu_mismatch',
  );
  assert.match(detail ?? '', /got https:\/\/api\.example\/x$/);
});

test('G15: iat lies between maxAge ago and clockSkew ahead', async () => {
  for (const iat of [now - 61, now + 11, -1e9, 1e308, 0])
    await refused('dpop_iat_outside_window', good({ iat }));
  for (const iat of [now - 60, now - 59, now + 9, now + 10, now - 0.5]) await passes(good({ iat }));
  const header = segment({ typ: 'dpop+jwt', alg: 'ES256', jwk: key.publicJwk });
  const huge = JSON.stringify({ jti: 'a', ...claimsAt() }).replace(String(now), '1e400');
  await refused('dpop_claims_invalid', signSegments(header, segment(huge), key));
});

test('G15: the window is the configured one, also with a nonce', async () => {
  const strict = makeVerifier({ maxAgeSeconds: 5, clockSkewSeconds: 0, nonceRequired: true });
  const nonce = strict.nonces.issue(context.origin);
  await deniedLater(
    () => strict.verifier.verify([good({ iat: now - 6, nonce })], context),
    'dpop_iat_outside_window',
  );
  await deniedLater(
    () => strict.verifier.verify([good({ iat: now + 1, nonce })], context),
    'dpop_iat_outside_window',
  );
  await strict.verifier.verify([good({ iat: now - 5, nonce })], context);
});

test('G16: exp and nbf of a proof count when they are there', async () => {
  for (const changes of [
    { exp: now - 11 },
    { exp: now - 10 },
    { exp: String(now + 60) },
    { exp: null },
    { nbf: now + 11 },
    { nbf: 'x' },
    { nbf: null },
  ]) {
    await refused('dpop_validity_ended', good(changes));
  }
  for (const changes of [{ exp: now + 60 }, { exp: now - 9 }, { nbf: now }, { nbf: now + 10 }])
    await passes(good(changes));
});

test('G17: ath is the SHA-256 of the presented token, in its one spelling', async () => {
  await refused('dpop_ath_mismatch', good({ ath: sha256Base64url('another token') }));
  await refused('dpop_claims_invalid', good({ ath: `${context.tokenDigest}=` }));
  await refused(
    'dpop_claims_invalid',
    good({ ath: Buffer.from(context.tokenDigest, 'base64url').toString('hex') }),
  );
  await passes(good({ ath: context.tokenDigest }));
});

test('G18: the evidence names the key that signed', async () => {
  const { crv, kty, x, y } = key.publicJwk;
  assert.equal((await passes(good())).jkt, sha256Base64url(JSON.stringify({ crv, kty, x, y })));
});

test('G19: whatever is cheap to refuse is refused before the signature is looked at', async () => {
  const spoil = (proof: string) =>
    `${proof.slice(0, proof.lastIndexOf('.'))}.${Buffer.alloc(64).toString('base64url')}`;
  const cases: [Reason, Record<string, unknown>, Record<string, unknown>?][] = [
    ['dpop_type_refused', {}, { typ: 'JWT' }],
    ['dpop_algorithm_refused', {}, { alg: 'HS256' }],
    ['dpop_claims_invalid', { jti: 1 }],
    ['dpop_htm_mismatch', { htm: 'POST' }],
    ['dpop_htu_mismatch', { htu: 'https://api.example/other' }],
    ['dpop_ath_mismatch', { ath: sha256Base64url('x') }],
    ['dpop_iat_outside_window', { iat: now - 3600 }],
    ['dpop_key_invalid', {}, { jwk: { ...key.publicJwk, d: 'x' } }],
  ];
  for (const [reason, claims, header] of cases) await refused(reason, spoil(good(claims, header)));
  await refused('dpop_signature_invalid', spoil(good()));
});

test('G19: the nonce is judged last, so that nobody without the key learns one', async () => {
  const { verifier: demanding } = makeVerifier({ nonceRequired: true });
  const proof = good();
  const spoiled = `${proof.slice(0, proof.lastIndexOf('.'))}.${Buffer.alloc(64).toString('base64url')}`;
  await deniedLater(() => demanding.verify([spoiled], context), 'dpop_signature_invalid');
  await deniedLater(() => demanding.verify([proof], context), 'dpop_nonce_missing');
});

test('G21: unknown header parameters and claims are ignored', async () => {
  await passes(good({ extra: { a: [1] }, sub: 'x', __proto: 1 }, { unknown: true, kid: 1 }));
});

test('D14: members named like those of every object change nothing', async () => {
  const header = segment({ typ: 'dpop+jwt', alg: 'ES256', jwk: key.publicJwk });
  const claims = `{"__proto__":{"htm":"GET","jti":"a"},"htu":"${context.uri}","iat":${now},"ath":"${context.tokenDigest}"}`;
  await refused('dpop_claims_invalid', signSegments(header, segment(claims), key));
});

test('H01: with nonces required, a proof without one is asked for one', async () => {
  const { verifier: demanding, nonces } = makeVerifier({ nonceRequired: true });
  const denial = await deniedLater(() => demanding.verify([good()], context), 'dpop_nonce_missing');
  assert.equal(denial.entry.error, 'use_dpop_nonce');
  await demanding.verify([good({ nonce: nonces.issue(context.origin) })], context);
});

test('H03: a nonce of another origin, of another secret or past its life is refused', async () => {
  const { verifier: demanding, nonces, clock } = makeVerifier({ nonceRequired: true });
  const nonce = nonces.issue(context.origin);
  const stranger = new NonceIssuer({ lifetimeMs: 300_000, clock }).issue(context.origin);
  for (const other of ['', 'x', nonces.issue('https://b.example'), stranger, `${nonce}A`]) {
    const denial = await deniedLater(
      () => demanding.verify([good({ nonce: other })], context),
      'dpop_nonce_invalid',
    );
    assert.equal(denial.entry.error, 'use_dpop_nonce');
  }
  await demanding.verify([good({ nonce })], context);
  clock.seconds += 301;
  await deniedLater(
    () => demanding.verify([good({ nonce, iat: clock.seconds })], context),
    'dpop_nonce_invalid',
  );
});

test('H06: a nonce that is no string makes the proof invalid, whether one is required or not', async () => {
  for (const nonce of [null, 1, [], {}]) {
    await refused('dpop_claims_invalid', good({ nonce }));
    await deniedLater(
      () => makeVerifier({ nonceRequired: true }).verifier.verify([good({ nonce })], context),
      'dpop_claims_invalid',
    );
  }
  await passes(good({ nonce: 'not asked for' }));
});

test('H07: evidence says when the nonce nears its end', async () => {
  const { verifier: demanding, nonces, clock } = makeVerifier({ nonceRequired: true });
  const nonce = nonces.issue(context.origin);
  const evidence = () => demanding.verify([good({ nonce, iat: clock.seconds })], context);
  assert.equal((await evidence()).nonceExpiresSoon, false);
  clock.seconds += 201;
  assert.equal((await evidence()).nonceExpiresSoon, true);
});

test('I03: evidence is kept for as long as the proof would be accepted again', async () => {
  for (const iat of [now, now + 10, now - 60, now + 0.5]) {
    const { verifier: own, clock } = makeVerifier();
    const proof = good({ iat });
    const { acceptableUntilMs } = await own.verify([proof], context);
    // The clock may step back by a second after the entry was dropped.
    clock.seconds = acceptableUntilMs / 1000 - 1;
    await deniedLater(() => own.verify([proof], context), 'dpop_iat_outside_window');
    assert.ok(acceptableUntilMs <= (iat + 60 + 3) * 1000, 'and not much longer');
  }
});

test('I11: with a memory that starts at the start of the process, an earlier proof needs a nonce', async () => {
  const { verifier: fresh, nonces, clock } = makeVerifier({ startedAtMs: now * 1000 });
  clock.seconds = now + 20;
  const denial = await deniedLater(
    () => fresh.verify([good({ iat: now - 5 })], context),
    'dpop_proof_predates_start',
  );
  assert.equal(denial.entry.error, 'use_dpop_nonce');
  await fresh.verify([good({ iat: now - 5, nonce: nonces.issue(context.origin) })], context);
  await fresh.verify([good({ iat: now + 11 })], context);
});

test('I11: a proof dated ahead, which the earlier process may have accepted, needs one too', async () => {
  const { verifier: fresh } = makeVerifier({ startedAtMs: now * 1000 });
  await deniedLater(() => fresh.verify([good({ iat: now + 10 })], context), 'dpop_proof_predates_start');
});

test('I11: a nonce from before the start does not stand in for the lost memory', async () => {
  const secret = Buffer.alloc(32, 1);
  const clock = new ManualClock((now - 30) * 1000);
  const old = new NonceIssuer({ secret, lifetimeMs: 300_000, clock }).issue(context.origin);
  const nonces = new NonceIssuer({ secret, lifetimeMs: 300_000, clock: new ManualClock(now * 1000) });
  const { verifier: fresh } = makeVerifier({ startedAtMs: now * 1000, nonces });
  await deniedLater(
    () => fresh.verify([good({ iat: now - 5, nonce: old })], context),
    'dpop_proof_predates_start',
  );
  await fresh.verify([good({ iat: now - 5, nonce: nonces.issue(context.origin) })], context);
});

test('G19: a header that verified once is checked no less the next time', async () => {
  const { verifier: own } = makeVerifier();
  await own.verify([good()], context);
  const [header = '', payload = ''] = good().split('.');
  await deniedLater(
    () => own.verify([`${header}.${payload}.${Buffer.alloc(64, 1).toString('base64url')}`], context),
    'dpop_signature_invalid',
  );
  await deniedLater(() => own.verify([good({ htm: 'POST' })], context), 'dpop_htm_mismatch');
  await own.verify([good()], context);
});

test('G02: arbitrary text is refused by a denial, nothing else is thrown', async () => {
  const claims = fc.record(
    {
      jti: fc.jsonValue(),
      htm: fc.constant('GET'),
      htu: fc.constant(context.uri),
      iat: fc.constant(now),
      ath: fc.constant(context.tokenDigest),
      nonce: fc.jsonValue(),
      exp: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const header = fc.record(
    {
      typ: fc.constant('dpop+jwt'),
      alg: fc.constantFrom('ES256', 'EdDSA', 'PS256'),
      jwk: fc.oneof(fc.constant(key.publicJwk), fc.jsonValue()),
    },
    { requiredKeys: [] },
  );
  const made = fc
    .tuple(header, claims)
    .map(([first, second]) => signSegments(segment(first), segment(second), key));
  await fc.assert(
    fc.asyncProperty(fc.oneof(made, fc.string()), async (text) => {
      await verifier
        .verify([text], context)
        .catch((error: unknown) => assert.ok(error instanceof Denial, String(error)));
    }),
  );
});
