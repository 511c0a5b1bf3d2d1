import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Checkpoint, type Refused } from '../support/checkpoint.js';
import { shiftableClock, shiftClock } from '../support/shiftable-clock.js';
import { authority } from '../support/sidecar.js';
import { TokenSigner } from '../support/token-signer.js';

const nowSeconds = () => Math.floor(Date.now() / 1000);
const missing: Refused = { reason: 'dpop_nonce_missing', error: 'use_dpop_nonce' };
const invalid: Refused = { reason: 'dpop_nonce_invalid', error: 'use_dpop_nonce' };
const predates: Refused = { reason: 'dpop_proof_predates_start', error: 'use_dpop_nonce' };
const nqchar = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

describe('nonces that are required', () => {
  const secret = randomBytes(32);
  const signer = new TokenSigner();
  const other = 'http://other.test';
  const options = {
    signer,
    config: {
      dpop: { nonce: 'required', nonceSecret: 'nonce.secret', clockSkew: '0s' },
      listen: { origins: [`http://${authority}`, other], resource: `http://${authority}` },
    },
    files: { 'nonce.secret': secret },
  };
  let one: Checkpoint;
  let two: Checkpoint;
  before(async () => {
    [one, two] = await Promise.all([Checkpoint.start(options), Checkpoint.start(options)]);
    for (const guarded of [one, two]) {
      guarded.keepSecret(secret.toString('base64url'));
      guarded.keepSecret(secret.toString('base64'));
      guarded.keepSecret(secret.toString('hex'));
    }
    await one.fetchNonce();
    two.nonce = one.nonce;
    await memoryIsOldEnough(one);
    await memoryIsOldEnough(two);
  });
  after(async () => {
    await one.stop();
    await two.stop();
  });

  test('H01: a proof without a nonce', async () => {
    const token = one.token();
    const proof = one.proof({ token, nonce: undefined });
    const response = await one.refuses({ token, proof }, missing);
    assert.match(response.one('dpop-nonce') ?? '', nqchar);
  });

  for (const [title, forge] of Object.entries<(nonce: string) => string>({
    'an invented nonce': () => 'abc',
    'an empty nonce': () => '',
    'one bit off': (nonce) => (nonce.startsWith('A') ? 'B' : 'A') + nonce.slice(1),
    'another MAC': (nonce) => nonce.slice(0, -2) + (nonce.endsWith('AA') ? 'BB' : 'AA'),
    'with padding': (nonce) => `${nonce}=`,
    'of the right length': () => 'A'.repeat(32),
  })) {
    test(`H01, H03: ${title}`, async () => {
      const token = one.token();
      const proof = one.proof({ token, nonce: forge(one.nonce) });
      const response = await one.refuses({ token, proof }, invalid);
      assert.match(response.one('dpop-nonce') ?? '', nqchar);
    });
  }

  test('H01: the retry with the nonce of the refusal passes', async () => {
    const token = one.token();
    const refusal = await one.send({ token, proof: one.proof({ token, nonce: undefined }) });
    const nonce = refusal.one('dpop-nonce');
    await one.admits({ token, proof: one.proof({ token, nonce }) });
  });

  test('H01: who cannot prove the key gets no nonce', async () => {
    const token = one.token();
    const proof = one.proof({ token, nonce: undefined });
    await one.refuses(
      { token, proof: `${proof.slice(0, -8)}AAAAAAAA` },
      { reason: 'dpop_signature_invalid', error: 'invalid_dpop_proof' },
    );
  });

  test('H03: a replica with the same secret takes the nonce', async () => {
    await two.admits({ token: two.token() });
  });

  test('H04: a nonce of one origin is none of another', async () => {
    const token = one.token();
    const uri = `${other}/`;
    const send = (proof: string) =>
      one.bytes({ token, proof }).replace(`Host: ${authority}`, 'Host: other.test');
    const refusal = await one.refuses(send(one.proof({ token, uri })), invalid);
    const nonce = refusal.one('dpop-nonce');
    await one.admits(send(one.proof({ token, uri, nonce })));
    await one.refuses({ token, proof: one.proof({ token, nonce }) }, invalid);
  });

  for (const [title, headers] of Object.entries({
    'a cookie': ['Cookie: nonce=off'],
    'a user agent': ['User-Agent: legacy'],
    'a DPoP-Nonce field': ['DPoP-Nonce: abc'],
  })) {
    test(`H05: ${title} spares nobody the nonce`, async () => {
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE']) {
        const token = one.token();
        const proof = one.proof({ token, method, target: '/any/path', nonce: undefined });
        const response = await one.send({ method, target: '/any/path', token, proof, headers });
        assert.equal(response.status, 401, method);
        assert.equal((await one.sidecar.logged(response)).reason, 'dpop_nonce_missing');
      }
    });
  }

  test('H08: a nonce serves many proofs, and each proof once', async () => {
    const token = one.token();
    const proof = one.proof({ token });
    await one.admits({ token, proof });
    await one.admits({ token, proof: one.proof({ token }) });
    await one.refuses({ token, proof }, { reason: 'proof_replayed', error: 'invalid_dpop_proof' });
  });

  test('H09: the nonce of the service is not passed on', async () => {
    one.service.script = () =>
      'HTTP/1.1 200 OK\r\nDPoP-Nonce: theirs\r\ndpop-nonce: theirs-too\r\nX-Kept: 1\r\nContent-Length: 0\r\n\r\n';
    const { response } = await one.admits();
    assert.deepEqual(response.all('dpop-nonce'), []);
    assert.equal(response.one('x-kept'), '1');
    one.service.reset();
  });
});

/** Waits until proofs that are dated now are no longer taken for ones of the time before the start (I11). */
async function memoryIsOldEnough(guarded: Checkpoint): Promise<void> {
  for (;;) {
    const token = guarded.token();
    const response = await guarded.send({ token, proof: guarded.proof({ token, nonce: undefined }) });
    const { reason } = await guarded.sidecar.logged(response);
    if (reason !== predates.reason) return;
  }
}

describe('nonces grow old', () => {
  let guarded: Checkpoint;
  let shifted = 0;
  before(async () => {
    guarded = await Checkpoint.start({
      config: { dpop: { nonce: 'required', nonceLifetime: '300s' } },
      nodeArgs: shiftableClock([{ pass: 150_000 }, { pass: 80_000 }, { pass: 150_000 }]),
    });
    await guarded.fetchNonce();
  });
  after(() => guarded.stop());

  const call = () => {
    const token = guarded.token();
    return { token, proof: guarded.proof({ token, claims: { iat: nowSeconds() + shifted } }) };
  };

  test('H07: a young nonce is not replaced', async () => {
    await shiftClock(guarded.sidecar, 1);
    shifted = 150;
    const { response } = await guarded.admits(call());
    assert.deepEqual(response.all('dpop-nonce'), []);
    assert.deepEqual(response.all('cache-control'), []);
  });

  test('H07: in the last third of its life the answer brings a new one, and is not stored', async () => {
    await shiftClock(guarded.sidecar, 2);
    shifted = 230;
    guarded.service.script = () =>
      'HTTP/1.1 200 OK\r\nCache-Control: public, max-age=60\r\nDPoP-Nonce: theirs\r\nContent-Length: 0\r\n\r\n';
    const { response } = await guarded.admits(call());
    guarded.service.reset();
    const next = response.one('dpop-nonce');
    assert.match(next ?? '', nqchar);
    assert.notEqual(next, guarded.nonce);
    assert.equal(response.one('cache-control'), 'no-store');
  });

  test('H01, H03: after its life it is refused, and the one of the refusal passes', async () => {
    await shiftClock(guarded.sidecar, 3);
    shifted = 380;
    const refusal = await guarded.refuses(call(), invalid);
    guarded.nonce = refusal.one('dpop-nonce') ?? '';
    await guarded.admits(call());
  });
});
