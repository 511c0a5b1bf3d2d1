import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeKeyPair } from '../../support/keys.js';
import { Workspace, withOption } from './workspace.js';

let workspace: Workspace;
before(async () => {
  workspace = await Workspace.create();
});
after(() => workspace.remove());

const assertion = (options: Record<string, unknown> = {}) =>
  withOption('identity.assertion', { key: 'assertion.pem', audience: 'orders', ...options });

test('L01: sources are claims or facts', () => {
  const { headers } = workspace.load(
    withOption('identity.headers', { 'X-Tenant': 'tenant', 'X-User': '$user' }),
  ).config.identity;
  assert.deepEqual(headers.slice(-2), [
    { name: 'X-Tenant', source: { claim: 'tenant' } },
    { name: 'X-User', source: { fact: 'user' } },
  ]);
});

for (const source of ['$subject', '$', '$Proof', '', 1, null]) {
  test(`L01: ${JSON.stringify(source)} is no source`, () => {
    const text = JSON.stringify({
      ...JSON.parse(withOption('log', {})),
      identity: { headers: { 'X-A': source } },
    });
    workspace.refuseAt('identity.headers.X-A', text);
  });
}

const notFree = [
  'Host',
  'content-length',
  'Transfer-Encoding',
  'Connection',
  'Keep-Alive',
  'TE',
  'Trailer',
  'Upgrade',
  'Expect',
  'Via',
  'Authorization',
  'Proxy-Authorization',
  'DPoP',
  'Cookie',
  'Content-Type',
  'Forwarded',
  'X-Forwarded-For',
  'X-Request-Id',
  'Client-Cert',
  'X_User',
  'X User',
  'X-Usér',
  'X:User',
  '',
];
for (const name of notFree) {
  test(`L01: ${JSON.stringify(name)} is no name for an identity header`, () => {
    workspace.refuseAt(`identity.headers.${name}`, withOption('identity.headers', { [name]: 'sub' }));
    workspace.refuseAt('identity.assertion.header', assertion({ header: name }));
  });
}

for (const name of ['X-User', 'Remote-User', 'X-Forwarded-User']) {
  test(`L01: ${name} may carry the identity`, () => {
    workspace.load(withOption('identity.headers', { [name]: 'sub' }));
  });
}

test('L01: names that a service may read as one are refused', () => {
  for (const twin of ['x-user', 'XUser', 'X-U-ser']) {
    workspace.refuseAt(
      `identity.headers.${twin}`,
      withOption('identity.headers', { 'X-User': 'sub', [twin]: 'azp' }),
    );
  }
  workspace.refuseAt('identity.assertion.header', assertion({ header: 'x-auth-subject' }));
});

test('L01: further names can be reserved', () => {
  assert.deepEqual(
    workspace.load(withOption('identity.strip', ['X-Legacy', 'Cookie'])).config.identity.strip,
    ['X-Legacy', 'Cookie'],
  );
  for (const name of ['Host', 'Content-Length', 'X_Legacy', ''])
    workspace.refuseAt('identity.strip[0]', withOption('identity.strip', [name]));
});

test('C13: the service gets no token, the token, or a credential of its own', () => {
  workspace.write('basic.txt', 'legacy:päss:word\n');
  for (const authorization of ['strip', 'bearer']) {
    assert.equal(
      workspace.load(withOption('identity.authorization', authorization)).config.identity.authorization,
      authorization,
    );
  }
  const { config, policy } = workspace.load(withOption('identity.authorization', { basic: 'basic.txt' }));
  assert.deepEqual(config.identity.authorization, { basic: 'legacy:päss:word' });
  assert.doesNotMatch(policy, /päss/, 'S12');
  workspace.refuseAt('identity.authorization', withOption('identity.authorization', 'pass'));
});

for (const credential of ['hunter2', ':hunter2', 'user:hunter2\nmore', 'user:hunter2\u0000', '']) {
  test(`S12: ${JSON.stringify(credential)} is no credential, and is not repeated`, () => {
    workspace.write('basic.txt', credential);
    const text = withOption('identity.authorization', { basic: 'basic.txt' });
    assert.doesNotMatch(workspace.refuseAt('identity.authorization.basic', text), /hunter2/);
  });
}

test('L06: the assertion has its defaults', () => {
  const loaded = workspace.load(assertion()).config.identity.assertion;
  assert.ok(loaded !== undefined);
  const { key, ...rest } = loaded;
  assert.deepEqual(rest, {
    header: 'X-Auth-Assertion',
    issuer: 'holdfast',
    audience: 'orders',
    lifetimeSeconds: 60,
  });
  assert.equal(key.type, 'private');
  assert.equal(workspace.load(withOption('log', {})).config.identity.assertion, undefined);
});

test('L06: the assertion lives at most 60 seconds, and has an audience', () => {
  workspace.load(assertion({ lifetime: '1s' }));
  for (const lifetime of ['61s', '0s'])
    workspace.refuseAt('identity.assertion.lifetime', assertion({ lifetime }));
  workspace.refuseAt('identity.assertion.audience', assertion({ audience: undefined }));
});

const strong = {
  'P-256': () => makeKeyPair('ec', { namedCurve: 'P-256' }),
  'P-384': () => makeKeyPair('ec', { namedCurve: 'P-384' }),
  Ed25519: () => makeKeyPair('ed25519'),
  'RSA 2048': () => makeKeyPair('rsa', { modulusLength: 2048 }),
};
for (const [name, generate] of Object.entries(strong)) {
  test(`L06: ${name} signs assertions, as PEM and as JWK`, () => {
    const { privateKey, publicKey } = generate();
    workspace.write('key.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }));
    workspace.load(assertion({ key: 'key.pem' }));
    workspace.write('key.jwk', JSON.stringify(privateKey.export({ format: 'jwk' })));
    workspace.load(assertion({ key: 'key.jwk' }));
    workspace.write('public.pem', publicKey.export({ type: 'spki', format: 'pem' }));
    workspace.refuseAt('identity.assertion.key', assertion({ key: 'public.pem' }));
  });
}

test('L06: weak and symmetric keys sign no assertions', () => {
  const weak = {
    'p521.pem': makeKeyPair('ec', { namedCurve: 'P-521' }).privateKey,
    'rsa1024.pem': makeKeyPair('rsa', { modulusLength: 1024 }).privateKey,
    'x25519.pem': makeKeyPair('x25519').privateKey,
  };
  for (const [name, key] of Object.entries(weak)) {
    workspace.write(name, key.export({ type: 'pkcs8', format: 'pem' }));
    workspace.refuseAt('identity.assertion.key', assertion({ key: name }));
  }
  workspace.write('oct.jwk', '{"kty":"oct","k":"aHVudGVyMg"}');
  workspace.refuseAt('identity.assertion.key', assertion({ key: 'oct.jwk' }));
});
