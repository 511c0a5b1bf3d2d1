import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientNetwork } from '#holdfast/support/client-network.js';

test('S09: an IPv4 address counts for itself, however it is written', () => {
  for (const text of [
    '192.0.2.1',
    '::ffff:192.0.2.1',
    '::FFFF:c000:201',
    '64:ff9b::c000:201',
    '64:ff9b::192.0.2.1',
  ])
    assert.equal(clientNetwork(text), '192.0.2.1', text);
  assert.notEqual(clientNetwork('192.0.2.2'), clientNetwork('192.0.2.1'));
});

test('S09: all addresses of an IPv6 /64 count as one, those of the next do not', () => {
  const network = clientNetwork('2001:db8:0:1::1');
  assert.equal(network, '2001:db8:0:1::/64');
  for (const text of [
    '2001:db8:0:1:ffff:ffff:ffff:ffff',
    '2001:DB8:0:1:a::',
    '2001:0db8:0000:0001:0:0:192.0.2.1',
  ])
    assert.equal(clientNetwork(text), network, text);
  for (const text of ['2001:db8:0:2::1', '2001:db8::1', '2001:db8:1::1'])
    assert.notEqual(clientNetwork(text), network, text);
});

test('S09: the zone of a link-local address does not count, and the unspecified parts are zeros', () => {
  assert.equal(clientNetwork('fe80::1%eth0'), 'fe80:0:0:0::/64');
  assert.equal(clientNetwork('fe80::2%eth1'), 'fe80:0:0:0::/64');
  assert.equal(clientNetwork('::1'), '0:0:0:0::/64');
  assert.equal(clientNetwork('::'), '0:0:0:0::/64');
});

test('S09: a unix socket has no address, and keeps none', () => {
  assert.equal(clientNetwork(''), '');
});
