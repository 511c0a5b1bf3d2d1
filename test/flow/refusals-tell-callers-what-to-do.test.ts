import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { Checkpoint, type Refused } from '../support/checkpoint.js';
import { findFreePort, portOf } from '../support/ports.js';
import { request, Sidecar } from '../support/sidecar.js';
import { TokenSigner } from '../support/token-signer.js';

const none: Refused = { reason: 'credentials_missing', status: 401, body: 'unauthorized' };

describe('refusals say nothing about the request', () => {
  let guarded: Checkpoint;
  before(async () => {
    guarded = await Checkpoint.start({ config: { routes: [{ path: '/a/**' }] } });
  });
  after(() => guarded.stop());

  // `refuses` compares every challenge with the configured one, character by character.
  const rows: Readonly<Record<string, { target?: string; headers?: string[] }>> = {
    'a quote in the path': { target: '/a/%22b' },
    'a path that closes the quoted string': { target: '/a/%22,error=%22x' },
    'a forwarded host': { headers: ['X-Forwarded-Host: evil.test', 'Forwarded: host=evil.test'] },
    'a request id': { headers: ['X-Request-Id: "evil"'] },
    'an origin': { headers: ['Origin: https://evil.test'] },
  };
  for (const [title, parts] of Object.entries(rows)) {
    test(`O02, O03: ${title}`, async () => {
      const response = await guarded.refuses(request({ target: '/a', ...parts }), none);
      assert.doesNotMatch(JSON.stringify([response.headers, response.body]), /evil/);
    });
  }

  test('S06: a path of no route is not found, whoever asks', async () => {
    await guarded.refuses(
      { target: '/b' },
      { reason: 'route_not_found', status: 404, body: 'not_found', schemes: [] },
    );
  });

  test('O08, O02: HEAD gets the same head and no body', async () => {
    const response = await guarded.send(request({ method: 'HEAD', target: '/a' }));
    assert.equal(response.status, 401);
    assert.equal(response.all('www-authenticate').length, 2);
    assert.equal(response.one('cache-control'), 'no-store');
  });
});

describe('the metadata of the resource', () => {
  const path = '/.well-known/oauth-protected-resource';

  test('O04: below the path of the resource, RFC 9728 §3.1; O05: as it is enforced', async (t) => {
    const resource = 'http://api.test/v2/x';
    const guarded = await Checkpoint.start({
      config: {
        listen: { resource },
        routes: [
          { path: '/open', proof: 'none' },
          { path: '/v2/x/**', proof: 'dpop', scopes: ['read', 'write'] },
        ],
      },
    });
    t.after(() => guarded.stop());
    for (const method of ['GET', 'HEAD']) {
      const response = await guarded.send(request({ method, target: `${path}/v2/x` }));
      assert.equal(response.status, 200);
      assert.equal(response.one('content-type'), 'application/json');
      if (method === 'HEAD') continue;
      assert.deepEqual(JSON.parse(response.body), {
        resource,
        authorization_servers: ['https://as.test'],
        scopes_supported: ['read', 'write'],
        bearer_methods_supported: ['header'],
        tls_client_certificate_bound_access_tokens: false,
        dpop_signing_alg_values_supported: ['ES256', 'PS256', 'EdDSA'],
        dpop_bound_access_tokens_required: true,
      });
    }
    const refusal = await guarded.send(request({ target: '/v2/x/1' }));
    assert.match(
      refusal.one('www-authenticate') ?? '',
      /resource_metadata="http:\/\/api\.test\/\.well-known\/oauth-protected-resource\/v2\/x"$/,
    );
  });

  test('O05: a route that takes certificates does not demand DPoP', async (t) => {
    const guarded = await Checkpoint.start({ tls: {} });
    t.after(() => guarded.stop());
    const document = JSON.parse((await guarded.send(request({ target: path }))).body);
    assert.equal(document.tls_client_certificate_bound_access_tokens, true);
    assert.equal(document.dpop_bound_access_tokens_required, false);
  });

  test('O06: the service is never asked, and only GET and HEAD are answered', async (t) => {
    const guarded = await Checkpoint.start({ config: { routes: [{ path: '/**', proof: 'none' }] } });
    t.after(() => guarded.stop());
    const statuses = [];
    for (const [method, target] of [
      ['POST', path],
      ['DELETE', path],
      ['OPTIONS', path],
      ['GET', `${path}/other`],
      ['GET', `${path}/`],
      ['GET', '/.well-known/oauth-protected%2Dresource'],
    ] as const) {
      const response = await guarded.send(request({ method, target }));
      statuses.push(response.status);
      if (response.status === 405) assert.equal(response.one('allow'), 'GET, HEAD');
    }
    assert.deepEqual(statuses, [405, 405, 405, 404, 404, 200]);
    assert.equal(guarded.service.bytes, 0);
  });
});

describe('O09: what fails on our side is not the fault of the caller', () => {
  const failed = async (sidecar: Sidecar, bytes: string, expected: { status: number; reason: string }) => {
    const response = await sidecar.send(bytes);
    assert.equal(response.status, expected.status, response.body);
    assert.equal((await sidecar.logged(response)).reason, expected.reason);
    assert.deepEqual(response.all('www-authenticate'), []);
    assert.equal(response.one('cache-control'), 'no-store');
    assert.equal(/^\d+$/.test(response.one('retry-after') ?? ''), expected.status === 503);
  };

  test('O09, E09: no keys of the issuer', async (t) => {
    const signer = new TokenSigner();
    const closed = await findFreePort();
    const sidecar = await Sidecar.start({
      config: {
        upstream: 'http://127.0.0.1:9',
        issuers: [
          {
            issuer: signer.issuer,
            audience: signer.audience,
            keys: { url: `http://127.0.0.1:${closed}/jwks` },
          },
        ],
      },
    });
    t.after(() => sidecar.stop());
    const headers = [`Authorization: DPoP ${signer.token({ cnf: { jkt: signer.key.jkt } })}`, 'DPoP: x'];
    await failed(sidecar, request({ headers }), { status: 503, reason: 'ERR_ISSUER_KEYS_UNAVAILABLE' });
  });

  test('O09: no service', async (t) => {
    const upstream = `http://127.0.0.1:${await findFreePort()}`;
    const guarded = await Checkpoint.start({ config: { upstream } });
    t.after(() => guarded.stop());
    await guarded.fetchNonce();
    await failed(guarded.sidecar, guarded.bytes(), { status: 502, reason: 'ERR_UPSTREAM_UNREACHABLE' });
  });

  test('O09: a silent service', async (t) => {
    const silent = net.createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    t.after(() => silent.close());
    const guarded = await Checkpoint.start({
      config: { upstream: { url: `http://127.0.0.1:${portOf(silent)}`, responseTimeout: '1s' } },
    });
    t.after(() => guarded.stop());
    await guarded.fetchNonce();
    await failed(guarded.sidecar, guarded.bytes(), { status: 504, reason: 'ERR_UPSTREAM_TIMEOUT' });
  });
});

describe('browsers can answer a challenge', () => {
  let guarded: Checkpoint;
  before(async () => {
    guarded = await Checkpoint.start({
      config: { routes: [{ path: '/app/**', preflight: 'forward' }, { path: '/**' }] },
    });
    await guarded.fetchNonce();
  });
  after(() => guarded.stop());

  const preflight = ['Origin: https://app.test', 'Access-Control-Request-Method: GET'];
  const options = (target: string, headers: string[]) => request({ method: 'OPTIONS', target, headers });

  test('G22: a preflight goes to the service, without credentials and identity', async () => {
    const headers = [...preflight, 'Authorization: Bearer abc', 'X-Auth-Subject: admin', 'DPoP: x'];
    const { seen } = await guarded.admits(options('/app/a', headers));
    for (const name of ['authorization', 'dpop', 'x-auth-subject']) assert.deepEqual(seen.all(name), []);
    assert.deepEqual(seen.all('x-auth-proof'), ['none']);
    assert.deepEqual(seen.all('origin'), ['https://app.test']);
  });

  for (const [title, target, headers] of [
    ['on a route that does not forward them', '/a', preflight],
    ['without a method to ask for', '/app/a', preflight.slice(0, 1)],
    ['without an origin', '/app/a', preflight.slice(1)],
  ] as const) {
    test(`G22: ${title} it is an ordinary OPTIONS`, async () => {
      await guarded.refuses(options(target, [...headers]), none);
    });
  }

  test('G22: a script can read the challenge and the nonce', async () => {
    const token = guarded.token();
    const call = { target: '/app/a', token, headers: ['Origin: https://app.test'] };
    const old = { iat: Math.floor(Date.now() / 1000) - 50 };
    const proof = guarded.proof({ token, target: '/app/a', nonce: undefined, claims: old });
    const response = await guarded.refuses(
      { ...call, proof },
      { reason: 'dpop_proof_predates_start', error: 'use_dpop_nonce' },
    );
    assert.equal(response.one('access-control-allow-origin'), '*');
    const exposed = (response.one('access-control-expose-headers') ?? '').split(/, */);
    assert.deepEqual(exposed.sort(), ['DPoP-Nonce', 'WWW-Authenticate']);
  });

  test('G22: elsewhere a refusal is not for other origins', async () => {
    const response = await guarded.refuses(request({ headers: ['Origin: https://app.test'] }), none);
    assert.deepEqual(response.all('access-control-allow-origin'), []);
  });
});
