import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Ca, type IssuedCertificate, makeCa, makeSelfSigned } from '../support/certificates.js';
import { Checkpoint } from '../support/checkpoint.js';
import { clientCert } from '../support/client-cert-dialects.js';
import { boundTo, reload, showing } from '../support/mtls.js';
import { tellsIntermediates } from '../support/node-release.js';
import { authority } from '../support/sidecar.js';

const told = { identity: { clientCertificate: 'rfc9440' } };

const derOf = (pem: string) => Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');

describe('identity.clientCertificate: rfc9440', () => {
  let guarded: Checkpoint;
  let client: IssuedCertificate;
  before(async () => {
    guarded = await Checkpoint.start({
      tls: { ca: ['ca.pem'] },
      config: { ...told, routes: [{ path: '/public/**', proof: 'none' }, { path: '/**' }] },
    });
    client = await guarded.ca.issue({ cn: 'client', usage: 'client' });
  });
  after(() => guarded.stop());
  const call = (shown = client) => ({ ...boundTo(guarded, shown), tls: showing(shown) });

  test('K02: the service gets the certificate as one byte sequence on one line', async () => {
    const { seen } = await guarded.admits(call());
    assert.deepEqual(seen.all('client-cert'), [clientCert(client)]);
    assert.deepEqual(seen.all('client-cert-chain'), []);
  });

  test('K03: the intermediates that the client sent follow in TLS order, without the leaf and the CA', async () => {
    const below = await guarded.ca.issueCa({ cn: 'below' });
    const beside = await guarded.ca.issueCa({ cn: 'beside' });
    const deep = await below.issue({ cn: 'deep', usage: 'client' });
    for (const more of [[], [guarded.ca], [guarded.ca, beside]]) {
      const cert = [deep, below, ...more].map(({ certPem }) => certPem).join('');
      const { seen } = await guarded.admits({ ...boundTo(guarded, deep), tls: { cert, key: deep.keyPem } });
      assert.deepEqual(seen.all('client-cert'), [clientCert(deep)]);
      const chain = tellsIntermediates ? [clientCert({ der: derOf(below.certPem) })] : [];
      assert.deepEqual(seen.all('client-cert-chain'), chain);
    }
  });

  test('K08: a chain of more than 10 KiB arrives whole', async () => {
    const name = 'n'.repeat(60);
    const san = Array.from({ length: 150 }, (_, index) => `${index}.${name}.test`);
    const big = await guarded.ca.issue({ cn: 'big', usage: 'client', san });
    assert.ok(big.der.length > 10_240);
    const { seen } = await guarded.admits(call(big));
    assert.deepEqual(seen.all('client-cert'), [clientCert(big)]);
  });

  test('K08: one that no service would take is refused, and the log says why', async () => {
    const san = Array.from({ length: 200 }, (_, index) => `${index}.${'n'.repeat(60)}.test`);
    const huge = await guarded.ca.issue({ cn: 'huge', usage: 'client', san });
    const response = await guarded.refuses(call(huge), {
      ...{ reason: 'identity_too_large', error: 'insufficient_scope', by: ['Bearer'] },
    });
    // Found before the client is asked for its body: no 100 comes first (A24).
    const waiting = { ...call(huge), method: 'POST', headers: ['Content-Length: 2', 'Expect: 100-continue'] };
    await guarded.refuses(waiting, {
      ...{ reason: 'identity_too_large', error: 'insufficient_scope', by: ['Bearer'] },
    });
    assert.match(
      String((await guarded.sidecar.logged(response)).detail),
      /client certificate and chain of \d+/,
    );
  });

  test('K06: nothing on public routes, and what the client writes itself is removed', async () => {
    const headers = [`Client-Cert: ${clientCert(client)}`, `Client-Cert-Chain: ${clientCert(client)}`];
    const open = await guarded.admits({ token: null, target: '/public/1', tls: showing(client), headers });
    assert.deepEqual(open.seen.all('client-cert'), []);
    const { seen } = await guarded.admits({ ...call(), headers });
    assert.deepEqual(seen.all('client-cert'), [clientCert(client)]);
    assert.deepEqual(seen.all('client-cert-chain'), []);
  });

  test('K06: an untrusted certificate is not passed on, also where the token needs none', async () => {
    const self = await makeSelfSigned({ cn: 'client', usage: 'client' });
    const tls = showing(self);
    await guarded.fetchNonce({ tls });
    const { seen } = await guarded.admits({ tls });
    assert.deepEqual(seen.all('client-cert'), []);
    const trusted = await guarded.admits({ tls: showing(client) });
    assert.deepEqual(trusted.seen.all('client-cert'), [clientCert(client)]);
  });

  test('K04: neither field is in an answer, whatever the service sends', async () => {
    guarded.service.script = () =>
      'HTTP/1.1 200 OK\r\nClient-Cert: :AQ==:\r\nClient-Cert-Chain: :AQ==:\r\nContent-Length: 2\r\n\r\nok';
    const { response } = await guarded.admits(call());
    guarded.service.reset();
    assert.deepEqual([response.all('client-cert'), response.all('client-cert-chain')], [[], []]);
  });

  for (const [sent, expected] of [
    ['Client-Cert', '*'],
    ['accept, client-cert', '*'],
    ['Client-Cert-Chain', '*'],
    ['X-Client-Cert', 'X-Client-Cert'],
    ['Accept', 'Accept'],
  ] as const) {
    test(`K05: Vary: ${sent} becomes ${expected}`, async () => {
      guarded.service.script = () => `HTTP/1.1 200 OK\r\nVary: ${sent}\r\nContent-Length: 2\r\n\r\nok`;
      const { response } = await guarded.admits(call());
      guarded.service.reset();
      assert.deepEqual(response.all('vary'), [expected]);
    });
  }
});

test('K02: off by default', async (t) => {
  const guarded = await Checkpoint.start({ tls: { ca: ['ca.pem'] } });
  t.after(() => guarded.stop());
  const client = await guarded.ca.issue({ cn: 'client', usage: 'client' });
  const { seen } = await guarded.admits({ ...boundTo(guarded, client), tls: showing(client) });
  assert.deepEqual(seen.all('client-cert'), []);
});

test('K06: without CAs nothing is passed on', async (t) => {
  const guarded = await Checkpoint.start({ tls: {}, config: told });
  t.after(() => guarded.stop());
  const self = await makeSelfSigned({ cn: 'client', usage: 'client' });
  const { seen } = await guarded.admits({ ...boundTo(guarded, self), tls: showing(self) });
  assert.deepEqual(seen.all('client-cert'), []);
});

describe('behind a front that passes on certificates', () => {
  const front = '127.0.0.3';
  let ca: Ca;
  let guarded: Checkpoint;
  before(async () => {
    ca = await makeCa({ cn: 'clients' });
    guarded = await Checkpoint.start({
      origin: `https://${authority}`,
      tls: { ca: ['clients.pem'] },
      config: {
        ...told,
        listen: { trustedProxies: [{ from: [`${front}/32`], clientCertificate: 'rfc9440' }] },
      },
      files: { 'clients.pem': ca.certPem },
    });
  });
  after(() => guarded.stop());
  const call = (shown: IssuedCertificate) => ({
    ...boundTo(guarded, shown),
    ...{ headers: [`Client-Cert: ${clientCert(shown)}`], from: front },
  });

  test('K02, K06: the service gets it when it chains to the CAs here', async () => {
    const client = await ca.issue({ cn: 'client', usage: 'client' });
    const { seen } = await guarded.admits(call(client));
    assert.deepEqual(seen.all('client-cert'), [clientCert(client)]);
    const self = await makeSelfSigned({ cn: 'client', usage: 'client' });
    await guarded.refuses(call(self), {
      ...{ reason: 'client_certificate_untrusted', error: 'invalid_token', by: ['Bearer'] },
    });
  });

  test('J10: when the CAs of the listener are exchanged, what a front passes on is held against the new ones', async () => {
    const next = await makeCa({ cn: 'next' });
    const [old, fresh] = [
      await ca.issue({ cn: 'client', usage: 'client' }),
      await next.issue({ cn: 'client', usage: 'client' }),
    ];
    const untrusted = {
      reason: 'client_certificate_untrusted',
      error: 'invalid_token',
      by: ['Bearer'],
    } as const;
    await guarded.admits(call(old));
    await guarded.refuses(call(fresh), untrusted);
    guarded.sidecar.write('clients.pem', next.certPem);
    assert.equal((await reload(guarded)).event, 'config_reloaded');
    await guarded.refuses(call(old), untrusted);
    await guarded.admits(call(fresh));
  });
});
