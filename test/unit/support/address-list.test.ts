import assert from 'node:assert/strict';
import test from 'node:test';
import { AddressList } from '#holdfast/support/address-list.js';

test('B08: an address is in a list when a range of its own family has it', () => {
  const list = new AddressList(['10.0.0.0/8', '192.0.2.7/32', '198.51.100.9', '2001:db8::/32', 'fe80::/10']);
  for (const listed of [
    '10.255.0.1',
    '192.0.2.7',
    '198.51.100.9',
    '2001:db8::1',
    '2001:DB8:0::1',
    'fe80::1%eth0',
  ])
    assert.ok(list.has(listed), listed);
  for (const other of ['11.0.0.1', '192.0.2.8', '2001:db9::1', '::1', '127.0.0.1'])
    assert.ok(!list.has(other), other);
});

test('B08: IPv4 that a dual-stack socket tells as IPv6 is IPv4', () => {
  const list = new AddressList(['10.0.0.0/8']);
  for (const mapped of ['::ffff:10.1.2.3', '::FFFF:10.1.2.3']) assert.ok(list.has(mapped), mapped);
  assert.ok(!list.has('::ffff:11.1.2.3'));
});

test('B09: an IPv6 range, however wide, holds no IPv4 address', () => {
  const list = new AddressList(['::/1', '8000::/1']);
  assert.ok(list.has('2001:db8::1'));
  for (const address of ['10.0.0.1', '::ffff:10.0.0.1']) assert.ok(!list.has(address), address);
});

test('B08: what is no address is in no list', () => {
  for (const list of [new AddressList([]), new AddressList(['0.0.0.0/1', '128.0.0.0/1', '::/1', '8000::/1'])])
    for (const text of ['', 'unknown', '10.0.0', '010.0.0.1', '10.0.0.1:80', '[::1]', ' 10.0.0.1', '_hidden'])
      assert.ok(!list.has(text), JSON.stringify(text));
});
