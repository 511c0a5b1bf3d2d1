import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Checkpoint } from '../support/checkpoint.js';
import { TestIssuer } from '../support/issuer.js';
import { shiftableClock, shiftClock } from '../support/shiftable-clock.js';
import type { WireResponse } from '../support/wire.js';

test('D25: made-up keys of a stranger do not have good tokens refused after a rotation', async (t) => {
  const issuer = await TestIssuer.start({ audience: 'https://api.test' });
  t.after(() => issuer.stop());
  const seconds = 6;
  const guarded = await Checkpoint.start({
    config: { issuers: [{ issuer: issuer.issuer, audience: issuer.audience }] },
    nodeArgs: shiftableClock(Array.from({ length: seconds }, () => ({ pass: 1000 }))),
  });
  t.after(() => guarded.stop());
  const mint = (header = {}) => issuer.mint({ header, claims: { cnf: { jkt: guarded.client.jkt } } });
  const send = (token: string) => guarded.send({ token, proof: guarded.proof({ token }) });
  const reasonOf = async (response: WireResponse) => (await guarded.sidecar.logged(response)).reason;
  const noise = async (kid: string) => await reasonOf(await send(mint({ kid })));
  // The proofs of the first seconds need a nonce; it is handed out for a good token only.
  const first = mint();
  const old = Math.floor(Date.now() / 1000) - 50;
  const proof = guarded.proof({ token: first, nonce: undefined, claims: { iat: old } });
  guarded.nonce = (await guarded.send({ token: first, proof })).one('dpop-nonce') ?? '';
  await guarded.admits({ token: first, proof: guarded.proof({ token: first }) });

  assert.equal(await noise('made-up'), 'token_key_unknown', 'the issuer was asked for this one');
  const fetches = issuer.requests();
  issuer.rotate();
  const token = mint();
  const before = guarded.service.bytes;
  const early = await send(token);
  assert.equal(early.status, 503, early.body);
  assert.equal(await reasonOf(early), 'ERR_ISSUER_KEY_PENDING');
  assert.match(early.one('retry-after') ?? '', /^[1-5]$/);
  assert.equal(early.one('www-authenticate'), undefined);
  assert.equal(guarded.service.bytes, before, 'the service saw no byte');

  for (let second = 1; second <= seconds; second++) {
    await shiftClock(guarded.sidecar, second);
    const reason = await noise(`made-up-${second}`);
    assert.ok(reason === 'ERR_ISSUER_KEY_PENDING' || reason === 'token_key_unknown', String(reason));
  }
  assert.equal(issuer.requests(), fetches + 1, 'asked once more, by the first after the pause');
  await guarded.admits({ token, proof: guarded.proof({ token }) });
});
