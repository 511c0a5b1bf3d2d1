import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Checkpoint, type Refused } from '../support/checkpoint.js';
import { bearerException } from '../support/exceptions.js';
import { shiftableClock, shiftClock } from '../support/shiftable-clock.js';
import { TokenSigner } from '../support/token-signer.js';

const nowSeconds = () => Math.floor(Date.now() / 1000);
const target = '/legacy/orders';

function refused(reason: string): Refused {
  return { reason, error: 'invalid_token', by: ['Bearer'] };
}

describe('exceptions are narrow', () => {
  let guarded: Checkpoint;
  before(async () => {
    guarded = await Checkpoint.start({
      config: {
        routes: [
          { path: '/legacy/admin', scopes: ['admin'] },
          { path: '/legacy/partners', clients: ['partner'] },
          { path: '/legacy/eu', claims: { region: ['eu'] } },
          { path: '/**' },
        ],
        exceptions: [
          bearerException({ clients: ['shop'], routes: ['/legacy/**'] }),
          bearerException({
            id: 'elsewhere',
            clients: ['roamer'],
            routes: ['/legacy/**'],
            sources: ['203.0.113.0/24'],
          }),
          bearerException({
            id: 'here',
            clients: ['local'],
            routes: ['/legacy/**'],
            sources: ['127.0.0.0/8'],
          }),
          bearerException({
            id: 'brief',
            clients: ['brief'],
            routes: ['/legacy/**'],
            maxTokenLifetime: '5m',
          }),
          bearerException({
            id: 'over',
            clients: ['late'],
            routes: ['/legacy/**'],
            created: '2026-01-01',
            expires: '2026-01-02',
          }),
        ],
      },
    });
  });
  after(() => guarded.stop());

  const call = (claims: Readonly<Record<string, unknown>> = {}, at = target) => ({
    ...{ target: at, scheme: 'Bearer', proof: null },
    token: guarded.signer.token(claims),
  });

  test('R03, R06: a use is marked to the service, counted and logged', async () => {
    const series = 'holdfast_exception_requests_total{exception="legacy-gateway"}';
    assert.equal(await guarded.sidecar.metric(series), 0);
    const { seen, response } = await guarded.admits(call());
    assert.deepEqual(seen.all('x-auth-proof'), ['exception']);
    assert.deepEqual(seen.all('x-auth-key'), []);
    assert.deepEqual(seen.all('authorization'), []);
    const logged = await guarded.sidecar.logged(response);
    assert.equal(logged.exception, 'legacy-gateway');
    assert.equal(logged.proof, 'exception');
    assert.equal(await guarded.sidecar.metric(series), 1);
    assert.deepEqual(
      response.headers.filter(([name]) => /exception/i.test(name)),
      [],
    );
  });

  test('R03: the expiry of each is a metric, with its owner', async () => {
    const { text } = await guarded.sidecar.admin('/metrics');
    for (const id of ['legacy-gateway', 'elsewhere', 'here', 'brief', 'over'])
      assert.match(
        text,
        new RegExp(
          `holdfast_exception_expiry_timestamp_seconds\\{exception="${id}",owner="payments@example.com"\\} \\d+`,
        ),
      );
  });

  const rows: readonly (readonly [
    title: string,
    claims: Readonly<Record<string, unknown>>,
    at: string,
    reason: string,
  ])[] = [
    ['R04: another client', { client_id: 'other' }, target, 'token_not_bound'],
    ['R04: another path', {}, '/orders', 'token_not_bound'],
    ['R04: a path of the same beginning', {}, '/legacyX', 'token_not_bound'],
    ['R04: an expired token', { exp: nowSeconds() - 60 }, target, 'token_expired'],
    ['R04: another audience', { aud: 'https://elsewhere.test' }, target, 'token_audience_mismatch'],
    ['R04: another issuer', { iss: 'https://elsewhere.test' }, target, 'token_issuer_unknown'],
    ['R04: from another place', { client_id: 'roamer' }, target, 'exception_source_refused'],
    ['R04: a token that lives too long', { client_id: 'brief' }, target, 'exception_lifetime_refused'],
    ['R02: an exception that has ended', { client_id: 'late' }, target, 'exception_expired'],
  ];
  for (const [title, claims, at, reason] of rows) {
    test(title, async () => {
      const before = await guarded.sidecar.metric(
        'holdfast_exception_requests_total{exception="legacy-gateway"}',
      );
      await guarded.refuses(call(claims, at), refused(reason));
      const after = await guarded.sidecar.metric(
        'holdfast_exception_requests_total{exception="legacy-gateway"}',
      );
      assert.equal(after, before);
    });
  }
  test('R04: a forged token', async () => {
    const token = new TokenSigner().token();
    await guarded.refuses({ ...call(), token }, refused('token_signature_invalid'));
  });

  test('R04: accepting twins: the named place, the short life', async () => {
    await guarded.admits(call({ client_id: 'local' }));
    await guarded.admits(call({ client_id: 'brief', exp: nowSeconds() + 200 }));
  });

  test('R04: scopes, clients and claims of the route hold', async () => {
    const insufficient = { error: 'insufficient_scope', by: ['Bearer'] } as const;
    await guarded.refuses(call({}, '/legacy/admin'), {
      ...{ ...insufficient, reason: 'insufficient_scope', scope: 'admin' },
    });
    await guarded.admits(call({ scope: 'admin' }, '/legacy/admin'));
    await guarded.refuses(call({}, '/legacy/partners'), { ...insufficient, reason: 'client_refused' });
    await guarded.refuses(call({}, '/legacy/eu'), { ...insufficient, reason: 'claim_refused' });
    await guarded.admits(call({ region: 'eu' }, '/legacy/eu'));
  });

  test('R04: identity headers of the caller are stripped', async () => {
    const headers = ['X-Auth-Subject: admin', 'X-Auth-Proof: dpop', 'X-Auth-Key: abc'];
    const { seen } = await guarded.admits({ ...call(), headers });
    assert.deepEqual(seen.all('x-auth-subject'), ['alice']);
    assert.deepEqual(seen.all('x-auth-proof'), ['exception']);
    assert.deepEqual(seen.all('x-auth-key'), []);
  });

  test('R04: an unbound token under DPoP does not pass, exception or not', async () => {
    const token = guarded.signer.token();
    const old = { iat: nowSeconds() - 50 };
    const first = await guarded.send({
      target,
      token,
      proof: guarded.proof({ token, target, nonce: undefined, claims: old }),
    });
    guarded.nonce = first.one('dpop-nonce') ?? '';
    await guarded.refuses({ target, token }, { reason: 'token_not_bound', error: 'invalid_token' });
  });
});

test('R02: an exception ends at its second, without a restart, also for a token that is known', async (t) => {
  const expires = new Date((nowSeconds() + 1800) * 1000).toISOString().replace('.000Z', 'Z');
  const guarded = await Checkpoint.start({
    config: { exceptions: [bearerException({ clients: ['shop'], routes: ['/legacy/**'], expires })] },
    nodeArgs: shiftableClock([1_700_000, 101_000]),
  });
  t.after(() => guarded.stop());
  const call = {
    target,
    scheme: 'Bearer',
    proof: null,
    token: guarded.signer.token({ exp: nowSeconds() + 7200 }),
  };
  await guarded.admits(call);
  await shiftClock(guarded.sidecar, 1);
  await guarded.admits(call);
  await shiftClock(guarded.sidecar, 2);
  await guarded.refuses(call, refused('exception_expired'));
});
