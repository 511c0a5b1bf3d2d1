import assert from 'node:assert/strict';
import test from 'node:test';
import { Origins } from '#holdfast/request/authority.js';
import { findRequestId } from '#holdfast/request/forwarded.js';
import { TrustedProxies } from '#holdfast/request/trusted-proxies.js';
import { denied } from '../../support/denied.js';
import { type FactsRequest, makeFacts } from '../../support/facts.js';

const proxies = new TrustedProxies([
  { from: ['10.0.0.0/8', '2001:db8::/32'], certificates: undefined },
  { from: ['10.0.0.0/8', '192.0.2.0/24'], certificates: undefined },
]);
const front = proxies.find('10.0.0.1');
assert.ok(front !== undefined);

const behind = (headers: string[], rules: FactsRequest['rules'] = {}) =>
  makeFacts({ headers, front, remoteAddress: '10.0.0.1', rules: { proxies, ...rules } });
const clientOf = (...lines: string[]) =>
  behind(lines.flatMap((line) => ['X-Forwarded-For', line])).remoteAddress;

test('K07: who is trusted is decided by the address, first entry first; a unix socket has none', () => {
  for (const address of ['', '11.0.0.1', '127.0.0.1', 'unknown', '2001:db9::1'])
    assert.equal(proxies.find(address), undefined, address);
  for (const address of ['10.0.0.1', '::ffff:10.0.0.1', '2001:db8::1', '192.0.2.1'])
    assert.notEqual(proxies.find(address), undefined, address);
  assert.equal(proxies.find('10.9.9.9'), front);
  const unix = new TrustedProxies([{ from: ['unix'], certificates: undefined }]);
  assert.notEqual(unix.find(''), undefined);
  assert.equal(unix.find('127.0.0.1'), undefined);
  assert.equal(unix.includes(''), false);
  assert.equal(new TrustedProxies([]).find(''), undefined);
});

test('B08: the client is the right-most hop that is no trusted proxy', () => {
  assert.equal(clientOf('203.0.113.9'), '203.0.113.9');
  assert.equal(clientOf('6.6.6.6, 203.0.113.9, 192.0.2.7 ,10.1.1.1'), '203.0.113.9');
  assert.equal(clientOf('6.6.6.6', '203.0.113.9', '10.1.1.1'), '203.0.113.9');
  assert.equal(clientOf('10.0.0.9, 192.0.2.1'), '10.0.0.9', 'all are trusted: the first of them called');
  assert.equal(clientOf('nonsense, 203.0.113.9'), '203.0.113.9');
  assert.equal(clientOf('[2001:db9::1]:80, 2001:db8::1'), '2001:db9::1');
  assert.equal(clientOf('::ffff:203.0.113.9'), '::ffff:203.0.113.9');
  assert.equal(clientOf(), '');
});

test('B08: hops that the fronts vouch for are addresses', () => {
  for (const line of [
    '',
    'unknown',
    '_hidden',
    '203.0.113.9, ',
    '1.2.3',
    '01.2.3.4',
    '[::1',
    '::1]:80',
    '1.2.3.4:',
    '1.2.3.4:123456',
    'fe80::1%eth0',
    'a, 10.0.0.1',
    '"1.2.3.4"',
    'for=1.2.3.4',
  ])
    denied(() => clientOf(line), 'forwarded_field_malformed');
  denied(() => clientOf(Array(65).fill('10.0.0.1').join()), 'forwarded_field_malformed');
  assert.equal(clientOf(Array(64).fill('10.0.0.1').join()), '10.0.0.1');
});

test('G12: scheme and host of the front choose among the configured origins', () => {
  const origins = new Origins([
    'https://api.example',
    'http://api.example',
    'https://other.example:8443',
    'http://[2001:db8::1]',
  ]);
  const originOf = (...headers: string[]) => behind(headers, { origins }).origin.uri;
  assert.equal(originOf(), 'https://api.example');
  assert.equal(originOf('X-Forwarded-Proto', 'http'), 'http://api.example');
  assert.equal(originOf('X-Forwarded-Host', 'OTHER.example:8443'), 'https://other.example:8443');
  assert.equal(
    originOf('X-Forwarded-Host', 'api.example:443', 'X-Forwarded-Proto', 'HTTPS'),
    'https://api.example',
  );
  assert.equal(originOf('X-Forwarded-Host', '[2001:db8::1]:80'), 'http://[2001:db8::1]');
  denied(
    () => originOf('X-Forwarded-Host', 'api.example:443', 'X-Forwarded-Proto', 'http'),
    'host_not_served',
  );
  denied(() => originOf('X-Forwarded-Host', 'evil.example'), 'host_not_served');
  denied(() => originOf('X-Forwarded-Host', 'a@api.example'), 'host_invalid');
  denied(() => originOf('X-Forwarded-Host', ''), 'host_invalid');
  denied(() => originOf('X-Forwarded-Host', 'api.example', 'Host', 'api.example'), 'host_invalid');
  for (const headers of [
    ['X-Forwarded-Proto', 'ws'],
    ['X-Forwarded-Proto', ''],
    ['X-Forwarded-Proto', 'https', 'X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Host', 'api.example,api.example'],
    ['X-Forwarded-Host', 'api.example', 'x-forwarded-host', 'api.example'],
  ])
    denied(() => originOf(...headers), 'forwarded_field_malformed');
});

test('A01, A02: a front that names the public host still sends one valid Host of its own', () => {
  const message = (...hosts: string[]) =>
    makeFacts({
      ...{ host: false, front, remoteAddress: '10.0.0.1', rules: { proxies } },
      headers: ['X-Forwarded-Host', 'api.example', ...hosts.flatMap((value) => ['Host', value])],
    });
  assert.equal(message('inner.local:8080').origin.uri, 'https://api.example');
  for (const hosts of [[], [''], ['a@b/c?d'], ['a, b'], ['inner:99999'], ['inner', 'inner']])
    denied(() => message(...hosts), 'host_invalid');
});

test('B08: from anybody else none of it is looked at', () => {
  const headers = [
    'X-Forwarded-For',
    'x',
    'X-Forwarded-Proto',
    'x',
    'X-Forwarded-Host',
    'x',
    'Client-Cert',
    'x',
  ];
  const facts = makeFacts({ headers, rules: { proxies } });
  assert.equal(facts.remoteAddress, '192.0.2.1');
  assert.equal(facts.origin.uri, 'https://api.example');
});

test('B08: on a listener for fronts only, nothing of anybody else is looked at', () => {
  denied(() => makeFacts({ rules: { proxies, frontsOnly: true }, httpVersion: '0.9' }), 'peer_not_trusted');
  behind([], { frontsOnly: true });
});

test("K07: the certificate of a front's own connection is not its client's", () => {
  const certificate = { thumbprint: 'x', trusted: false, distrust: undefined } as const;
  assert.equal(makeFacts({ certificate }).certificate, certificate);
  assert.equal(makeFacts({ certificate, front, rules: { proxies } }).certificate, undefined);
});

test('S01: a request id is one line of visible ASCII', () => {
  const id = (...values: string[]) => findRequestId(values.flatMap((value) => ['x-request-ID', value]));
  assert.equal(id('4bf92f3577b34da6'), '4bf92f3577b34da6');
  assert.equal(id('a'.repeat(128)), 'a'.repeat(128));
  assert.equal(id(), undefined);
  for (const value of ['', 'a b', 'a\tb', '\u00e9', 'a'.repeat(129)])
    assert.equal(id(value), undefined, value);
  assert.equal(id('a', 'a'), undefined);
});
