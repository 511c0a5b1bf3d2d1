import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench } from './bench.js';

test('D08: iss must be the configured issuer, character by character', async (t) => {
  const bench = await Bench.start(t, { issuer: { path: '/Tenant' } });
  const { issuer } = bench.issuer;
  const others = [
    `${issuer}/`,
    issuer.toLowerCase(),
    issuer.slice(0, -1),
    ` ${issuer}`,
    [issuer],
    undefined,
    null,
    7,
    { issuer },
  ];
  for (const iss of others)
    await bench.refuses(bench.issuer.mint({ claims: { iss } }), 'token_issuer_unknown');
  await bench.accepts(bench.issuer.mint({ claims: { iss: issuer } }));
});

test('D10: exp is a finite number, and now is before exp plus leeway', async (t) => {
  const bench = await Bench.start(t);
  const now = bench.clock.nowMs() / 1000;
  for (const exp of [undefined, null, '1900000000', true, [now + 60], 1e17, -1e17]) {
    await bench.refuses(bench.issuer.mint({ claims: { exp } }), 'token_claims_invalid');
  }
  const claims = JSON.stringify({
    iss: bench.issuer.issuer,
    aud: 'a',
    sub: 's',
    client_id: 'c',
    jti: 'j',
    iat: now,
    exp: 0,
  });
  await bench.refuses(
    bench.issuer.mint({ claims: claims.replace('"exp":0', '"exp":1e400') }),
    'token_claims_invalid',
  );
  await bench.accepts(bench.issuer.mint({ claims: claims.replace('"exp":0', `"exp":${now + 60}`) }));

  for (const exp of [now - 120, now - 11, now - 10, 0, -1]) {
    await bench.refuses(bench.issuer.mint({ claims: { exp } }), 'token_expired');
  }
  for (const exp of [now - 9, now, now + 0.5, 2 ** 53 - 1])
    await bench.accepts(bench.issuer.mint({ claims: { exp } }));
});

test('D11: nbf and iat may lie ahead by the leeway and no more', async (t) => {
  const bench = await Bench.start(t);
  const now = bench.clock.nowMs() / 1000;
  for (const name of ['nbf', 'iat']) {
    for (const ahead of [11, 61, 120]) {
      await bench.refuses(bench.issuer.mint({ claims: { [name]: now + ahead } }), 'token_not_yet_valid');
    }
    for (const ahead of [-3600, 0, 10])
      await bench.accepts(bench.issuer.mint({ claims: { [name]: now + ahead } }));
    for (const value of ['1', null, {}, 1e17]) {
      await bench.refuses(bench.issuer.mint({ claims: { [name]: value } }), 'token_claims_invalid');
    }
  }
});

test('D11: a larger leeway moves the limits', async (t) => {
  const bench = await Bench.start(t, { settings: { leewaySeconds: 60 } });
  const now = bench.clock.nowMs() / 1000;
  await bench.accepts(bench.issuer.mint({ claims: { iat: now + 60, exp: now - 59 } }));
  await bench.refuses(bench.issuer.mint({ claims: { iat: now + 61 } }), 'token_not_yet_valid');
});

test('D12: each required claim is there and has the right type', async (t) => {
  const bench = await Bench.start(t);
  for (const name of ['sub', 'client_id', 'jti', 'iat', 'aud', 'exp']) {
    for (const value of [undefined, null, true, {}, [], name === 'iat' || name === 'exp' ? '1' : 1, '']) {
      await bench.refuses(bench.issuer.mint({ claims: { [name]: value } }), 'token_claims_invalid');
    }
  }
  await bench.accepts(bench.issuer.mint());
});

test('D12: a claim that is not required may be absent, but has the right type when it is there', async (t) => {
  const bench = await Bench.start(t, { settings: { requiredClaims: [] } });
  const bare = await bench.accepts(
    bench.issuer.mint({ claims: { sub: undefined, jti: undefined, iat: undefined } }),
  );
  assert.deepEqual([bare.subject, bare.tokenId, bare.issuedAtSeconds], [undefined, undefined, undefined]);
  for (const name of ['sub', 'jti', 'iat']) {
    await bench.refuses(bench.issuer.mint({ claims: { [name]: [] } }), 'token_claims_invalid');
  }
});

test('D12: a further required claim must be there, whatever its type', async (t) => {
  const bench = await Bench.start(t, { settings: { requiredClaims: ['tenant'] } });
  await bench.refuses(bench.issuer.mint(), 'token_claims_invalid');
  await bench.refuses(bench.issuer.mint({ claims: { tenant: null } }), 'token_claims_invalid');
  for (const tenant of ['x', 1, false, []]) await bench.accepts(bench.issuer.mint({ claims: { tenant } }));
});

test('D12: clientClaim takes the place of client_id', async (t) => {
  const bench = await Bench.start(t, { settings: { clientClaim: 'azp', requiredClaims: ['sub', 'azp'] } });
  const token = await bench.accepts(bench.issuer.mint({ claims: { azp: 'web', client_id: undefined } }));
  assert.equal(token.clientId, 'web');
  await bench.refuses(
    bench.issuer.mint({ claims: { azp: undefined, client_id: 'web' } }),
    'token_claims_invalid',
  );
});

test('D12: aud is a string or a non-empty array of strings', async (t) => {
  const bench = await Bench.start(t);
  for (const aud of [[], [''], ['a', 1], [['a']], { a: 'a' }, 5]) {
    await bench.refuses(bench.issuer.mint({ claims: { aud } }), 'token_claims_invalid');
  }
  const one = await bench.accepts(bench.issuer.mint({ claims: { aud: 'a' } }));
  const two = await bench.accepts(bench.issuer.mint({ claims: { aud: ['a', 'b'] } }));
  assert.deepEqual([one.audience, two.audience], [['a'], ['a', 'b']]);
});

test('D14: claims named like members of the prototype are names like any other', async (t) => {
  const bench = await Bench.start(t, { settings: { requiredClaims: ['sub'] } });
  const { exp, iat } = { exp: bench.clock.nowMs() / 1000 + 60, iat: bench.clock.nowMs() / 1000 };
  const text = `{"iss":"${bench.issuer.issuer}","aud":"a","sub":"s","client_id":"c","exp":${exp},"iat":${iat},
    "__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}`;
  const token = await bench.accepts(bench.issuer.mint({ claims: text }));
  assert.equal(Reflect.get({}, 'admin'), undefined);
  assert.equal(token.claims.get('admin'), undefined);
  assert.equal(token.claims.get('toString'), undefined);
  assert.deepEqual(token.claims.get('__proto__'), { admin: true });
});

test('D14: a configured claim name that the prototype has is missing unless the token has it', async (t) => {
  const bench = await Bench.start(t, { settings: { requiredClaims: ['constructor'] } });
  await bench.refuses(bench.issuer.mint(), 'token_claims_invalid');
  await bench.accepts(bench.issuer.mint({ claims: { constructor: 'x' } }));
});

test('D18: scope is split on spaces and compared whole', async (t) => {
  const bench = await Bench.start(t);
  const scopes = async (scope: unknown) => [
    ...(await bench.accepts(bench.issuer.mint({ claims: { scope } }))).scopes,
  ];
  assert.deepEqual(await scopes('read write'), ['read', 'write']);
  assert.deepEqual(await scopes('readwrite'), ['readwrite']);
  assert.deepEqual(await scopes('READ read\twrite'), ['READ', 'read\twrite']);
  assert.deepEqual(await scopes(''), []);
  assert.deepEqual(await scopes(undefined), []);
  for (const scope of [['read'], 1, null, { read: true }]) {
    await bench.refuses(bench.issuer.mint({ claims: { scope } }), 'token_claims_invalid');
  }
});

test('D18: scp is a string or an array, only where it is configured', async (t) => {
  const bench = await Bench.start(t, { settings: { scopeClaim: 'scp' } });
  const scopes = async (scp: unknown) => [
    ...(await bench.accepts(bench.issuer.mint({ claims: { scp } }))).scopes,
  ];
  assert.deepEqual(await scopes('read write'), ['read', 'write']);
  assert.deepEqual(await scopes(['read', 'a b']), ['read', 'a b']);
  assert.deepEqual(await scopes(undefined), [], 'the scope claim does not stand in');
  for (const scp of [['read', 1], {}, null]) {
    await bench.refuses(bench.issuer.mint({ claims: { scp } }), 'token_claims_invalid');
  }
});

test('D19: a token without a user, or whose sub is the client, is of type client', async (t) => {
  const bench = await Bench.start(t, { settings: { requiredClaims: [] } });
  const type = async (claims: Record<string, unknown>) =>
    (await bench.accepts(bench.issuer.mint({ claims }))).type;
  assert.equal(await type({ sub: 'admin', client_id: 'admin' }), 'client');
  assert.equal(await type({ sub: undefined }), 'client');
  assert.equal(await type({ sub: 'admin', client_id: 'web' }), 'user');
});

test('F04: cnf is handed on as it is, and undefined means that the claim is absent', async (t) => {
  const bench = await Bench.start(t);
  const confirmation = async (cnf: unknown) =>
    (await bench.accepts(bench.issuer.mint({ claims: { cnf } }))).confirmation;
  for (const cnf of [null, [], {}, 'x', { jkt: 1 }]) assert.deepEqual(await confirmation(cnf), cnf);
  assert.equal(await confirmation(undefined), undefined);
});

test('the parts of a token are read from their claims', async (t) => {
  const bench = await Bench.start(t);
  const now = bench.clock.nowMs() / 1000;
  const claims = {
    sub: 'u',
    client_id: 'c',
    jti: 'j',
    iat: now - 5,
    nbf: now - 4,
    exp: now + 7,
    tenant: { id: 1 },
  };
  const token = await bench.accepts(bench.issuer.mint({ claims }));
  assert.equal(token.subject, 'u');
  assert.equal(token.clientId, 'c');
  assert.equal(token.tokenId, 'j');
  assert.deepEqual(
    [token.issuedAtSeconds, token.notBeforeSeconds, token.expiresAtSeconds],
    [now - 5, now - 4, now + 7],
  );
  assert.deepEqual(token.issuerAudience, [bench.issuer.audience]);
  assert.deepEqual(token.claims.get('tenant'), { id: 1 });
});
