import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Checkpoint, type Refused } from '../support/checkpoint.js';
import { authority, request } from '../support/sidecar.js';
import type { Overrides } from '../support/token-signer.js';

const nowSeconds = () => Math.floor(Date.now() / 1000);

function refused(reason: string): Refused {
  return { reason, error: 'invalid_dpop_proof' };
}

/** What a row changes of a proof that is otherwise good for GET http://api.test/orders/7. */
interface Changes {
  readonly claims?: Overrides;
}

const target = '/orders/7?page=2';

describe('a proof names the URI that clients use', () => {
  let guarded: Checkpoint;
  before(async () => {
    guarded = await Checkpoint.start();
    await guarded.fetchNonce();
  });
  after(() => guarded.stop());

  function call(changes: Changes = {}) {
    const token = guarded.token();
    return { target, token, proof: guarded.proof({ token, target, ...changes }) };
  }

  test('accepting twin of all: a good proof', async () => {
    await guarded.admits(call());
  });

  describe('check 9: htu', () => {
    const mismatches: readonly (readonly [id: string, htu: string])[] = [
      ['G11', 'http://api.test/orders/8'],
      ['G11', 'http://api.test/orders/7/'],
      ['G11', 'http://api.test/Orders/7'],
      ['G11', 'http://api.test//orders/7'],
      ['G11', 'http://api.test/orders'],
      ['G11', 'http://other.test/orders/7'],
      ['G11', 'https://api.test/orders/7'],
      ['G11', 'http://api.test:8080/orders/7'],
      ['G11', 'http://api.test:443/orders/7'],
      ['G11', 'http://api.test./orders/7'],
      ['G11', 'http://api.test/orders%2F7'],
      ['N05', 'http://\u0430pi.test/orders/7'],
      ['G14', '/orders/7'],
      ['G14', 'api.test/orders/7'],
      ['G14', '//api.test/orders/7'],
      ['G14', 'http://u:p@api.test/orders/7'],
      ['G14', 'http://api.test@/orders/7'],
      ['G14', 'ftp://api.test/orders/7'],
      ['G14', 'http:///orders/7'],
      ['G14', 'http:/api.test/orders/7'],
      ['G14', ' http://api.test/orders/7'],
      ['G14', 'http://api.test\\orders/7'],
    ];
    for (const [id, htu] of mismatches) {
      test(`${id}: ${htu}`, async () => {
        await guarded.refuses(call({ claims: { htu } }), refused('dpop_htu_mismatch'));
      });
    }
    const matches: readonly (readonly [id: string, htu: string])[] = [
      ['G11', 'http://api.test/orders/7?other=1'],
      ['G11', 'http://api.test/orders/7#fragment'],
      ['G11', 'http://api.test/orders/7?a=/../b#c?d'],
      ['N01', 'HTTP://API.TEST:80/orders/7'],
      ['N01', 'http://api.test:/orders/7'],
      ['N02', 'http://api.test/%6frders/%37'],
      ['N03', 'http://api.test/x/../orders/./7'],
    ];
    for (const [id, htu] of matches) {
      test(`${id}: accepting twin: ${htu}`, async () => {
        await guarded.admits(call({ claims: { htu } }));
      });
    }
    test('N01: the empty path is /', async () => {
      const token = guarded.token();
      await guarded.admits({ token, proof: guarded.proof({ token, claims: { htu: 'http://api.test' } }) });
    });
  });
  describe('G12: the effective URI comes from the configuration', () => {
    test('G12: a stolen proof with a Host that would spell its URI', async () => {
      const token = guarded.token();
      const proof = guarded.proof({ token, target: '/intended' });
      const bytes = request({
        target: '/other',
        headers: [`Authorization: DPoP ${token}`, `DPoP: ${proof}`],
      }).replace(`Host: ${authority}`, `Host: ${authority}/intended?`);
      await guarded.refuses(bytes, {
        ...{ reason: 'host_invalid', status: 400, body: 'invalid_request', schemes: [] },
      });
      await guarded.admits({ target: '/intended', token, proof });
    });
    for (const headers of [
      ['X-Forwarded-Host: evil.test'],
      ['X-Forwarded-Proto: https'],
      ['X-Forwarded-Prefix: /x'],
      ['Forwarded: host=evil.test;proto=https'],
      ['X-Original-URL: /evil'],
    ]) {
      test(`G12: ${headers} changes nothing`, async () => {
        await guarded.admits({ target, headers });
        const { token, proof } = call({ claims: { htu: 'https://evil.test/orders/7' } });
        await guarded.refuses({ target, headers, token, proof }, refused('dpop_htu_mismatch'));
      });
    }
  });
});

test('G13: a public prefix that a front proxy strips is part of htu', async (t) => {
  const origin = 'http://api.test';
  const guarded = await Checkpoint.start({
    config: { listen: { pathPrefix: '/svc1', resource: origin } },
  });
  t.after(() => guarded.stop());
  const token = guarded.token();
  const old = { iat: nowSeconds() - 50 };
  const answer = await guarded.send({
    token,
    proof: guarded.proof({ token, uri: `${origin}/svc1/`, nonce: undefined, claims: old }),
  });
  guarded.nonce = answer.one('dpop-nonce') ?? '';
  const proof = (uri: string) => guarded.proof({ token, uri });
  await guarded.refuses({ target: '/a', token, proof: proof(`${origin}/a`) }, refused('dpop_htu_mismatch'));
  const { seen } = await guarded.admits({ target: '/a', token, proof: proof(`${origin}/svc1/a`) });
  assert.equal(seen.line, 'GET /a HTTP/1.1');
  assert.deepEqual(seen.all('x-forwarded-prefix'), ['/svc1']);
});
