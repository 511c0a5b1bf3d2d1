import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { makeDpopKey, makeProof } from '../support/dpop.js';
import { Guarded } from '../support/guarded.js';
import { authority, request } from '../support/sidecar.js';
import type { WireResponse } from '../support/wire.js';

const limit = 10;
const uri = `http://${authority}/`;

type Kind = 'proof' | 'token';

function verifications(guarded: Guarded, kind: Kind, result: 'ok' | 'failed'): Promise<number> {
  return guarded.sidecar.metric(`holdfast_signature_verifications_total{kind="${kind}",result="${result}"}`);
}

async function counts(guarded: Guarded) {
  return {
    proofs: await verifications(guarded, 'proof', 'ok'),
    badProofs: await verifications(guarded, 'proof', 'failed'),
    tokens: await verifications(guarded, 'token', 'ok'),
    badTokens: await verifications(guarded, 'token', 'failed'),
  };
}

/** The last segment replaced by a signature of the right length that is none. */
function spoil(jws: string): string {
  return `${jws.slice(0, jws.lastIndexOf('.'))}.${'A'.repeat(86)}`;
}

async function send(guarded: Guarded, token: string, proof: string): Promise<WireResponse> {
  return guarded.sidecar.send(request({ headers: [`Authorization: DPoP ${token}`, `DPoP: ${proof}`] }));
}

/** Refused with this reason, without a byte for the service. */
async function refused(guarded: Guarded, response: WireResponse, status: number, reason: string) {
  assert.equal(response.status, status, response.body);
  assert.equal((await guarded.sidecar.logged(response)).reason, reason);
}

describe('G19: what is cheap is checked first', () => {
  let guarded: Guarded;
  before(async () => {
    guarded = await Guarded.start({ config: {} });
  });
  after(() => guarded.stop());

  test('G19: proof with bad htm and bad signature: no verification', async () => {
    const { token, key, nonce } = guarded.caller;
    await guarded.serves();
    const before = await counts(guarded);
    const { bytes } = guarded.service;
    for (const claims of [{ htm: 'POST' }, { htu: `${uri}other` }, { iat: 1 }, { ath: 'A'.repeat(43) }]) {
      const proof = spoil(makeProof({ key, method: 'GET', uri, token, nonce, claims }));
      assert.equal((await send(guarded, token, proof)).status, 401);
    }
    assert.deepEqual(await counts(guarded), before);
    assert.equal(guarded.service.bytes, bytes, 'the service saw no byte');
    const good = makeProof({ key, method: 'GET', uri, token, nonce });
    assert.equal((await send(guarded, token, good)).status, 200);
    assert.deepEqual(await counts(guarded), { ...before, proofs: before.proofs + 1 });
  });

  test('G19: a failed proof does not burn its jti', async () => {
    const { token, key, nonce } = guarded.caller;
    const before = await counts(guarded);
    const good = makeProof({ key, method: 'GET', uri, token, nonce });
    await refused(guarded, await send(guarded, token, spoil(good)), 401, 'dpop_signature_invalid');
    assert.equal((await send(guarded, token, good)).status, 200);
    assert.deepEqual(await counts(guarded), {
      ...before,
      badProofs: before.badProofs + 1,
      proofs: before.proofs + 1,
    });
    await refused(guarded, await send(guarded, token, good), 401, 'proof_replayed');
  });

  test('G19: a token that has expired by its own account is not verified', async () => {
    const { key } = guarded.caller;
    const before = await counts(guarded);
    const expired = guarded.mint(key, { exp: Math.floor(Date.now() / 1000) - 60 });
    const proof = makeProof({ key, method: 'GET', uri, token: expired });
    await refused(guarded, await send(guarded, expired, proof), 401, 'token_expired');
    assert.deepEqual(await counts(guarded), before);
  });
});

/** Each costs a verification that buys nothing. */
const garbage: readonly {
  title: string;
  kind: Kind | 'none';
  reason: string;
  make: (guarded: Guarded) => string[];
}[] = [
  {
    title: 'a stolen token with proofs of fresh keys that nobody signed',
    kind: 'proof',
    reason: 'dpop_signature_invalid',
    make: ({ caller: { token, nonce } }) => [
      token,
      spoil(makeProof({ key: makeDpopKey(), method: 'GET', uri, token, nonce })),
    ],
  },
  {
    title: 'a stolen token with good proofs of fresh keys',
    kind: 'none',
    reason: 'dpop_key_mismatch',
    make: ({ caller: { token, nonce } }) => [
      token,
      makeProof({ key: makeDpopKey(), method: 'GET', uri, token, nonce }),
    ],
  },
  {
    title: 'keys that lie on no curve',
    kind: 'none',
    reason: 'dpop_key_invalid',
    make: ({ caller: { token, nonce } }) => {
      const key = makeDpopKey();
      const header = { jwk: { ...key.jwk, x: makeDpopKey().jwk.x } };
      return [token, makeProof({ key, method: 'GET', uri, token, nonce, header })];
    },
  },
  {
    title: 'tokens that the issuer did not sign',
    kind: 'token',
    reason: 'token_signature_invalid',
    make: (guarded) => {
      const key = makeDpopKey();
      const token = spoil(guarded.mint(key));
      return [token, makeProof({ key, method: 'GET', uri, token })];
    },
  },
  {
    title: 'tokens that the issuer signed and that lack what they need',
    kind: 'none',
    reason: 'token_claims_invalid',
    make: (guarded) => {
      const key = makeDpopKey();
      const token = guarded.mint(key, { sub: undefined, jti: undefined });
      return [token, makeProof({ key, method: 'GET', uri, token })];
    },
  },
];

describe('G19: failures of one address are bounded', () => {
  for (const { title, kind, reason, make } of garbage) {
    test(`G19: ${title}: 429 after failedSignaturesPerAddress, and no further verification`, async () => {
      const guarded = await Guarded.start({
        config: { listen: { limits: { failedSignaturesPerAddress: limit } } },
      });
      try {
        await guarded.serves();
        const start = await counts(guarded);
        const { bytes } = guarded.service;
        // Debts melt by one in six seconds: a few more may fail on a machine that is slow.
        const answers: WireResponse[] = [];
        for (let i = 0; i < limit * 2; i++) {
          const [token = '', proof = ''] = make(guarded);
          answers.push(await send(guarded, token, proof));
        }
        const late = answers.filter(({ status }) => status === 429);
        assert.ok(late.length >= limit / 2, `${late.length} of ${answers.length}`);
        for (const early of answers.slice(0, limit)) await refused(guarded, early, 401, reason);
        for (const answer of late) {
          await refused(guarded, answer, 429, 'too_many_failed_signatures');
          assert.match(answer.one('retry-after') ?? '', /^[1-9][0-9]*$/);
          assert.equal(answer.one('www-authenticate'), undefined);
        }
        const { badProofs, badTokens } = await counts(guarded);
        const failed = kind === 'proof' ? badProofs - start.badProofs : badTokens - start.badTokens;
        if (kind !== 'none') assert.equal(failed, answers.length - late.length);
        assert.equal(guarded.service.bytes, bytes, 'the service saw no byte');

        // The neighbour at the same address: token and key are known, so nothing has changed for it.
        for (let i = 0; i < limit; i++) await guarded.serves();
        guarded.renewToken();
        await guarded.serves();
      } finally {
        await guarded.stop();
      }
    });
  }

  test('G19: who knows the public key of a neighbour cannot keep him out with it', async () => {
    const guarded = await Guarded.start({
      config: { listen: { limits: { failedSignaturesPerAddress: limit } } },
    });
    try {
      await guarded.serves();
      const { key } = guarded.caller;
      const statuses = new Set<number>();
      for (let i = 0; i < limit * 2; i++) {
        const token = spoil(guarded.mint(key));
        const proof = spoil(makeProof({ key, method: 'GET', uri, token }));
        statuses.add((await send(guarded, token, proof)).status);
      }
      assert.deepEqual([...statuses], [401, 429]);
      await guarded.serves();
    } finally {
      await guarded.stop();
    }
  });

  test('G19: keys that no token is bound to buy no verification of tokens, however many sign', async () => {
    const guarded = await Guarded.start({
      config: { listen: { limits: { failedSignaturesPerAddress: limit } } },
    });
    try {
      await guarded.serves();
      const { token, nonce } = guarded.caller;
      const strangers = Array.from({ length: limit - 1 }, () => makeDpopKey());
      for (const key of strangers) {
        const good = makeProof({ key, method: 'GET', uri, token, nonce });
        await refused(guarded, await send(guarded, token, good), 401, 'dpop_key_mismatch');
      }
      const start = await counts(guarded);
      for (const key of strangers) {
        const forged = spoil(guarded.mint(key));
        for (let i = 0; i < 3; i++)
          await send(guarded, forged, makeProof({ key, method: 'GET', uri, token: forged }));
      }
      // Nine of ten are used up; debts melt by one in six seconds.
      const { badTokens } = await counts(guarded);
      assert.ok(badTokens - start.badTokens <= limit / 2, `${badTokens - start.badTokens} tokens verified`);
      await guarded.serves();
    } finally {
      await guarded.stop();
    }
  });

  test('G19: a client that breaks its own proofs hurts itself, and no other key at its address', async () => {
    const guarded = await Guarded.start({
      config: { listen: { limits: { failedSignaturesPerAddress: limit } } },
    });
    try {
      await guarded.serves();
      const { token, key, nonce } = guarded.caller;
      for (let i = 0; i < limit; i++) {
        const answer = await send(
          guarded,
          token,
          spoil(makeProof({ key, method: 'GET', uri, token, nonce })),
        );
        await refused(guarded, answer, 401, 'dpop_signature_invalid');
      }
      const answer = await send(guarded, token, makeProof({ key, method: 'GET', uri, token, nonce }));
      await refused(guarded, answer, 429, 'too_many_failed_signatures');

      const other = makeDpopKey();
      const otherToken = guarded.mint(other);
      const proof = makeProof({ key: other, method: 'GET', uri, token: otherToken, nonce });
      assert.equal((await send(guarded, otherToken, proof)).status, 200);
    } finally {
      await guarded.stop();
    }
  });
});
