import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Checkpoint } from '../support/checkpoint.js';
import { shiftableClock, shiftClock } from '../support/shiftable-clock.js';
import { TokenSigner } from '../support/token-signer.js';

const nowSeconds = () => Math.floor(Date.now() / 1000);

describe('a token that was verified before is judged anew', () => {
  let guarded: Checkpoint;
  before(async () => {
    const signer = new TokenSigner();
    guarded = await Checkpoint.start({
      signer,
      config: {
        issuers: [
          {
            issuer: signer.issuer,
            audience: [signer.audience, 'https://reports.test'],
            keys: { file: 'jwks.json' },
            leeway: '0s',
          },
        ],
        routes: [
          { path: '/admin', scopes: ['admin'] },
          { path: '/reports', audience: ['https://reports.test'] },
          { path: '/partners', clients: ['partner'] },
          { path: '/eu', claims: { region: ['eu'] } },
          { path: '/**' },
        ],
      },
      nodeArgs: shiftableClock([20_000]),
    });
    await guarded.fetchNonce();
  });
  after(() => guarded.stop());

  const hits = () => guarded.sidecar.metric('holdfast_token_cache_total{result="hit"}');
  const stale = () => guarded.sidecar.metric('holdfast_token_cache_total{result="stale"}');

  test('D16: the rules of a stricter route hold for a known token', async () => {
    const token = guarded.token();
    await guarded.admits({ token });
    const before = await hits();
    await guarded.refuses(
      { target: '/admin', token },
      { reason: 'insufficient_scope', error: 'insufficient_scope', scope: 'admin' },
    );
    await guarded.refuses(
      { target: '/reports', token },
      { reason: 'token_audience_mismatch', error: 'invalid_token' },
    );
    await guarded.refuses(
      { target: '/partners', token },
      { reason: 'client_refused', error: 'insufficient_scope' },
    );
    await guarded.refuses({ target: '/eu', token }, { reason: 'claim_refused', error: 'insufficient_scope' });
    await guarded.refuses(
      { token, scheme: 'Bearer' },
      { reason: 'bound_token_as_bearer', error: 'invalid_token', by: ['Bearer'] },
    );
    await guarded.admits({ token });
    assert.equal((await hits()) - before, 6, 'it was known all the time');
  });

  test('D16, D10: a known token expires at its second', async () => {
    const token = guarded.token({ exp: nowSeconds() + 15 });
    await guarded.admits({ token });
    await guarded.admits({ token });
    await shiftClock(guarded.sidecar, 1);
    const proof = guarded.proof({ token, claims: { iat: nowSeconds() + 20 } });
    const before = await stale();
    await guarded.refuses({ token, proof }, { reason: 'token_expired', error: 'invalid_token' });
    assert.equal((await stale()) - before, 1, 'it was known until then');
  });
});
