import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { maskTokens } from '#holdfast/observability/masking.js';
import { TokenSigner } from '../../support/token-signer.js';

const jwt = new TokenSigner().token();
/** mixed characters for certain, which a random text may lack */
const opaque = (characters: number) => `aB3${randomBytes(100).toString('base64url')}`.slice(0, characters);

test('S01: what looks like a token is masked, wherever it stands', () => {
  const [header = '', payload = '', signature = ''] = jwt.split('.');
  const secrets = [
    jwt,
    `${header}.${payload}`,
    `${header}.`,
    `${header}%2E${payload}%2E${signature}`,
    `${header}..${opaque(16)}.${payload}.${opaque(22)}`,
    payload,
    signature,
    opaque(40),
    opaque(43),
    opaque(86),
    randomBytes(33).toString('hex'),
    randomBytes(64).toString('hex').toUpperCase(),
  ];
  for (const secret of secrets) {
    for (const text of [
      secret,
      `/a/${secret}/b`,
      `/a=${secret}`,
      `https://h.example/x/${secret}`,
      `/x.${secret}`,
    ]) {
      const masked = maskTokens(text);
      for (let at = 0; at + 20 <= secret.length; at += 10)
        assert.ok(!masked.includes(secret.slice(at, at + 20)), `${text} → ${masked}`);
      assert.match(masked, /…/);
    }
  }
});

test('S01: accepting twin: ordinary paths, identifiers and hashes stay', () => {
  const hash = (algorithm: string) => createHash(algorithm).update('x').digest();
  const fine = [
    '/',
    '/orders/7',
    `/orders/${randomUUID()}`,
    `/orders/${randomUUID()}_${randomUUID()}`,
    `/commit/${hash('sha1').toString('hex')}`,
    `/v2/library/node/blobs/sha256:${hash('sha256').toString('hex')}`,
    `/blobs/${hash('sha256').toString('hex').toUpperCase()}`,
    '/blog/2026/why-we-moved-everything-to-proof-of-possession-and-what-we-learned-on-the-way-there',
    '/odata/SalesOrderLineItemCollection/BusinessPartnerAddressIdentification',
    '/%E3%83%97%E3%83%AD%E3%82%AD%E3%82%B7/%E6%89%80%E6%9C%89%E8%A8%BC%E6%98%8E-caf%C3%A9-creme-brulee',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    'Root=1-67891233-abcdef012345678912345678',
    `/session/${opaque(32)}`,
    '/eyJ',
    '/eyJust.a.name',
    'never ends',
  ];
  for (const text of fine) assert.equal(maskTokens(text), text);
});

test('S01: thumbprints stay where details name keys, and only there', () => {
  const [one, two] = ['a', 'b'].map((text) => createHash('sha256').update(text).digest('base64url'));
  const detail = `expected ${one}, got ${two}`;
  assert.equal(maskTokens(detail), detail);
  assert.equal(maskTokens(`key ${one}`), `key ${one}`);
  assert.equal(maskTokens(`expected https://a.example/${one}`), 'expected https://a.example/…');
});

test('S01: the cost grows with the length of the text, not faster', () => {
  const cost = (length: number) => {
    const texts = ['eyJ', 'eyJ.', 'a', 'aA0', '%2', '-.'].map((part) => part.repeat(length / part.length));
    const before = process.cpuUsage();
    for (let round = 0; round < 20; round++) for (const text of texts) maskTokens(text);
    return process.cpuUsage(before).user + 1000;
  };
  cost(8192);
  assert.ok(cost(64 * 1024) < cost(8192) * 40);
});
