import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Checkpoint } from '../support/checkpoint.js';
import { bearerException } from '../support/exceptions.js';
import { type Overrides, TokenSigner } from '../support/token-signer.js';

const admin = 'https://admin.test';

/** Two issuers, each with a client `shop` and a user `alice`, who have nothing to do with each other. */
describe('a client, an audience and a subject are names within one issuer', () => {
  const own = new TokenSigner();
  const other = new TokenSigner({ issuer: 'https://other.test', kid: 'k2' });
  let guarded: Checkpoint;
  before(async () => {
    guarded = await Checkpoint.start({
      signer: own,
      config: {
        issuers: [
          { issuer: own.issuer, audience: [own.audience, admin], keys: { file: 'jwks.json' } },
          { issuer: other.issuer, audience: other.audience, keys: { file: 'other.json' } },
        ],
        routes: [
          { path: '/own/**', issuers: [own.issuer] },
          { path: '/shop', issuers: [own.issuer], clients: ['shop'] },
          { path: '/alice', issuers: [own.issuer], claims: { sub: ['alice'] } },
          { path: '/admin', issuers: [own.issuer, other.issuer], audience: [admin] },
          { path: '/**' },
        ],
        exceptions: [bearerException({ issuer: own.issuer, clients: ['shop'], routes: ['/legacy'] })],
      },
      files: { 'other.json': other.jwks },
    });
    await guarded.fetchNonce();
  });
  after(() => guarded.stop());

  const call = (signer: TokenSigner, target: string, claims: Overrides = {}) => ({
    target,
    token: signer.token({ cnf: { jkt: guarded.client.jkt }, ...claims }),
  });
  const bearer = (signer: TokenSigner) => ({
    ...{ target: '/legacy', scheme: 'Bearer', proof: null },
    token: signer.token(),
  });

  test('accepting twin of all: both issuers on a route that names none', async () => {
    for (const signer of [own, other]) {
      const { seen } = await guarded.admits(call(signer, '/orders'));
      assert.deepEqual(seen.all('x-auth-client'), ['shop']);
      assert.deepEqual(seen.all('x-auth-issuer'), [signer.issuer]);
    }
  });

  for (const target of ['/own/7', '/shop', '/alice']) {
    test(`D21: ${target} takes the token of its issuer, and not its twin of the other`, async () => {
      await guarded.refuses(call(other, target), { reason: 'issuer_refused', error: 'invalid_token' });
      await guarded.admits(call(own, target));
    });
  }

  test('D21: the issuer is told to the operator with each client', async () => {
    const answers = [await guarded.admits(call(own, '/a')), await guarded.admits(call(other, '/a'))];
    const logged = await Promise.all(answers.map(({ response }) => guarded.sidecar.logged(response)));
    assert.deepEqual(
      logged.map(({ client, issuer }) => [client, issuer]),
      [
        ['shop', own.issuer],
        ['shop', other.issuer],
      ],
    );
    const { exceptions } = JSON.parse((await guarded.sidecar.admin('/status')).text);
    assert.equal(exceptions[0].issuer, own.issuer);
  });

  test('D21: an exception is for the client of its issuer', async () => {
    await guarded.refuses(bearer(other), {
      ...{ reason: 'token_not_bound', error: 'invalid_token', by: ['Bearer'] },
    });
    const { seen } = await guarded.admits(bearer(own));
    assert.deepEqual(seen.all('x-auth-proof'), ['exception']);
  });

  test('D22: the audience of a route gives no issuer more than its own', async () => {
    const refused = { reason: 'token_audience_mismatch', error: 'invalid_token' } as const;
    await guarded.refuses(call(other, '/admin', { aud: admin }), refused);
    await guarded.refuses(call(other, '/admin', { aud: [other.audience, admin] }), refused);
    await guarded.refuses(call(own, '/admin'), refused);
    await guarded.admits(call(own, '/admin', { aud: admin }));
    await guarded.admits(call(own, '/admin', { aud: [own.audience, admin] }));
  });
});
