import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Checkpoint, type Refused } from '../support/checkpoint.js';
import { makeDpopKey, signCompact, signText } from '../support/dpop.js';
import { RecordingService } from '../support/recording-service.js';
import { type Overrides, TokenSigner } from '../support/token-signer.js';

const nowSeconds = () => Math.floor(Date.now() / 1000);
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

function refused(reason: string): Refused {
  return { reason, error: 'invalid_token' };
}

describe('only valid access tokens pass', () => {
  const other = new TokenSigner({ issuer: 'https://other.test', kid: 'k2' });
  let guarded: Checkpoint;
  let canary: RecordingService;
  before(async () => {
    canary = await RecordingService.start();
    const signer = new TokenSigner();
    guarded = await Checkpoint.start({
      signer,
      config: {
        issuers: [
          {
            issuer: signer.issuer,
            audience: [signer.audience, 'https://reports.test'],
            keys: { file: 'jwks.json' },
          },
          { issuer: other.issuer, audience: 'https://other-api.test', keys: { file: 'other.json' } },
        ],
        routes: [
          { path: '/reports/**', issuers: [signer.issuer], audience: ['https://reports.test'] },
          { path: '/write/**', scopes: ['write', 'admin'] },
          { path: '/read', scopes: ['read'] },
          { path: '/**' },
        ],
      },
      files: { 'other.json': other.jwks },
    });
    await guarded.fetchNonce();
  });
  after(async () => {
    await guarded.stop();
    await canary.stop();
  });

  test('accepting twin of all: a good token', async () => {
    await guarded.admits();
  });

  for (const typ of ['JWT', undefined, 'dpop+jwt', 'logout+jwt', 'application/jwt', 'at+jwt ', 1, null]) {
    test(`D02, trap jose: typ ${JSON.stringify(typ)}`, async () => {
      await guarded.refuses({ token: guarded.token({}, { typ }) }, refused('token_type_refused'));
    });
  }
  for (const typ of ['at+jwt', 'application/at+jwt', 'AT+JWT', 'Application/At+Jwt']) {
    test(`D02: accepting twin: typ ${typ}`, async () => {
      await guarded.admits({ token: guarded.token({}, { typ }) });
    });
  }

  for (const alg of ['none', 'NoNe', '', 'es256', 'ES384', 'HS256', 'ES256 ', undefined, null, 256]) {
    test(`D03: alg ${JSON.stringify(alg)}`, async () => {
      await guarded.refuses({ token: guarded.token({}, { alg }) }, refused('token_algorithm_refused'));
    });
  }

  test('D03: alg none without a signature is no JWS', async () => {
    const [header, claims] = guarded.token({}, { alg: 'none' }).split('.');
    await guarded.refuses({ token: `${header}.${claims}.` }, refused('token_malformed'));
  });

  test('D03: HS256 keyed with the public key', async () => {
    const { signer } = guarded;
    const input = `${encode({ typ: 'at+jwt', alg: 'HS256', kid: 'k1' })}.${encode(signer.claims())}`;
    const mac = createHmac('sha256', JSON.stringify(signer.jwk)).update(input).digest('base64url');
    await guarded.refuses({ token: `${input}.${mac}` }, refused('token_algorithm_refused'));
  });

  describe('D04: keys come from the configuration only', () => {
    const attacker = makeDpopKey();
    const rows: Readonly<Record<string, (url: string) => Overrides>> = {
      'an embedded jwk': () => ({ jwk: attacker.jwk, kid: undefined }),
      'an embedded jwk and the real kid': () => ({ jwk: attacker.jwk }),
      jku: (url) => ({ jku: `${url}/jwks.json` }),
      'jku and a kid of its own': (url) => ({ jku: `${url}/jwks.json`, kid: 'attacker' }),
      x5u: (url) => ({ x5u: `${url}/cert.pem` }),
      x5c: () => ({ x5c: ['AAAA'] }),
    };
    for (const [title, header] of Object.entries(rows)) {
      test(`D04: ${title}`, async () => {
        const token = signCompact(
          attacker.privateKey,
          { typ: 'at+jwt', alg: 'ES256', kid: 'k1', ...header(canary.url) },
          guarded.signer.claims({ cnf: { jkt: guarded.client.jkt } }),
        );
        const kid = header('').kid ?? ('kid' in header('') ? undefined : 'k1');
        await guarded.refuses(
          { token },
          refused(kid === 'attacker' ? 'token_key_unknown' : 'token_signature_invalid'),
        );
      });
    }

    test('D04: accepting twin: a good token with jku and x5u passes, and nothing is fetched', async () => {
      const header = { jku: `${canary.url}/jwks.json`, x5u: `${canary.url}/cert.pem` };
      await guarded.admits({ token: guarded.token({}, header) });
      assert.equal(canary.connections, 0);
    });
  });

  const shapes: Readonly<Record<string, (token: string) => string>> = {
    'D01, trap jose: padding': (token) => `${token}==`,
    'D01: half a padding': (token) => `${token}=`,
    'D01: two segments': (token) => token.split('.').slice(0, 2).join('.'),
    'D01: four segments': (token) => `${token}.AAAA`,
    'D01, trap jose: unused bits': (token) => flipUnusedBits(token),
    'D13: five segments (JWE)': () =>
      `${encode({ alg: 'RSA-OAEP', enc: 'A256GCM', typ: 'at+jwt' })}.AAAA.AAAA.AAAA.AAAA`,
    'D13: five segments (PBES2 with a huge count)': () =>
      `${encode({ alg: 'PBES2-HS256+A128KW', enc: 'A256GCM', p2c: 2 ** 31 - 1, p2s: 'AAAA' })}.AAAA.AAAA.AAAA.AAAA`,
    'D01: opaque': () => 'mF_9.B5f-4.1JqM',
    'D01: no segments at all': () => 'mF_9',
  };
  for (const [title, damage] of Object.entries(shapes)) {
    test(title, async () => {
      await guarded.refuses({ token: damage(guarded.token()) }, refused('token_malformed'));
    });
  }

  const headers: Readonly<Record<string, Overrides>> = {
    crit: { crit: ['exp'], exp: 1 },
    'an empty crit': { crit: [] },
    'trap jose: b64 false without crit': { b64: false },
    'trap jose: zip': { zip: 'DEF' },
    'cty JWT': { cty: 'JWT' },
  };
  for (const [title, header] of Object.entries(headers)) {
    test(`D06: ${title}`, async () => {
      await guarded.refuses({ token: guarded.token({}, header) }, refused('token_malformed'));
    });
  }

  for (const iss of [
    'https://as.test/',
    'https://AS.test',
    'HTTPS://as.test',
    'https://as.test:443',
    ['https://as.test'],
    '',
    undefined,
    null,
    'https://evil.test',
    '__proto__',
  ]) {
    test(`D08, trap jose: iss ${JSON.stringify(iss)}`, async () => {
      await guarded.refuses({ token: guarded.token({ iss }) }, refused('token_issuer_unknown'));
    });
  }

  for (const aud of ['https://elsewhere.test', ['a', 'b'], 'https://api.test/', 'https://other-api.test']) {
    test(`D09: aud ${JSON.stringify(aud)} is for somebody else`, async () => {
      await guarded.refuses({ token: guarded.token({ aud }) }, refused('token_audience_mismatch'));
    });
  }
  for (const aud of [[], {}, undefined, null, 1, ['https://api.test', 1], '']) {
    test(`D09, trap jose: aud ${JSON.stringify(aud)} is none`, async () => {
      await guarded.refuses({ token: guarded.token({ aud }) }, refused('token_claims_invalid'));
    });
  }
  test('D09: accepting twin: one of several audiences', async () => {
    await guarded.admits({ token: guarded.token({ aud: ['https://elsewhere.test', 'https://api.test'] }) });
  });
  test('D09, D22: the audience of a route narrows that of the issuer', async () => {
    const target = '/reports/7';
    await guarded.refuses({ target, token: guarded.token() }, refused('token_audience_mismatch'));
    const token = guarded.token({ aud: 'https://reports.test' });
    await guarded.admits({ target, token });
  });

  const times: readonly (readonly [title: string, claims: () => Overrides, reason: string])[] = [
    ['D10: expired', () => ({ exp: nowSeconds() - 11 }), 'token_expired'],
    ['D10, trap jose: exp missing', () => ({ exp: undefined }), 'token_claims_invalid'],
    ['D10: exp a string', () => ({ exp: String(nowSeconds() + 600) }), 'token_claims_invalid'],
    ['D10: exp null', () => ({ exp: null }), 'token_claims_invalid'],
    ['D10: exp beyond all numbers', () => ({ exp: 2 ** 60 }), 'token_claims_invalid'],
    ['D11: nbf ahead', () => ({ nbf: nowSeconds() + 120 }), 'token_not_yet_valid'],
    ['D11: iat ahead', () => ({ iat: nowSeconds() + 120 }), 'token_not_yet_valid'],
    ['D12: sub missing', () => ({ sub: undefined }), 'token_claims_invalid'],
    ['D12: sub a number', () => ({ sub: 7 }), 'token_claims_invalid'],
    ['D12: client_id missing', () => ({ client_id: undefined }), 'token_claims_invalid'],
    ['D12: client_id empty', () => ({ client_id: '' }), 'token_claims_invalid'],
    ['D12: iat missing', () => ({ iat: undefined }), 'token_claims_invalid'],
    ['D12: jti missing', () => ({ jti: undefined }), 'token_claims_invalid'],
    ['D18: scope a list', () => ({ scope: ['read'] }), 'token_claims_invalid'],
  ];
  for (const [title, claims, reason] of times) {
    test(title, async () => {
      await guarded.refuses({ token: guarded.token(claims()) }, refused(reason));
    });
  }
  test('D10: accepting twin: expired within the leeway', async () => {
    await guarded.admits({ token: guarded.token({ exp: nowSeconds() - 2 }) });
  });
  test('D11: accepting twin: nbf and iat within the leeway', async () => {
    const soon = nowSeconds() + 8;
    await guarded.admits({ token: guarded.token({ nbf: soon, iat: soon }) });
  });

  // 1e400 is Infinity to JSON.parse, and only text can say it.
  test('D10, trap jose: exp 1e400', async () => {
    const claims = JSON.stringify(guarded.signer.claims({ exp: 0 })).replace('"exp":0', '"exp":1e400');
    const token = signRaw(guarded.signer, '{"typ":"at+jwt","alg":"ES256","kid":"k1"}', claims);
    await guarded.refuses({ token }, refused('token_claims_invalid'));
  });

  const texts: Readonly<Record<string, readonly [header: string, claims: (good: string) => string]>> = {
    'D01, trap jose: a byte order mark': ['\ufeff{"typ":"at+jwt","alg":"ES256","kid":"k1"}', (good) => good],
    'D07, trap jose: a header member twice': [
      '{"alg":"none","typ":"at+jwt","alg":"ES256","kid":"k1"}',
      (good) => good,
    ],
    'D07, trap jose: a claim twice': [
      '{"typ":"at+jwt","alg":"ES256","kid":"k1"}',
      (good) => good.replace('{', '{"sub":"admin",'),
    ],
    'D07: a claim twice, once escaped': [
      '{"typ":"at+jwt","alg":"ES256","kid":"k1"}',
      (good) => good.replace('{', '{"\\u0073ub":"admin",'),
    ],
    'D15: thousands of nested arrays': [
      '{"typ":"at+jwt","alg":"ES256","kid":"k1"}',
      (good) => good.replace('{', `{"deep":${'['.repeat(2900)}${']'.repeat(2900)},`),
    ],
    'D15: claims that are no object': ['{"typ":"at+jwt","alg":"ES256","kid":"k1"}', () => '[]'],
    'D15: claims that are no JSON': ['{"typ":"at+jwt","alg":"ES256","kid":"k1"}', () => '{'],
    'D15: a header that is no JSON': ['{', (good) => good],
  };
  for (const [title, [header, claims]] of Object.entries(texts)) {
    test(title, async () => {
      const token = signRaw(guarded.signer, header, claims(JSON.stringify(guarded.signer.claims())));
      const response = await guarded.refuses({ token }, refused('token_malformed'));
      assert.equal(response.status, 401);
    });
  }

  test('D14: claims named __proto__ and constructor reach nobody', async () => {
    const claims = JSON.stringify(guarded.signer.claims({ cnf: { jkt: guarded.client.jkt } })).replace(
      '{',
      '{"__proto__":{"sub":"admin"},"constructor":{"prototype":{"sub":"admin"}},',
    );
    const token = signRaw(guarded.signer, '{"typ":"at+jwt","alg":"ES256","kid":"k1"}', claims);
    const { seen } = await guarded.admits({ token });
    assert.deepEqual(seen.all('x-auth-subject'), ['alice']);
  });

  test('D17: a missing scope is named, and only the needed ones', async () => {
    const target = '/write/7';
    await guarded.refuses(
      { target },
      { reason: 'insufficient_scope', error: 'insufficient_scope', scope: 'write admin' },
    );
    await guarded.admits({ target, token: guarded.token({ scope: 'admin other write' }) });
  });

  test('D18: scopes are compared whole', async () => {
    const insufficient: Refused = {
      reason: 'insufficient_scope',
      error: 'insufficient_scope',
      scope: 'read',
    };
    for (const scope of ['readwrite', 'READ', 'read,write', 'read\twrite', '', undefined]) {
      await guarded.refuses({ target: '/read', token: guarded.token({ scope }) }, insufficient);
    }
    await guarded.admits({ target: '/read', token: guarded.token({ scope: 'write read' }) });
  });

  describe('D20: an issuer speaks for itself only', () => {
    const cnf = () => ({ jkt: guarded.client.jkt });
    test('D20: a token of the other issuer for its own audience', async () => {
      const token = other.token({ aud: 'https://other-api.test', cnf: cnf() });
      await guarded.admits({ token });
    });
    test('D20: the key of one, the name of the other', async () => {
      const token = other.token({ iss: guarded.signer.issuer, cnf: cnf() }, { kid: 'k1' });
      await guarded.refuses({ token }, refused('token_signature_invalid'));
    });
    test('D20: the key id of one, the name of the other', async () => {
      const token = other.token({ iss: guarded.signer.issuer, cnf: cnf() });
      await guarded.refuses({ token }, refused('token_key_unknown'));
    });
    test('D20: the audience of the other', async () => {
      await guarded.refuses({ token: other.token({ cnf: cnf() }) }, refused('token_audience_mismatch'));
    });
  });

  test('O07: every way in which a token is bad has one outward answer', async () => {
    const bad = [
      guarded.token({ exp: nowSeconds() - 100 }),
      guarded.token({ aud: 'https://elsewhere.test' }),
      guarded.token({ iss: 'https://evil.test' }),
      `${guarded.token().slice(0, -8)}AAAAAAAA`,
      'mF_9.B5f-4.1JqM',
    ];
    const answers = await Promise.all(bad.map((token) => guarded.send({ token })));
    const outward = answers.map(({ status, body, all }) => ({
      status,
      challenges: all('www-authenticate'),
      body: { ...JSON.parse(body), request_id: '' },
    }));
    for (const answer of outward) assert.deepEqual(answer, outward[0]);
  });
});

/** Signs header and claims that are JSON text already. */
function signRaw(signer: TokenSigner, header: string, claims: string): string {
  const input = [header, claims].map((part) => Buffer.from(part).toString('base64url')).join('.');
  return `${input}.${signText(signer.key.privateKey, input)}`;
}

function flipUnusedBits(token: string): string {
  // 64 bytes of signature are 86 characters, of whose last one four bits are unused.
  const last = token.at(-1) ?? '';
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return token.slice(0, -1) + alphabet[alphabet.indexOf(last) ^ 1];
}
