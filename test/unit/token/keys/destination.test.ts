import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { test } from 'node:test';
import { checkDestination, guardedLookup } from '#holdfast/token/keys/destination.js';

const strict = { allowCleartext: false };
const lenient = { allowCleartext: true };

const linkLocal = [
  'http://169.254.169.254/',
  'https://169.254.0.1/',
  'https://2852039166/', // 169.254.169.254 as one number
  'https://0xa9.0xfe.0xa9.0xfe/',
  'https://[fe80::1]/',
  'https://[febf::1]/',
  'https://[::ffff:169.254.169.254]/',
  'https://[::ffff:a9fe:a9fe]/',
  'https://[::169.254.169.254]/',
  'https://[64:ff9b::169.254.169.254]/',
  'https://[fd00:ec2::254]/',
  'https://100.100.100.200/',
  'https://168.63.129.16/',
  'https://192.0.0.192/',
  'https://[::ffff:100.100.100.200]/',
  'https://[::ffff:0:168.63.129.16]/',
  'https://[::ffff:0:a9fe:a9fe]/',
  'https://[64:ff9b::100.100.100.200]/',
  'https://[64:ff9b:1::1]/',
  'https://[64:ff9b:1:a9fe:a9:fe00::]/',
  'https://[2002:a9fe:a9fe::]/',
  'https://[2002:a9fe:a9fe:1::1]/',
  'https://[2002:a83f:8110::1]/',
  'https://[2001:0:53aa:64c:0:0:5601:5601]/',
];

test('P01: link-local addresses and metadata services are refused, in every spelling and also where cleartext is allowed', () => {
  for (const url of linkLocal) {
    assert.throws(() => checkDestination(new URL(url), lenient), /link-local/, url);
  }
  for (const url of [
    'https://169.253.0.1/',
    'https://169.255.0.1/',
    'https://[fec0::1]/',
    'https://[fd00::254]/',
    'https://10.0.0.1/',
    'https://100.100.100.201/',
    'https://168.63.129.17/',
    'https://192.0.1.0/',
    'https://[64:ff9b::192.0.2.1]/',
    'https://[64:ff9b:2::1]/',
    'https://[2002:c000:201::1]/',
    'https://[2001:db8::1]/',
  ]) {
    checkDestination(new URL(url), lenient);
  }
});

test('P01: cleartext is for loopback, unless it is allowed', () => {
  for (const url of [
    'http://login.example.com/',
    'http://192.0.2.1/',
    'http://[2001:db8::1]/',
    'http://localhost.example.com/',
    'http://0.0.0.0/',
  ]) {
    assert.throws(() => checkDestination(new URL(url), strict), /cleartext/, url);
    checkDestination(new URL(url), lenient);
    checkDestination(new URL(url.replace('http:', 'https:')), strict);
  }
  for (const url of [
    'http://localhost/',
    'http://127.0.0.1/',
    'http://127.9.9.9:8080/',
    'http://[::1]/',
    'http://LOCALHOST/',
  ]) {
    checkDestination(new URL(url), strict);
  }
});

test('P01: only http and https, and no credentials in the URL', () => {
  for (const url of ['ftp://h/', 'file:///etc/passwd', 'data:,x']) {
    assert.throws(() => checkDestination(new URL(url), lenient), /not http or https/);
  }
  for (const url of ['https://u@h/', 'https://u:p@h/', 'https://:p@h/']) {
    assert.throws(() => checkDestination(new URL(url), lenient), /credentials/);
  }
  checkDestination(new URL('https://h/'), strict);
});

type Resolver = NonNullable<Parameters<typeof guardedLookup>[2]>;

/** DNS that answers with these addresses, or with an error when there are none. */
function resolverOf(addresses: readonly string[]): Resolver {
  const answer = addresses.map((address): LookupAddress => ({ address, family: isIP(address) }));
  const resolver = (
    _: string,
    __: object,
    callback: (error: Error | null, addresses: LookupAddress[]) => void,
  ) => callback(addresses.length === 0 ? new Error('ENOTFOUND') : null, answer);
  return resolver as Resolver;
}

function resolve(
  url: string,
  addresses: readonly string[],
  { all = true, rules = strict } = {},
): Promise<unknown> {
  const lookup = guardedLookup(new URL(url), rules, resolverOf(addresses));
  return new Promise((resolve, reject) => {
    lookup('host', { all }, (error, address) => (error === null ? resolve(address) : reject(error)));
  });
}

test('P01: a name is refused when any address it resolves to is refused', async () => {
  for (const address of ['169.254.169.254', 'fe80::1', 'fe80::1%eth0', '::ffff:169.254.169.254']) {
    await assert.rejects(resolve('https://h/', [address]), /link-local/);
    await assert.rejects(resolve('https://h/', ['192.0.2.1', address]), /link-local/);
    await assert.rejects(resolve('https://h/', [address], { all: false }), /link-local/);
  }
  assert.deepEqual(await resolve('https://h/', ['192.0.2.1', '::1']), [
    { address: '192.0.2.1', family: 4 },
    { address: '::1', family: 6 },
  ]);
  assert.equal(await resolve('https://h/', ['192.0.2.1', '::1'], { all: false }), '192.0.2.1');
});

test('P01: localhost in cleartext must resolve to loopback', async () => {
  await assert.rejects(resolve('http://localhost/', ['192.0.2.1']), /cleartext/);
  assert.deepEqual(await resolve('http://localhost/', ['127.0.0.1']), [{ address: '127.0.0.1', family: 4 }]);
  assert.equal(await resolve('http://h/', ['192.0.2.1'], { all: false, rules: lenient }), '192.0.2.1');
});

test('P01: a name that does not resolve is an error', async () => {
  await assert.rejects(resolve('https://h/', []), /ENOTFOUND/);
});
