import assert from 'node:assert/strict';
import test from 'node:test';
import { type BearerExceptionOptions, BearerExceptions } from '#holdfast/policy/exceptions.js';
import { denied } from '../../support/denied.js';
import { type FactsRequest, makeFacts } from '../../support/facts.js';
import { ManualClock } from '../../support/manual-clock.js';
import { makeToken, type TokenRequest } from '../../support/tokens.js';

const expiresAtMs = Date.UTC(2027, 2, 1);
const base: BearerExceptionOptions = {
  id: 'acme-gateway',
  owner: 'payments@example.com',
  createdAtMs: 0,
  expiresAtMs,
  issuer: 'https://login.example',
  clients: ['acme-gw'],
  routes: ['/orders/**'],
  sources: [],
  maxTokenLifetimeSeconds: undefined,
};
const clock = new ManualClock(expiresAtMs - 1);
const find = (
  options: Partial<BearerExceptionOptions>[],
  request: FactsRequest = {},
  token: TokenRequest = {},
) =>
  new BearerExceptions(
    options.map((one) => ({ ...base, ...one })),
    clock,
  ).find(makeToken({ clientId: 'acme-gw', ...token }), makeFacts({ target: '/orders/1', ...request }));

test('R01: an exception names client and path, and no other', () => {
  assert.equal(find([{}]).id, 'acme-gateway');
  denied(() => find([]), 'token_not_bound');
  denied(() => find([{}], {}, { clientId: 'other' }), 'token_not_bound');
  denied(() => find([{}], { target: '/admin' }), 'token_not_bound');
  denied(() => find([{}], { target: '/Orders/1' }), 'token_not_bound');
});

test('D21: a client of that id at another issuer is somebody else', () => {
  const twin = { issuer: 'https://other.example' };
  denied(() => find([{}], {}, twin), 'token_not_bound');
  assert.equal(find([{}, { id: 'theirs', ...twin }], {}, twin).id, 'theirs');
  assert.equal(find([{}, { id: 'theirs', ...twin }]).id, 'acme-gateway');
});

test('R02: it ends at its very moment, without a restart', () => {
  const own = new ManualClock(expiresAtMs - 1);
  const exceptions = new BearerExceptions([base], own);
  const use = () => exceptions.find(makeToken({ clientId: 'acme-gw' }), makeFacts({ target: '/orders' }));
  assert.equal(use().id, 'acme-gateway');
  own.advance(1);
  const { detail } = denied(use, 'exception_expired');
  assert.equal(detail, 'acme-gateway of payments@example.com');
});

test('R02: one that is dated ahead begins at its very moment, also where a clock jumped ahead', () => {
  const own = new ManualClock(expiresAtMs - 2);
  const exceptions = new BearerExceptions([{ ...base, createdAtMs: expiresAtMs - 1 }], own);
  const use = () => exceptions.find(makeToken({ clientId: 'acme-gw' }), makeFacts({ target: '/orders' }));
  const { detail } = denied(use, 'exception_not_yet_valid');
  assert.equal(detail, 'acme-gateway of payments@example.com');
  own.advance(1);
  assert.equal(use().id, 'acme-gateway');
});

test('R04: a client that calls from elsewhere is refused', () => {
  const sources = ['203.0.113.0/24', '2001:db8::/32', '198.51.100.7'];
  for (const remoteAddress of ['203.0.113.9', '::ffff:203.0.113.9', '2001:db8:1::1', '198.51.100.7']) {
    assert.equal(find([{ sources }], { remoteAddress }).id, 'acme-gateway', remoteAddress);
  }
  for (const remoteAddress of ['203.0.114.1', '::ffff:198.51.100.8', '2001:db9::1', '::1', '127.0.0.1']) {
    denied(() => find([{ sources }], { remoteAddress }), 'exception_source_refused');
  }
});

test('R04: a peer without an address, as on a unix socket, is none of the sources', () => {
  for (const remoteAddress of ['', 'fe80::1%eth0', 'garbage']) {
    denied(() => find([{ sources: ['203.0.113.0/24'] }], { remoteAddress }), 'exception_source_refused');
  }
  assert.equal(find([{}], { remoteAddress: '' }).id, 'acme-gateway');
});

test('R04: a token that lives longer than allowed, or that does not say since when, is refused', () => {
  const times = (issuedAtSeconds: number | undefined) => ({ issuedAtSeconds, expiresAtSeconds: 1000 });
  const options = [{ maxTokenLifetimeSeconds: 600 }];
  assert.equal(find(options, {}, times(400)).id, 'acme-gateway');
  denied(() => find(options, {}, times(399)), 'exception_lifetime_refused');
  denied(() => find(options, {}, times(undefined)), 'exception_lifetime_refused');
});

test('R02: of several exceptions one that applies is enough', () => {
  assert.equal(find([{ id: 'a', expiresAtMs: 0 }, { id: 'b' }]).id, 'b');
  assert.equal(find([{ id: 'a' }, { id: 'b', expiresAtMs: 0 }]).id, 'a');
  denied(
    () =>
      find([
        { id: 'a', expiresAtMs: 0 },
        { id: 'b', clients: ['x'] },
      ]),
    'exception_expired',
  );
});

test('B06: a path that the service may read as another one is under no exception', () => {
  const routes = ['/orders/*/status'];
  for (const target of ['/orders/;x/status', '/orders/%3B/status', '/orders/a%5Cb/status']) {
    denied(() => find([{ routes }], { target }), 'token_not_bound');
  }
  assert.equal(find([{ routes }], { target: '/orders/7/status' }).id, 'acme-gateway');
  assert.equal(find([{ routes: ['/orders/**'] }], { target: '/orders/a;v=1/%20x' }).id, 'acme-gateway');
});
