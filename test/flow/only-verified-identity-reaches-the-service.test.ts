import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Checkpoint, type Refused } from '../support/checkpoint.js';
import { makeKeyPair } from '../support/keys.js';
import type { SeenRequest } from '../support/recording-service.js';
import { request } from '../support/sidecar.js';
import { sha256 } from '../support/token-signer.js';
import { handshake } from '../support/websocket.js';
import { Wire } from '../support/wire.js';

const identityNames = /^x-(?:auth-|user$|groups$|flag$|verified-)/i;
const spoofed = [
  ...['X-Auth-Subject: admin', 'x-auth-subject: admin', 'X-AUTH-SUBJECT: root', 'X-Auth-Proof: dpop'],
  ...['X-Auth-Key: abc', 'X-User: admin', 'X-Groups: ["admin"]', 'Remote-User: admin', 'X-Reserved: admin'],
];

function identityOf({ headers }: SeenRequest): Record<string, string> {
  return Object.fromEntries(headers.filter(([name]) => identityNames.test(name)));
}

describe('only verified identity reaches the service', () => {
  let guarded: Checkpoint;
  before(async () => {
    guarded = await Checkpoint.start({
      config: {
        routes: [{ path: '/public/**', proof: 'none' }, { path: '/**' }],
        identity: {
          headers: {
            'X-Auth-Subject': 'sub',
            'X-Auth-Type': '$type',
            'X-User': '$user',
            'X-Auth-Client': '$client',
            'X-Auth-Proof': '$proof',
            'X-Auth-Key': '$key',
            'X-Groups': 'groups',
            'X-Flag': 'flag',
          },
          strip: ['X-Reserved'],
        },
      },
    });
    await guarded.fetchNonce();
  });
  after(() => guarded.stop());

  const clean = (seen: SeenRequest) => {
    for (const name of ['remote-user', 'x-reserved']) assert.deepEqual(seen.all(name), [], name);
    return identityOf(seen);
  };
  const alice = () => ({
    ...{ 'X-Auth-Subject': 'alice', 'X-Auth-Type': 'user', 'X-User': 'alice', 'X-Auth-Client': 'shop' },
    ...{ 'X-Auth-Proof': 'dpop', 'X-Auth-Key': guarded.client.jkt },
  });

  test('L01: whatever the caller says about itself is replaced', async () => {
    const { seen } = await guarded.admits({ headers: spoofed });
    assert.deepEqual(clean(seen), alice());
  });

  test('L01: on a public route too, credentials and all', async () => {
    const { seen } = await guarded.admits({ target: '/public/a', headers: spoofed });
    assert.deepEqual(clean(seen), { 'X-Auth-Proof': 'none' });
    for (const name of ['authorization', 'dpop']) assert.deepEqual(seen.all(name), []);
  });

  test('L02: with Expect: 100-continue', async () => {
    const wire = await Wire.open({ port: guarded.sidecar.port });
    const head = { method: 'POST', headers: [...spoofed, 'Expect: 100-continue', 'Content-Length: 1'] };
    wire.send(guarded.bytes(head));
    assert.equal((await wire.response()).status, 100);
    wire.send('x');
    assert.equal((await wire.response()).status, 200);
    wire.close();
    assert.deepEqual(clean(guarded.service.last), alice());
    assert.deepEqual(guarded.service.last.all('expect'), []);
  });

  for (const name of ['X_Auth_Subject', 'x_auth-proof', 'X_USER', 'X.Auth.Subject', 'Remote_User']) {
    test(`L01: ${name}, which a service may fold to a protected name`, async () => {
      await guarded.refuses(
        { headers: [`${name}: admin`] },
        { reason: 'header_name_refused', status: 400, body: 'invalid_request', schemes: [] },
      );
    });
  }

  test('L01: an upgrade where none is allowed', async () => {
    const headers = [...spoofed, ...handshake];
    await guarded.refuses(
      { headers },
      { reason: 'upgrade_not_allowed', status: 400, body: 'invalid_request', schemes: [] },
    );
  });

  test('L01, B01: identity cannot be nominated away', async () => {
    const headers = ['Connection: keep-alive, X-Auth-Subject, X-User, X-Auth-Proof'];
    const { seen } = await guarded.admits({ headers });
    assert.deepEqual(clean(seen), alice());
  });

  describe('values', () => {
    const rows: readonly (readonly [title: string, value: string, written: string])[] = [
      ['CR and LF', 'a\r\nX-Admin: 1', 'a%0D%0AX-Admin: 1'],
      ['Cyrillic', 'Ж', '%D0%96'],
      ['an emoji', '😀', '%F0%9F%98%80'],
      ['latin1', 'é', '%C3%A9'],
      ['NUL and DEL', 'a\0\x7f', 'a%00%7F'],
      ['what looks encoded', 'a%41', 'a%2541'],
      ['white space around', ' admin ', '%20admin%20'],
      ['a comma', 'alice,admin', 'alice,admin'],
    ];
    for (const [title, sub, written] of rows) {
      test(`L03, trap Node: setHeader and ${title}`, async () => {
        const { seen } = await guarded.admits({ token: guarded.token({ sub }) });
        assert.deepEqual(seen.all('x-auth-subject'), [written]);
        assert.deepEqual(seen.all('x-admin'), []);
        assert.equal(decodeURIComponent(written), sub);
      });
    }

    const refused = (reason: string): Refused => ({ reason, error: 'insufficient_scope' });
    for (const sub of ['\ud800', 'a\udc00b', '\udc00\ud800']) {
      test(`L03: a lone surrogate ${JSON.stringify(sub)}`, async () => {
        await guarded.refuses({ token: guarded.token({ sub }) }, refused('identity_unrepresentable'));
      });
    }

    test('L04: more than fits', async () => {
      const sub = 'Ж'.repeat(700);
      await guarded.admits({ token: guarded.token({ sub: 'Ж'.repeat(600) }) });
      await guarded.refuses({ token: guarded.token({ sub }) }, refused('identity_too_large'));
    });

    test('L05: a separator inside a value makes no entry', async () => {
      const { seen } = await guarded.admits({ token: guarded.token({ groups: ['a,admin', 'b"c'] }) });
      assert.deepEqual(seen.all('x-groups'), ['["a,admin","b\\"c"]']);
    });

    for (const flag of [true, 7, { a: [1] }]) {
      test(`L03: ${JSON.stringify(flag)}`, async () => {
        const { seen } = await guarded.admits({ token: guarded.token({ flag }) });
        assert.deepEqual(seen.all('x-flag'), [JSON.stringify(flag)]);
      });
    }
  });

  for (const [title, claims] of Object.entries({
    'sub equals client_id': { sub: 'admin', client_id: 'admin' },
    'the name of a real client': { sub: 'shop', client_id: 'shop' },
  })) {
    test(`D19: ${title}: a client is never a user`, async () => {
      const { seen } = await guarded.admits({ token: guarded.token(claims) });
      assert.deepEqual(seen.all('x-auth-type'), ['client']);
      assert.deepEqual(seen.all('x-user'), []);
    });
  }

  test('L07: on one connection nothing is left over for a public request', async () => {
    const wire = await Wire.open({ port: guarded.sidecar.port });
    wire.send(guarded.bytes());
    assert.equal((await wire.response()).status, 200);
    assert.deepEqual(identityOf(guarded.service.last), alice());
    wire.send(request({ target: '/public/a' }));
    assert.equal((await wire.response()).status, 200);
    assert.deepEqual(identityOf(guarded.service.last), { 'X-Auth-Proof': 'none' });
    wire.send(request({ target: '/orders' }));
    assert.equal((await wire.response()).status, 401);
    wire.close();
  });

  test('L09: identity that the service sends back does not leave', async () => {
    guarded.service.script = () =>
      'HTTP/1.1 200 OK\r\nX-Auth-Subject: alice\r\nx-user: alice\r\nX-Reserved: 1\r\nX-Kept: 1\r\nContent-Length: 0\r\n\r\n';
    const { response } = await guarded.admits();
    guarded.service.reset();
    assert.deepEqual(
      response.headers.filter(([name]) => identityNames.test(name) || /reserved/i.test(name)),
      [],
    );
    assert.equal(response.one('x-kept'), '1');
  });
});

test('D19: a token without a sub is of a client', async (t) => {
  const guarded = await Checkpoint.start({ config: {} });
  t.after(() => guarded.stop());
  await guarded.fetchNonce();
  await guarded.refuses(
    { token: guarded.token({ sub: undefined }) },
    { reason: 'token_claims_invalid', error: 'invalid_token' },
  );
});

describe('L03: the other encodings', () => {
  for (const [encoding, written] of Object.entries({ base64url: '0JY', refuse: undefined })) {
    test(`L03: ${encoding}`, async (t) => {
      const guarded = await Checkpoint.start({ config: { identity: { encoding } } });
      t.after(() => guarded.stop());
      await guarded.fetchNonce();
      const plain = await guarded.admits();
      assert.deepEqual(plain.seen.all('x-auth-subject'), ['alice']);
      const call = { token: guarded.token({ sub: 'Ж' }) };
      if (written === undefined)
        await guarded.refuses(call, { reason: 'identity_unrepresentable', error: 'insufficient_scope' });
      else assert.deepEqual((await guarded.admits(call)).seen.all('x-auth-subject'), [written]);
    });
  }
});

describe('the signed assertion', () => {
  let guarded: Checkpoint;
  before(async () => {
    const key = makeKeyPair('ec', { namedCurve: 'P-256' }).privateKey;
    guarded = await Checkpoint.start({
      config: {
        routes: [{ path: '/public/**', proof: 'none' }, { path: '/**' }],
        identity: {
          assertion: {
            header: 'X-Pop',
            key: 'assertion.pem',
            issuer: 'sidecar',
            audience: 'orders',
            lifetime: '30s',
          },
        },
      },
      files: { 'assertion.pem': key.export({ type: 'pkcs8', format: 'pem' }) },
    });
    await guarded.fetchNonce();
  });
  after(() => guarded.stop());

  test('L06: it verifies with the published key and says what was proven, for this request', async () => {
    const jwks = JSON.parse((await guarded.sidecar.admin('/.well-known/jwks.json')).text);
    const call = {
      target: '/orders/%37?secret=1',
      method: 'PUT',
      headers: ['X-Pop: forged', 'Content-Length: 0'],
    };
    const assertions = [];
    for (let i = 0; i < 2; i++) {
      const token = guarded.token();
      const proof = guarded.proof({ token, method: 'PUT', target: '/orders/7' });
      const { seen } = await guarded.admits({ ...call, token, proof });
      assert.equal(seen.all('x-pop').length, 1);
      assertions.push(seen.all('x-pop')[0] ?? '');
    }
    const [header, claims] = readJws(assertions[0] ?? '', jwks);
    guarded.keepSecret(assertions[0] ?? '');
    assert.deepEqual(header, { alg: 'ES256', typ: 'pop-assertion+jwt', kid: jwks.keys[0].kid });
    const { iat, exp, jti, ...rest } = claims;
    assert.equal(exp - iat, 30);
    assert.ok(Math.abs(iat - Date.now() / 1000) < 30);
    assert.notEqual(jti, readJws(assertions[1] ?? '', jwks)[1].jti);
    assert.deepEqual(rest, {
      ...{ iss: 'sidecar', aud: 'orders', sub: 'alice', client_id: 'shop', scope: 'read write' },
      cnf: { jkt: guarded.client.jkt },
      token: { iss: guarded.signer.issuer },
      pop: { method: 'dpop', key: guarded.client.jkt },
      req: { method: 'PUT', path_sha256: sha256('/orders/%37') },
    });
  });

  test('L06: the published key is public', async () => {
    const { keys } = JSON.parse((await guarded.sidecar.admin('/.well-known/jwks.json')).text);
    assert.equal(keys.length, 1);
    for (const name of ['d', 'k', 'p', 'q']) assert.ok(!(name in keys[0]), name);
  });

  test('L01, L07: a public request carries none, not even a forged one', async () => {
    const { seen } = await guarded.admits(request({ target: '/public/a', headers: ['X-Pop: forged'] }));
    assert.deepEqual(seen.all('x-pop'), []);
  });
});

/** Header and claims of a JWS that verifies with the one key of the set. */
function readJws(jws: string, { keys }: { keys: { kid: string }[] }) {
  const [header = '', payload = '', signature = ''] = jws.split('.');
  const key = createPublicKey({ key: { ...keys[0] }, format: 'jwk' });
  const input = Buffer.from(`${header}.${payload}`);
  const isGood = verify(
    'sha256',
    input,
    { key, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  );
  assert.ok(isGood, 'the assertion verifies');
  return [header, payload].map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));
}
