import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Checkpoint, type Refused } from '../support/checkpoint.js';
import { makeDpopKey } from '../support/dpop.js';
import { shiftableClock, shiftClock } from '../support/shiftable-clock.js';
import { TokenSigner } from '../support/token-signer.js';

const nowSeconds = () => Math.floor(Date.now() / 1000);
const replayed: Refused = { reason: 'proof_replayed', error: 'invalid_dpop_proof' };
const predates: Refused = { reason: 'dpop_proof_predates_start', error: 'use_dpop_nonce' };
const outside: Refused = { reason: 'dpop_iat_outside_window', error: 'invalid_dpop_proof' };
const quota: Refused = {
  reason: 'proof_quota_exceeded',
  status: 429,
  body: 'too_many_requests',
  schemes: [],
};

describe('a proof passes once', () => {
  let guarded: Checkpoint;
  before(async () => {
    guarded = await Checkpoint.start({
      config: { replay: { capacity: 1000, perKey: 200 }, dpop: { maxAge: '300s' } },
    });
    await guarded.fetchNonce();
  });
  after(() => guarded.stop());

  test('I01: the second use is refused, with another token too', async () => {
    const token = guarded.token();
    const proof = guarded.proof({ token });
    await guarded.admits({ token, proof });
    await guarded.refuses({ token, proof }, replayed);
    await guarded.refuses({ token, proof }, replayed);
    const jti = JSON.parse(Buffer.from(proof.split('.')[1] ?? '', 'base64url').toString()).jti;
    const second = guarded.token();
    await guarded.refuses(
      { token: second, proof: guarded.proof({ token: second, claims: { jti } }) },
      replayed,
    );
  });

  test('I01: accepting twin: the same jti of another key is another proof', async () => {
    const jti = 'the-same';
    for (const key of [guarded.client, makeDpopKey()]) {
      const token = guarded.token({ cnf: { jkt: key.jkt } });
      await guarded.admits({ token, proof: guarded.proof({ token, key, claims: { jti } }) });
    }
  });

  test('I01: of 100 copies at once exactly one passes', async () => {
    const before = guarded.service.requests.length;
    const bytes = guarded.bytes();
    const answers = await Promise.all(Array.from({ length: 100 }, () => guarded.sidecar.send(bytes)));
    const passed = answers.filter(({ status }) => status === 200);
    assert.equal(passed.length, 1);
    assert.equal(guarded.service.requests.length, before + 1);
    for (const answer of answers.filter((one) => !passed.includes(one)))
      await guarded.checkRefusal(answer, replayed);
  });

  test('I04: a key at its quota is told so; nobody else is, and nothing is forgotten', async () => {
    const victim = guarded.token();
    const used = guarded.proof({ token: victim });
    await guarded.admits({ token: victim, proof: used });

    const key = makeDpopKey();
    const token = guarded.token({ cnf: { jkt: key.jkt } });
    const first = guarded.proof({ token, key });
    await guarded.admits({ token, key, proof: first });
    const send = () => guarded.send({ token, proof: guarded.proof({ token, key }) });
    // Few at a time: all at once wait longer for their verification, on a busy machine, than one may.
    for (let left = 199; left > 0; left -= 20) {
      const answers = await Promise.all(Array.from({ length: Math.min(left, 20) }, send));
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    }

    const response = await guarded.refuses({ token, key }, quota);
    assert.match(response.one('retry-after') ?? '', /^[1-9][0-9]*$/);
    await guarded.refuses({ token, proof: first }, replayed);
    await guarded.refuses({ token: victim, proof: used }, replayed);
    await guarded.admits();
    assert.equal(await guarded.sidecar.metric('holdfast_replay_refused_total{cause="key_full"}'), 1);
  });

  test('I06: what is not proven and bound never gets into the store', async () => {
    const entries = () => guarded.sidecar.metric('holdfast_replay_entries');
    const before = await entries();
    assert.ok(before > 200, 'the proofs of the tests before are in it');
    const stranger = makeDpopKey();
    const rogue = new TokenSigner();
    for (let i = 0; i < 50; i++) {
      const token = guarded.token();
      const good = guarded.proof({ token });
      const unbound = guarded.token({ cnf: undefined });
      const forged = rogue.token({ cnf: { jkt: stranger.jkt } });
      await Promise.all([
        guarded.send({ token, proof: `${good.slice(0, -8)}AAAAAAAA` }),
        guarded.send({ token, key: stranger }),
        guarded.send({ token: unbound }),
        guarded.send({ token: forged, key: stranger }),
        guarded.send({ token: null, proof: good }),
        guarded.send({ target: '/elsewhere', token, proof: good }),
      ]);
    }
    assert.equal(await entries(), before);
    assert.equal(guarded.service.requests.filter(({ line }) => line.includes('/elsewhere')).length, 0);
  });
});

test('I14: a client that makes new keys is refused at its quota; nobody else is', async (t) => {
  const guarded = await Checkpoint.start({ config: { replay: { capacity: 100, perKey: 2, perClient: 22 } } });
  t.after(() => guarded.stop());
  await guarded.fetchNonce();
  const call = (claims = {}) => {
    const key = makeDpopKey();
    return { key, token: guarded.token({ cnf: { jkt: key.jkt }, ...claims }) };
  };
  for (let i = 0; i < 11; i++) {
    const { key, token } = call();
    for (let use = 0; use < 2; use++) await guarded.admits({ key, token });
  }
  const refusal = { ...quota, reason: 'proof_client_quota_exceeded' };
  const response = await guarded.refuses(call(), refusal);
  assert.match(response.one('retry-after') ?? '', /^[1-9][0-9]*$/);
  await guarded.admits(call({ client_id: 'other' }));
  assert.equal(await guarded.sidecar.metric('holdfast_replay_refused_total{cause="client_full"}'), 1);
});

test('I04, trap lru-cache: a full store refuses everybody with 503 and forgets nothing', async (t) => {
  const guarded = await Checkpoint.start({ config: { replay: { capacity: 5, perKey: 5 } } });
  t.after(() => guarded.stop());
  await guarded.fetchNonce();
  const used: string[] = [];
  const token = guarded.token();
  const others = [guarded.client, makeDpopKey()];
  for (let i = 0; i < 5; i++) {
    const key = others[i % 2] ?? guarded.client;
    const own = i % 2 === 0 ? token : guarded.token({ cnf: { jkt: key.jkt }, client_id: 'other' });
    const proof = guarded.proof({ token: own, key });
    if (i % 2 === 0) used.push(proof);
    await guarded.admits({ token: own, proof });
  }
  const bytes = guarded.service.bytes;
  const refusal = await guarded.send({ token });
  assert.equal(refusal.status, 503);
  assert.match(refusal.one('retry-after') ?? '', /^[1-9][0-9]*$/);
  assert.deepEqual(refusal.all('www-authenticate'), []);
  assert.equal(refusal.one('cache-control'), 'no-store');
  assert.equal((await guarded.sidecar.logged(refusal)).reason, 'ERR_REPLAY_STORE_FULL');
  assert.equal(guarded.service.bytes, bytes);
  for (const proof of used) await guarded.refuses({ token, proof }, replayed);
});

describe('time reopens nothing', () => {
  let guarded: Checkpoint;
  before(async () => {
    guarded = await Checkpoint.start({ nodeArgs: shiftableClock([62_000, -120_000, 10_000]) });
    await guarded.fetchNonce();
  });
  after(() => guarded.stop());

  test('I03: a proof dated ahead is remembered as long as it could pass; I09: a clock set back reopens nothing', async () => {
    const token = guarded.token();
    const old = guarded.proof({ token });
    await guarded.admits({ token, proof: old });
    const ahead = guarded.proof({ token, claims: { iat: nowSeconds() + 9 } });
    await guarded.admits({ token, proof: ahead });

    await shiftClock(guarded.sidecar, 1);
    await guarded.refuses({ token, proof: ahead }, replayed);
    await guarded.refuses({ token, proof: old }, outside);

    await shiftClock(guarded.sidecar, 2);
    await guarded.refuses({ token, proof: ahead }, replayed);
    await guarded.refuses({ token, proof: old }, outside);
    assert.ok((await guarded.sidecar.metric('holdfast_clock_step_back_total')) > 0);
  });
});

test('I11: a restart reopens nothing, with the secret of before', async (t) => {
  const secret = randomBytes(32);
  const signer = new TokenSigner();
  const options = {
    signer,
    config: { dpop: { nonceSecret: 'nonce.secret' } },
    files: { 'nonce.secret': secret },
  };
  const first = await Checkpoint.start(options);
  t.after(() => first.stop());
  await first.fetchNonce();
  const token = first.token();
  const used = first.proof({ token });
  await first.admits({ token, proof: used });
  await first.stop();

  const second = await Checkpoint.start(options);
  t.after(() => second.stop());
  const refusal = await second.refuses({ token, proof: used }, predates);
  const retry = (nonce: string | undefined) => second.proof({ token, key: first.client, nonce });
  await second.refuses({ token, proof: retry(undefined) }, predates);
  await second.admits({ token, proof: retry(refusal.one('dpop-nonce')) });
});
