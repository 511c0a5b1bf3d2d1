import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { unconstrained } from '#holdfast/binding/binding.js';
import { buildIdentity, type IdentityEncoding, type IdentityOptions } from '#holdfast/forward/identity.js';
import { authorize } from '#holdfast/policy/authorize.js';
import { BearerExceptions } from '#holdfast/policy/exceptions.js';
import { denied } from '../../support/denied.js';
import { makeFacts } from '../../support/facts.js';
import { makeGrant, makePublicGrant, x5tS256 } from '../../support/grants.js';
import { ManualClock } from '../../support/manual-clock.js';
import { makeRoute } from '../../support/routes.js';
import { makeToken, type TokenRequest } from '../../support/tokens.js';

const facts = ['proof', 'key', 'issuer', 'client', 'type', 'user', 'exception'] as const;
const everything: IdentityOptions = {
  encoding: 'percent',
  headers: [
    { name: 'X-Auth-Subject', source: { claim: 'sub' } },
    ...facts.map((fact) => ({ name: `X-${fact}`, source: { fact } })),
  ],
};
const build = (token: TokenRequest = {}, options = everything) =>
  Object.fromEntries(buildIdentity(makeGrant(token), options));
const write = (value: unknown, encoding: IdentityEncoding = 'percent') =>
  build({ claims: { value } }, { encoding, headers: [{ name: 'X-Value', source: { claim: 'value' } }] })[
    'X-Value'
  ];

test('L03: the facts of a proven request', () => {
  assert.deepEqual(build(), {
    'X-Auth-Subject': 'alice',
    'X-proof': 'mtls',
    'X-key': x5tS256,
    'X-issuer': 'https://login.example',
    'X-client': 'app',
    'X-type': 'user',
    'X-user': 'alice',
  });
});

test('D19: a client’s own token never counts as a user', () => {
  for (const token of [{ subject: 'app' }, { subject: undefined }, { subject: 'admin', clientId: 'admin' }]) {
    const built = build(token);
    assert.equal(built['X-type'], 'client');
    assert.equal('X-user' in built, false);
  }
});

test('L07: on a public route only that nothing was proven is said', () => {
  assert.deepEqual(buildIdentity(makePublicGrant(), everything), [['X-proof', 'none']]);
});

test('R06: a request under an exception is marked', () => {
  const exceptions = new BearerExceptions(
    [
      {
        id: 'legacy',
        owner: 'o',
        createdAtMs: 0,
        expiresAtMs: 1,
        issuer: 'https://login.example',
        clients: ['app'],
        routes: ['/**'],
        sources: [],
        maxTokenLifetimeSeconds: undefined,
      },
    ],
    new ManualClock(0),
  );
  const grant = authorize(
    { route: makeRoute('/**'), facts: makeFacts(), exceptions },
    makeToken(),
    unconstrained,
  );
  const built = Object.fromEntries(buildIdentity(grant, everything));
  assert.equal(built['X-proof'], 'exception');
  assert.equal(built['X-exception'], 'legacy');
  assert.equal('X-key' in built, false);
});

test('L03: line breaks, controls and other scripts are percent-encoded, and so is the percent sign', () => {
  assert.equal(write('a\r\nX-Admin: 1'), 'a%0D%0AX-Admin: 1');
  assert.equal(write('Ж'), '%D0%96');
  assert.equal(write('😀'), '%F0%9F%98%80');
  assert.equal(write('100%'), '100%25');
  assert.equal(write('a\u0000b\u007f\t'), 'a%00b%7F%09');
  assert.equal(write('plain text'), 'plain text');
});

test('L03: white space at the ends, which a parser would cut, is encoded', () => {
  assert.equal(write('admin '), 'admin%20');
  assert.equal(write(' admin'), '%20admin');
  assert.equal(write(' '), '%20');
});

test('L03: a value that is no text is refused in every encoding', () => {
  for (const encoding of ['percent', 'base64url', 'refuse'] as const)
    denied(() => write('\ud800', encoding), 'identity_unrepresentable');
});

test('L03: with refuse only printable ASCII passes', () => {
  assert.equal(write('alice', 'refuse'), 'alice');
  for (const value of ['Ж', 'a\nb', 'a ', '\u0000'])
    denied(() => write(value, 'refuse'), 'identity_unrepresentable');
});

test('L03: with base64url what is plain stays as it is, the rest is encoded', () => {
  assert.equal(write('alice', 'base64url'), 'alice');
  assert.equal(write('Ж', 'base64url'), '0JY');
  assert.equal(write('a ', 'base64url'), 'YSA');
});

test('L03: absent and null claims give no field, other values their JSON', () => {
  assert.equal(write(undefined), undefined);
  assert.equal(write(null), undefined);
  assert.equal(write(1), '1');
  assert.equal(write(false), 'false');
  assert.equal(write({ a: 1 }), '{"a":1}');
});

test('L05: a separator inside a value forges no further entry', () => {
  assert.equal(write(['a,admin']), '["a,admin"]');
  assert.equal(write(['a', 'admin']), '["a","admin"]');
  assert.equal(write(['a","admin']), '["a\\",\\"admin"]');
});

test('L04: too much identity is refused whole, never cut', () => {
  denied(() => write('x'.repeat(8192)), 'identity_too_large');
  denied(() => write('Ж'.repeat(1400)), 'identity_too_large');
  assert.equal(write('x'.repeat(8192 - 'X-Value'.length))?.length, 8185);
  const two = {
    encoding: 'percent',
    headers: ['A', 'B'].map((name) => ({ name, source: { claim: 'value' } })),
  } as const;
  denied(() => build({ claims: { value: 'x'.repeat(5000) } }, two), 'identity_too_large');
});

test('D14: a claim named like a member of every object is absent when the token has none', () => {
  for (const claim of ['constructor', '__proto__', 'toString']) {
    assert.deepEqual(
      build({}, { encoding: 'percent', headers: [{ name: 'X-Value', source: { claim } }] }),
      {},
    );
  }
});

const subject = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });

test('L03: percent encoding gives a field value that decodes to exactly the claim', () => {
  fc.assert(
    fc.property(subject, (value) => {
      const text = write(value) ?? '';
      assert.match(text, /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/);
      assert.equal(decodeURIComponent(text), value);
    }),
  );
});

test('L03: percent encoding gives no two claims the same field value', () => {
  fc.assert(fc.property(subject, subject, (a, b) => assert.equal(write(a) === write(b), a === b)));
  for (const value of ['Ж', 'a ', '\u0000'])
    assert.notEqual(write(write(value)), write(value), 'nor a claim spelled like it');
});
