import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeKeyPair } from '../../support/keys.js';
import { Workspace, withOption } from './workspace.js';

let workspace: Workspace;
before(async () => {
  workspace = await Workspace.create();
  const { publicKey, privateKey } = makeKeyPair('ec', { namedCurve: 'P-256' });
  workspace.write('keys.json', JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] }));
  workspace.write('private.json', JSON.stringify({ keys: [privateKey.export({ format: 'jwk' })] }));
  workspace.write('symmetric.json', JSON.stringify({ keys: [{ kty: 'oct', k: 'hunter2' }] }));
  workspace.write('empty.json', '{"keys":[]}');
  workspace.write('text.json', 'hunter2');
});
after(() => workspace.remove());

const issuer = (options: Record<string, unknown>) =>
  withOption('issuers', [{ issuer: 'https://login.example.com', audience: 'a', ...options }]);

test('D09: an audience is needed', () => {
  for (const audience of [[], undefined, '', [''], [1], null]) {
    const paths = workspace.refuse(issuer({ audience })).map(({ path }) => path.replace(/\[0\]$/, ''));
    assert.deepEqual(paths, ['issuers[0].audience'], JSON.stringify(audience));
  }
});

test('D09: one audience or several', () => {
  assert.deepEqual(workspace.load(issuer({ audience: 'a' })).config.issuers[0]?.audience, ['a']);
  assert.deepEqual(workspace.load(issuer({ audience: ['a', 'b'] })).config.issuers[0]?.audience, ['a', 'b']);
});

test('D08: issuers are needed, each once', () => {
  workspace.refuseAt('issuers', withOption('issuers', []));
  workspace.refuseAt('issuers', withOption('issuers', null));
  const one = { issuer: 'https://login.example.com', audience: 'a' };
  workspace.refuseAt('issuers[1].issuer', withOption('issuers', [one, { ...one, audience: 'b' }]));
  workspace.load(withOption('issuers', [one, { ...one, issuer: 'https://login.example.com/' }]));
});

for (const url of ['http://login.example.com', 'http://10.0.0.5/realm']) {
  test(`P01: keys in clear text from ${url} are refused, and warned about where they are allowed`, () => {
    assert.match(workspace.refuseAt('issuers[0].issuer', issuer({ issuer: url })), /allowCleartext: true/);
    assert.deepEqual(workspace.warnings(issuer({ issuer: url, allowCleartext: true })), [
      'issuers[0].issuer',
    ]);
    assert.match(
      workspace.refuseAt('issuers[0].keys.url', issuer({ keys: { url } })),
      /allowCleartext: true/,
    );
    assert.deepEqual(workspace.warnings(issuer({ keys: { url }, allowCleartext: true })), [
      'issuers[0].keys.url',
    ]);
  });
}

test('P01: https, and http on loopback, need no permission and no warning', () => {
  for (const url of [
    'https://login.example.com/realm',
    'http://127.0.0.1:9000',
    'http://localhost:9000/a',
    'http://[::1]:9000',
  ]) {
    assert.deepEqual(workspace.warnings(issuer({ issuer: url })), []);
  }
});

for (const url of [
  'https://169.254.169.254',
  'https://[fe80::1]',
  'https://[::ffff:169.254.169.254]',
  'https://2852039166',
  'https://100.100.100.200',
  'https://168.63.129.16',
  'https://192.0.0.192',
  'https://[2002:a9fe:a9fe::]',
  'https://[64:ff9b:1::a9fe:a9fe]',
  'https://[2001:0:1::1]',
]) {
  test(`P01: keys from the link-local range are refused: ${url}`, () => {
    assert.match(workspace.refuseAt('issuers[0].issuer', issuer({ issuer: url })), /link-local/);
    assert.match(workspace.refuseAt('issuers[0].keys.url', issuer({ keys: { url } })), /link-local/);
  });
}

for (const url of [
  'login.example.com',
  'ftp://login.example.com',
  'https://u:p@login.example.com',
  'https://login.example.com?a',
  'https://login.example.com/#a',
  'https://lögin.example',
  'https://a b',
]) {
  test(`D08: ${url} is no issuer`, () => {
    workspace.refuseAt('issuers[0].issuer', issuer({ issuer: url }));
  });
}

test('D03: algorithms are asymmetric, and at least one', () => {
  for (const algorithm of ['HS256', 'none', 'es256', 'RSA1_5']) {
    workspace.refuseAt('issuers[0].algorithms[0]', issuer({ algorithms: [algorithm] }));
    workspace.refuseAt('dpop.algorithms[0]', withOption('dpop.algorithms', [algorithm]));
  }
  workspace.refuseAt('issuers[0].algorithms', issuer({ algorithms: [] }));
  workspace.refuseAt('dpop.algorithms', withOption('dpop.algorithms', []));
  assert.deepEqual(workspace.load(issuer({ algorithms: ['ES384'] })).config.issuers[0]?.algorithms, [
    'ES384',
  ]);
});

test('D10: leeway is at most 60 seconds', () => {
  assert.equal(workspace.load(issuer({ leeway: '60s' })).config.issuers[0]?.leewaySeconds, 60);
  assert.equal(workspace.load(issuer({ leeway: '0s' })).config.issuers[0]?.leewaySeconds, 0);
  workspace.refuseAt('issuers[0].leeway', issuer({ leeway: '61s' }));
});

test('D02: tokens whose type says less are warned about', () => {
  assert.deepEqual(workspace.warnings(issuer({ tokenType: 'jwt' })), ['issuers[0].tokenType']);
  assert.deepEqual(workspace.warnings(issuer({ tokenType: 'at+jwt' })), []);
  workspace.refuseAt('issuers[0].tokenType', issuer({ tokenType: 'JWT' }));
});

test('D12: clientClaim takes the place of client_id among the required claims', () => {
  assert.deepEqual(workspace.load(issuer({ clientClaim: 'azp' })).config.issuers[0]?.requiredClaims, [
    'sub',
    'azp',
    'iat',
    'jti',
  ]);
  assert.deepEqual(workspace.load(issuer({ requiredClaims: [] })).config.issuers[0]?.requiredClaims, []);
});

test('P09: a key set in a file holds public keys', () => {
  const { keys } = workspace.load(issuer({ keys: { file: 'keys.json' } })).config.issuers[0] ?? {};
  assert.deepEqual(keys, { file: join(workspace.directory, 'keys.json') });
  for (const file of ['private.json', 'symmetric.json', 'empty.json', 'text.json', 'absent.json']) {
    assert.doesNotMatch(workspace.refuseAt('issuers[0].keys.file', issuer({ keys: { file } })), /hunter2/);
  }
});

test('P12: a key set in a file has a key that can serve, judged as at each refresh', () => {
  const jwkOf = (key: KeyObject, more = {}) => ({ ...key.export({ format: 'jwk' }), ...more });
  const ec = makeKeyPair('ec', { namedCurve: 'P-256' }).publicKey;
  const small = makeKeyPair('rsa', { modulusLength: 1024 }).publicKey;
  const { y: offCurve } = makeKeyPair('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
  const sets: readonly [why: RegExp, content: unknown][] = [
    [/no usable key in the set; key 0: RSA modulus of 1024 bits/, { keys: [jwkOf(small)] }],
    [/key 0: use is not sig; key 1: key_ops lacks verify/, { keys: unfit(jwkOf(ec)) }],
    [/key 0: for none of the accepted algorithms/, { keys: [jwkOf(ec, { alg: 'ES512' })] }],
    [/key 0: not a valid public key/, { keys: [jwkOf(ec, { y: offCurve })] }],
    [/key 0: not an object/, { keys: [null] }],
    [/101 keys, accepted are 100/, { keys: Array.from({ length: 101 }, () => jwkOf(ec)) }],
    [/not a JWK set/, { keys: {} }],
    [/not a strict JSON object/, [jwkOf(ec)]],
    [/longer than 262144 bytes/, { keys: [jwkOf(ec, { x5c: ['A'.repeat(262_144)] })] }],
  ];
  const keys = { file: 'unfit.json' };
  for (const [why, content] of sets) {
    workspace.write('unfit.json', JSON.stringify(content));
    assert.match(workspace.refuseAt('issuers[0].keys.file', issuer({ keys })), why);
  }
  workspace.write('unfit.json', '{"keys":[],"keys":[]}');
  assert.match(workspace.refuseAt('issuers[0].keys.file', issuer({ keys })), /strict JSON/);

  workspace.write('unfit.json', JSON.stringify({ keys: [jwkOf(small), jwkOf(ec), ...unfit(jwkOf(ec))] }));
  workspace.load(issuer({ keys }));
  workspace.write('unfit.json', JSON.stringify({ keys: [jwkOf(ec)] }));
  assert.match(
    workspace.refuseAt('issuers[0].keys.file', issuer({ keys, algorithms: ['ES384'] })),
    /key 0: for none of the accepted algorithms/,
  );
});

function unfit(jwk: object): object[] {
  return [
    { ...jwk, use: 'enc' },
    { ...jwk, key_ops: ['sign'] },
  ];
}

test('DESIGN 2: keys come from one place', () => {
  for (const keys of ['jwks', { url: 'https://a.example', file: 'keys.json' }, {}, { uri: 'x' }, []]) {
    assert.match(
      workspace.refuseAt('issuers[0].keys', issuer({ keys })),
      /discovery, \{ url: URL \} or \{ file: FILE \}/,
    );
  }
});
