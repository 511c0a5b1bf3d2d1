import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type Ca, type IssuedCertificate, makeCa, makeSelfSigned } from '../support/certificates.js';
import { Checkpoint, type Refused } from '../support/checkpoint.js';
import { boundTo, showing } from '../support/mtls.js';
import { tellsIntermediates } from '../support/node-release.js';
import { shiftableClock, shiftClock } from '../support/shiftable-clock.js';
import { Wire } from '../support/wire.js';

const minuteMs = 60_000;
const stepMs = 31 * minuteMs;
const soon = () => new Date(Date.now() + 30 * minuteMs);
const untrusted: Refused = {
  reason: 'client_certificate_untrusted',
  error: 'invalid_token',
  by: ['Bearer'],
};

let ca: Ca;
before(async () => {
  ca = await makeCa();
});

function start(clientCertificates: Record<string, unknown>, files: Record<string, string> = {}) {
  return Checkpoint.start({
    tls: clientCertificates,
    files: { 'partners.pem': ca.certPem, ...files },
    nodeArgs: shiftableClock([stepMs]),
  });
}

/** One call before the clock moves, and one after it, on the same connection. The token outlives both. */
async function callTwice(guarded: Checkpoint, shown: IssuedCertificate & { readonly chain?: string }) {
  const { certPem, keyPem, chain = '' } = shown;
  const wire = await Wire.open({ port: guarded.sidecar.port, tls: { cert: certPem + chain, key: keyPem } });
  const seconds = Math.floor(Date.now() / 1000);
  const token = guarded.token({ exp: seconds + 7200, cnf: { 'x5t#S256': shown.thumbprint } });
  const call = guarded.bytes({ ...boundTo(guarded, shown), token });
  wire.send(call);
  const first = await wire.response();
  assert.equal(first.status, 200, first.body);
  await shiftClock(guarded.sidecar, 1);
  const bytes = guarded.service.bytes;
  wire.send(call);
  const second = await wire.response();
  wire.close();
  return { second, bytes };
}

describe('J12: a client certificate that ends while its connection goes on', () => {
  const cases: Readonly<Record<string, () => Promise<IssuedCertificate & { readonly chain?: string }>>> = {
    'the certificate itself': () => ca.issue({ cn: 'shop', usage: 'client', notAfter: soon() }),
    ...(tellsIntermediates && {
      'the intermediate that vouches for it': async () => {
        const issuing = await ca.issueCa({ cn: 'Issuing CA', notAfter: soon() });
        return { ...(await issuing.issue({ cn: 'shop', usage: 'client' })), chain: issuing.certPem };
      },
    }),
  };
  const rows = Object.entries(cases).flatMap(([name, make]) =>
    (['optional', 'required'] as const).map((mode) => ({ name, make, mode })),
  );
  for (const { name, make, mode } of rows) {
    test(`J12: ${name}, mode ${mode}`, async (t) => {
      const guarded = await start({ mode, ca: ['partners.pem'] });
      t.after(() => guarded.stop());
      const { second, bytes } = await callTwice(guarded, await make());
      await guarded.checkRefusal(second, untrusted);
      assert.match(String((await guarded.sidecar.logged(second)).detail), /CERT_HAS_EXPIRED/);
      assert.equal(guarded.service.bytes, bytes, 'the service saw bytes of a refused request');
    });
  }

  test('J12: accepting twin: one that does not end', async (t) => {
    const guarded = await start({ ca: ['partners.pem'] });
    t.after(() => guarded.stop());
    const { second } = await callTwice(guarded, await ca.issue({ cn: 'shop', usage: 'client' }));
    assert.equal(second.status, 200, second.body);
  });

  test('J12: RFC 8705 §6.2: without CAs the dates of a certificate count as little as its names', async (t) => {
    const guarded = await start({});
    t.after(() => guarded.stop());
    const shown = await makeSelfSigned({ cn: 'shop', usage: 'client', notAfter: soon() });
    const { second } = await callTwice(guarded, shown);
    assert.equal(second.status, 200, second.body);
  });
});

describe('J10, J11: a CA or a revocation list that ends takes its verdicts along', () => {
  const cases: Readonly<Record<string, () => Promise<Record<string, string>>>> = {
    'a CA': async () => {
      const ending = await makeCa({ cn: 'Ending CA', notAfter: soon() });
      return {
        'partners.pem': ca.certPem + ending.certPem,
        'revoked.pem': (await ca.revoke([])) + (await ending.revoke([])),
      };
    },
    'a revocation list': async () => ({ 'revoked.pem': await ca.revoke([], { nextUpdate: soon() }) }),
  };
  for (const [name, files] of Object.entries(cases)) {
    test(`J11: ${name}`, async (t) => {
      const guarded = await start({ ca: ['partners.pem'], crl: ['revoked.pem'] }, await files());
      t.after(() => guarded.stop());
      const shop = await ca.issue({ cn: 'shop', usage: 'client' });
      const wire = await Wire.open({ port: guarded.sidecar.port, tls: showing(shop) });
      wire.send(guarded.bytes(boundTo(guarded, shop)));
      assert.equal((await wire.response()).status, 200);
      await shiftClock(guarded.sidecar, 1);
      assert.equal(await wire.closed(), '');
      const event = await guarded.sidecar.child.event((one) => one.event === 'client_trust_ended');
      assert.equal(event.connections_ended, 1);
    });
  }
});
