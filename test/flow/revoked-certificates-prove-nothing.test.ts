import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Ca, type IssuedCertificate, makeCa } from '../support/certificates.js';
import { Checkpoint } from '../support/checkpoint.js';
import { boundTo, showing } from '../support/mtls.js';
import { Wire } from '../support/wire.js';

const untrusted = { reason: 'client_certificate_untrusted', error: 'invalid_token', by: ['Bearer'] } as const;
const dayMs = 86_400_000;

describe('J15: with revocation lists every CA of a chain needs one', () => {
  let guarded: Checkpoint;
  let listed: Ca;
  const shown = new Map<string, { certificate: IssuedCertificate; chain?: string }>();
  before(async () => {
    listed = await makeCa({ cn: 'Listed CA' });
    const issuing = await listed.issueCa({ cn: 'Issuing CA' });
    const withdrawn = await listed.issueCa({ cn: 'Withdrawn CA' });
    const unlisted = await makeCa({ cn: 'Unlisted CA' });
    const stale = await makeCa({ cn: 'Stale CA' });
    const usage = 'client';
    const add = async (name: string, ca: Ca, chain?: string) =>
      shown.set(name, { certificate: await ca.issue({ cn: name, usage }), ...(chain && { chain }) });
    await add('good', listed);
    await add('revoked', listed);
    await add('good, by an intermediate', issuing, issuing.certPem);
    await add('revoked, by an intermediate', issuing, issuing.certPem);
    await add('of a revoked intermediate', withdrawn, withdrawn.certPem);
    await add('of a CA without list', unlisted);
    await add('of a CA whose list is out of date', stale);
    const old = { thisUpdate: new Date(Date.now() - 2 * dayMs), nextUpdate: new Date(Date.now() - dayMs) };
    const asCertificate = async (ca: Ca): Promise<IssuedCertificate> => ({
      ...certificate('good'),
      der: Buffer.from(ca.certPem.replace(/-----[^-]+-----/g, ''), 'base64'),
    });
    // Two lists in one file: Node takes the first of what it is given.
    const lists = [
      await listed.revoke([certificate('revoked'), await asCertificate(withdrawn)]),
      await issuing.revoke([certificate('revoked, by an intermediate')]),
    ];
    guarded = await Checkpoint.start({
      tls: { ca: ['partners.pem'], crl: ['lists.pem', 'more.pem'] },
      files: {
        'partners.pem': listed.certPem + unlisted.certPem + stale.certPem,
        'lists.pem': lists.join(''),
        // An older list of the same CA, which did not revoke anything yet, does not count beside the newer one.
        'more.pem': (await stale.revoke([], old)) + (await listed.revoke([], { thisUpdate: old.thisUpdate })),
      },
    });
  });
  after(() => guarded.stop());

  function certificate(name: string): IssuedCertificate {
    const found = shown.get(name)?.certificate;
    assert.ok(found !== undefined);
    return found;
  }

  function call(name: string) {
    const { certPem, keyPem } = certificate(name);
    return {
      ...boundTo(guarded, certificate(name)),
      tls: { cert: certPem + (shown.get(name)?.chain ?? ''), key: keyPem },
    };
  }

  for (const name of ['good', 'good, by an intermediate']) {
    test(`J15: accepting twin: ${name}`, async () => {
      await guarded.admits(call(name));
    });
  }
  for (const [name, cause] of Object.entries({
    revoked: 'CERT_REVOKED',
    'revoked, by an intermediate': 'CERT_REVOKED',
    'of a revoked intermediate': 'CERT_REVOKED',
    'of a CA without list': 'UNABLE_TO_GET_CRL',
    'of a CA whose list is out of date': 'CRL_HAS_EXPIRED',
  })) {
    test(`J15, J06: ${name}`, async () => {
      const response = await guarded.refuses(call(name), untrusted);
      const { detail } = await guarded.sidecar.logged(response);
      assert.ok(String(detail).includes(cause), String(detail));
    });
  }
  test('J15: what no certificate can be good with is warned about at the start', () => {
    const warnings = guarded.sidecar.child.events.filter(({ event }) => event === 'config_warning');
    const details = warnings.map(({ detail }) => String(detail));
    assert.ok(
      details.some((one) => /out of date/.test(one)),
      details.join(),
    );
    assert.ok(
      details.some((one) => /no list of CN=Unlisted CA/.test(one)),
      details.join(),
    );
    assert.equal(details.length, 2);
  });
});

test('J15, J06: mode required refuses a revoked certificate in the handshake', async (t) => {
  const ca = await makeCa();
  const good = await ca.issue({ cn: 'good', usage: 'client' });
  const revoked = await ca.issue({ cn: 'revoked', usage: 'client' });
  const guarded = await Checkpoint.start({
    tls: { mode: 'required', ca: ['partners.pem'], crl: ['revoked.pem'] },
    files: { 'partners.pem': ca.certPem, 'revoked.pem': await ca.revoke([revoked]) },
  });
  t.after(() => guarded.stop());
  const wire = await Wire.open({ port: guarded.sidecar.port, tls: showing(revoked) });
  wire.send(guarded.bytes(boundTo(guarded, revoked)));
  assert.equal(await wire.closed(), '');
  assert.deepEqual(guarded.service.requests, []);
  await guarded.admits({ ...boundTo(guarded, good), tls: showing(good) });
});
