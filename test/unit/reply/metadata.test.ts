import assert from 'node:assert/strict';
import test from 'node:test';
import { type MetadataOptions, ResourceMetadata } from '#holdfast/reply/metadata.js';

const options: MetadataOptions = {
  resource: 'https://api.example',
  authorizationServers: ['https://login.example'],
  dpopAlgorithms: ['ES256', 'EdDSA'],
  clientCertificates: true,
  routes: [
    { proof: 'any', scopes: ['read'] },
    { proof: 'dpop', scopes: ['write', 'read'] },
    { proof: 'none', scopes: ['never'] },
  ],
};
const wellKnown = '/.well-known/oauth-protected-resource';
const read = (changes: Partial<MetadataOptions> = {}, path = wellKnown) => {
  const answer = new ResourceMetadata({ ...options, ...changes }).answer('GET', path);
  assert.equal(answer.status, 200);
  return JSON.parse(answer.body);
};

test('O04: the document of RFC 9728 §2', () => {
  assert.deepEqual(read(), {
    resource: 'https://api.example',
    authorization_servers: ['https://login.example'],
    scopes_supported: ['read', 'write'],
    bearer_methods_supported: ['header'],
    tls_client_certificate_bound_access_tokens: true,
    dpop_signing_alg_values_supported: ['ES256', 'EdDSA'],
    dpop_bound_access_tokens_required: false,
  });
});

test('O04: the path of the resource comes after the well-known path', () => {
  for (const [resource, path] of [
    ['https://api.example', wellKnown],
    ['https://api.example/', wellKnown],
    ['https://h.example:8443/v2/x', `${wellKnown}/v2/x`],
  ] as const) {
    const metadata = new ResourceMetadata({ ...options, resource });
    const origin = /^https:\/\/[^/]+/.exec(resource)?.[0];
    assert.equal(metadata.url, `${origin}${path}`);
    assert.equal(JSON.parse(metadata.answer('GET', path).body).resource, resource);
  }
  assert.equal(
    new ResourceMetadata({ ...options, resource: 'https://h/v2' }).answer('GET', wellKnown).status,
    404,
  );
});

test('O05: what is required of tokens mirrors the routes', () => {
  const guarded = (...proofs: ('any' | 'dpop' | 'mtls' | 'both' | 'none')[]) => {
    const { tls_client_certificate_bound_access_tokens: tls, dpop_bound_access_tokens_required: dpop } = read(
      {
        routes: proofs.map((proof) => ({ proof, scopes: [] })),
      },
    );
    return { tls, dpop };
  };
  assert.deepEqual(guarded('dpop'), { tls: false, dpop: true });
  assert.deepEqual(guarded('dpop', 'both', 'none'), { tls: true, dpop: true });
  assert.deepEqual(guarded('dpop', 'any'), { tls: true, dpop: false });
  assert.deepEqual(guarded('mtls'), { tls: true, dpop: false });
  assert.deepEqual(guarded('none'), { tls: false, dpop: false });
  assert.equal(read({ clientCertificates: false }).tls_client_certificate_bound_access_tokens, false);
  assert.equal('scopes_supported' in read({ routes: [{ proof: 'any', scopes: [] }] }), false);
});

test('O06: the whole well-known tree is answered here, to GET and HEAD only', () => {
  const metadata = new ResourceMetadata(options);
  for (const path of [wellKnown, `${wellKnown}/`, `${wellKnown}/x/y`])
    assert.ok(metadata.isMetadataPath(path));
  for (const path of ['/', `${wellKnown}x`, '/.well-known/openid-configuration'])
    assert.ok(!metadata.isMetadataPath(path));
  assert.equal(metadata.answer('HEAD', wellKnown).status, 200);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const answer = metadata.answer(method, wellKnown);
    assert.equal(answer.status, 405);
    assert.deepEqual(answer.headers.slice(0, 2), ['Allow', 'GET, HEAD']);
  }
  assert.equal(metadata.answer('GET', `${wellKnown}/other`).status, 404);
});

test('O03: the URL comes from the configuration alone', () => {
  assert.equal(new ResourceMetadata(options).url, 'https://api.example/.well-known/oauth-protected-resource');
});
