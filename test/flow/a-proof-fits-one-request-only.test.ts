import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Checkpoint, type Refused } from '../support/checkpoint.js';
import { makeDpopKey } from '../support/dpop.js';
import { RecordingService } from '../support/recording-service.js';
import { request } from '../support/sidecar.js';
import { type Overrides, sha256 } from '../support/token-signer.js';

const nowSeconds = () => Math.floor(Date.now() / 1000);

function refused(reason: string): Refused {
  return { reason, error: 'invalid_dpop_proof' };
}

/** What a row changes of a proof that is otherwise good for GET http://api.test/orders/7. */
interface Changes {
  readonly claims?: Overrides;
  readonly header?: Overrides;
}

const target = '/orders/7?page=2';

describe('a proof fits one request only', () => {
  let guarded: Checkpoint;
  let canary: RecordingService;
  before(async () => {
    canary = await RecordingService.start();
    guarded = await Checkpoint.start();
    await guarded.fetchNonce();
  });
  after(async () => {
    await guarded.stop();
    await canary.stop();
  });

  function call(changes: Changes = {}) {
    const token = guarded.token();
    return { target, token, proof: guarded.proof({ token, target, ...changes }) };
  }

  test('accepting twin of all: a good proof, made for this request', async () => {
    const { seen } = await guarded.admits(call());
    assert.equal(seen.line, `GET ${target} HTTP/1.1`);
  });

  describe('check 1: exactly one DPoP field', () => {
    const rows: Readonly<Record<string, (first: string, second: string) => string[]>> = {
      'two lines': (first, second) => [`DPoP: ${first}`, `DPoP: ${second}`],
      'the same proof on two lines': (first) => [`DPoP: ${first}`, `DPoP: ${first}`],
      'two spellings': (first, second) => [`DPoP: ${first}`, `dpop: ${second}`],
      'two in one line': (first, second) => [`DPoP: ${first}, ${second}`],
      'two in one line without a space': (first, second) => [`DPoP: ${first},${second}`],
      'one and an empty one': (first) => [`DPoP: ${first}`, 'DPoP:'],
    };
    for (const [title, lines] of Object.entries(rows)) {
      test(`G01: ${title}`, async () => {
        const token = guarded.token();
        const proof = () => guarded.proof({ token });
        const headers = [`Authorization: DPoP ${token}`, ...lines(proof(), proof())];
        await guarded.refuses(request({ headers }), refused('dpop_proof_repeated'));
      });
    }
    test('G01: accepting twin: any spelling of the name', async () => {
      const { token, proof } = call();
      const headers = [`Authorization: DPoP ${token}`, `dPoP: ${proof}`];
      await guarded.admits(request({ target, headers }));
    });
  });

  const shapes: Readonly<Record<string, (proof: string) => string>> = {
    padding: (proof) => `${proof}=`,
    'a space inside': (proof) => proof.replace('.', '. '),
    'four parts': (proof) => `${proof}.AAAA`,
    'two parts': (proof) => proof.split('.').slice(0, 2).join('.'),
    empty: () => '',
    'JSON serialisation': () => '{"payload":"e30","protected":"e30","signature":"AAAA"}',
    'more than 8 KiB': () => `${'A'.repeat(8200)}.e30.AAAA`,
    'standard base64': (proof) => `${proof.slice(0, -2)}+/`,
  };
  for (const [title, damage] of Object.entries(shapes)) {
    test(`G02: ${title}`, async () => {
      const { token, proof } = call();
      const expected = title === 'JSON serialisation' ? 'dpop_proof_repeated' : 'dpop_proof_malformed';
      await guarded.refuses({ target, token, proof: damage(proof) }, refused(expected));
    });
  }

  const claims: readonly Overrides[] = [
    { jti: undefined },
    { jti: '' },
    { jti: 1 },
    { jti: 'x'.repeat(257) },
    { htm: undefined },
    { htm: 1 },
    { htm: ['GET'] },
    { htu: undefined },
    { htu: ['http://api.test/orders/7'] },
    { htu: '' },
    { iat: undefined },
    { iat: '123' },
    { iat: null },
    { ath: undefined },
    { ath: '' },
    { ath: 1 },
    { nonce: 1 },
    { nonce: null },
    { nonce: ['x'] },
  ];
  for (const changed of claims) {
    const [[name, value] = []] = Object.entries(changed);
    const id = name === 'ath' ? 'G17' : name === 'nonce' ? 'H06' : 'G03';
    test(`${id}: ${name} ${String(JSON.stringify(value)).slice(0, 20)}`, async () => {
      await guarded.refuses(call({ claims: changed }), refused('dpop_claims_invalid'));
    });
  }
  test('I05: accepting twin: a jti of 256 characters', async () => {
    await guarded.admits(call({ claims: { jti: randomUUID().padEnd(256, 'x') } }));
  });

  for (const typ of [
    'JWT',
    undefined,
    'at+jwt',
    'client-authentication+jwt',
    'DPOP+JWT',
    'application/dpop+jwt',
    null,
  ]) {
    test(`G04, trap jose: typ ${JSON.stringify(typ)}`, async () => {
      await guarded.refuses(call({ header: { typ } }), refused('dpop_type_refused'));
    });
  }

  for (const alg of ['none', 'HS256', 'es256', 'RS1', 'RS256', 'ES384', 'XX', '', undefined, null]) {
    test(`G05: alg ${JSON.stringify(alg)}`, async () => {
      await guarded.refuses(call({ header: { alg } }), refused('dpop_algorithm_refused'));
    });
  }

  test('G09: crit is refused', async () => {
    await guarded.refuses(call({ header: { crit: ['x'], x: 1 } }), refused('dpop_proof_malformed'));
  });
  test('G09, trap jose: b64 is refused', async () => {
    await guarded.refuses(call({ header: { b64: false } }), refused('dpop_proof_malformed'));
  });
  test('G09, G21: accepting twin: jku, x5u, kid and unknown members are ignored, and nothing is fetched', async () => {
    const header = { jku: `${canary.url}/jwks`, x5u: `${canary.url}/cert`, kid: '../../x', extra: 1 };
    await guarded.admits(call({ header, claims: { extra: { a: 1 } } }));
    assert.equal(canary.connections, 0);
  });

  for (const htm of ['get', 'Get', 'POST', 'HEAD', 'GET ']) {
    test(`G10: htm ${JSON.stringify(htm)} for GET`, async () => {
      await guarded.refuses(call({ claims: { htm } }), refused('dpop_htm_mismatch'));
    });
  }
  test('G10: accepting twin: POST for POST', async () => {
    await guarded.admits({ method: 'POST', target, headers: ['Content-Length: 1'], body: 'x' });
  });
  const times: readonly (readonly [title: string, claims: () => Overrides, reason: string])[] = [
    ['G15: iat 62 s ago', () => ({ iat: nowSeconds() - 62 }), 'dpop_iat_outside_window'],
    ['G15: iat 40 s ahead', () => ({ iat: nowSeconds() + 40 }), 'dpop_iat_outside_window'],
    ['G15: iat -1e9', () => ({ iat: -1e9 }), 'dpop_iat_outside_window'],
    ['G15: iat 1e308', () => ({ iat: 1e308 }), 'dpop_iat_outside_window'],
    ['G15: iat in milliseconds', () => ({ iat: Date.now() }), 'dpop_iat_outside_window'],
    ['G16: exp passed', () => ({ exp: nowSeconds() - 30 }), 'dpop_validity_ended'],
    ['G16: exp a string', () => ({ exp: '1' }), 'dpop_validity_ended'],
    ['G16: nbf ahead', () => ({ nbf: nowSeconds() + 60 }), 'dpop_validity_ended'],
  ];
  for (const [title, changed, reason] of times) {
    test(title, async () => {
      await guarded.refuses(call({ claims: changed() }), refused(reason));
    });
  }
  test('G15, G16: accepting twins: 55 s ago, 8 s ahead, exp ahead, nbf passed', async () => {
    const now = nowSeconds();
    await guarded.admits(call({ claims: { iat: now - 55 } }));
    await guarded.admits(call({ claims: { iat: now + 8 } }));
    await guarded.admits(call({ claims: { exp: now + 30, nbf: now - 30 } }));
  });

  test('G17: ath of another token', async () => {
    await guarded.refuses(call({ claims: { ath: sha256('another') } }), refused('dpop_ath_mismatch'));
  });
  for (const [title, write] of Object.entries<(token: string) => string>({
    padded: (token) => `${sha256(token)}=`,
    hex: (token) => Buffer.from(sha256(token), 'base64url').toString('hex'),
  })) {
    test(`G17: ath ${title}`, async () => {
      const token = guarded.token();
      const proof = guarded.proof({ token, target, claims: { ath: write(token) } });
      await guarded.refuses({ target, token, proof }, refused('dpop_claims_invalid'));
    });
  }

  test('G18: a stolen token with a good proof of another key', async () => {
    await guarded.refuses(
      { target, key: makeDpopKey() },
      { reason: 'dpop_key_mismatch', error: 'invalid_token' },
    );
  });

  describe('order', () => {
    test('G19: a bad htm and a bad signature are answered as htm', async () => {
      const { token, proof } = call({ claims: { htm: 'PUT' } });
      await guarded.refuses(
        { target, token, proof: `${proof.slice(0, -8)}AAAAAAAA` },
        refused('dpop_htm_mismatch'),
      );
    });
    test('G19: a refused proof is not used up: it passes where it fits', async () => {
      const token = guarded.token();
      const proof = guarded.proof({ token, target: '/orders/8' });
      await guarded.refuses({ target: '/orders/7', token, proof }, refused('dpop_htu_mismatch'));
      await guarded.refuses(
        { target: '/orders/8', method: 'DELETE', token, proof },
        refused('dpop_htm_mismatch'),
      );
      await guarded.admits({ target: '/orders/8', token, proof });
    });
    test('G19, F01: a proof that fails at its binding is not used up either', async () => {
      const token = guarded.token({ cnf: { jkt: makeDpopKey().jkt } });
      const proof = guarded.proof({ token });
      const expected: Refused = { reason: 'dpop_key_mismatch', error: 'invalid_token' };
      await guarded.refuses({ token, proof }, expected);
      await guarded.refuses({ token, proof }, expected);
    });
  });
});
