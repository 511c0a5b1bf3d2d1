import assert from 'node:assert/strict';
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Ca, type IssuedCertificate, makeCa, makeSelfSigned } from '../support/certificates.js';
import { Checkpoint } from '../support/checkpoint.js';
import { boundTo, reload, showing, tlsOf } from '../support/mtls.js';
import { authority } from '../support/sidecar.js';
import { Wire } from '../support/wire.js';

let ca: Ca;
let shop: IssuedCertificate;
let revoked: IssuedCertificate;
before(async () => {
  ca = await makeCa({ cn: 'Partner CA' });
  shop = await ca.issue({ cn: 'shop', usage: 'client' });
  revoked = await ca.issue({ cn: 'revoked', usage: 'client' });
});

const untrusted = { reason: 'client_certificate_untrusted', error: 'invalid_token', by: ['Bearer'] } as const;
const reloads = (result: string) => `holdfast_config_reload_total{result="${result}"}`;
const expiry = (name: string) => `holdfast_certificate_expiry_timestamp_seconds{certificate="${name}"}`;

async function start(settings: Record<string, unknown> = {}): Promise<Checkpoint> {
  return Checkpoint.start({
    tls: { ca: ['partners.pem'], crl: ['revoked.pem'], ...settings },
    files: { 'partners.pem': ca.certPem, 'revoked.pem': await ca.revoke([revoked]) },
  });
}

async function renewServer({ sidecar, ca: issuer }: Checkpoint, cn: string, notAfter?: Date) {
  const server = await issuer.issue({ cn, usage: 'server', ...(notAfter && { notAfter }) });
  sidecar.write('server.pem', server.certPem);
  sidecar.write('server.key', server.keyPem);
  return server;
}

describe('J15: what cannot be used leaves in force what is', () => {
  let guarded: Checkpoint;
  before(async () => {
    guarded = await start();
  });
  after(() => guarded.stop());

  const serverName = async () => {
    const wire = await Wire.open({ port: guarded.sidecar.port, tls: {} });
    const subject = tlsOf(wire).getPeerX509Certificate()?.subject;
    wire.close();
    return subject;
  };
  const status = async () => JSON.parse((await guarded.sidecar.admin('/status')).text);

  const bad: Readonly<Record<string, { path: string; spoil: () => Promise<void> | void }>> = {
    'a revocation list that is none': {
      path: 'listen.tls.clientCertificates.crl[0]',
      spoil: () => guarded.sidecar.write('revoked.pem', 'nobody'),
    },
    'a revocation list that was cut off': {
      path: 'listen.tls.clientCertificates.crl[0]',
      spoil: async () => {
        const list = await ca.revoke([]);
        guarded.sidecar.write('revoked.pem', list + list.slice(0, -40));
      },
    },
    'a revocation list in the name of a CA that has not signed it': {
      path: 'listen.tls.clientCertificates.crl[0]',
      spoil: async () => {
        const namesake = await makeCa({ cn: 'Partner CA' });
        guarded.sidecar.write('revoked.pem', await namesake.revoke([]));
      },
    },
    'a CA that was cut off behind a good one': {
      path: 'listen.tls.clientCertificates.ca[0]',
      spoil: () => guarded.sidecar.write('partners.pem', ca.certPem + ca.certPem.slice(0, -40)),
    },
    'a key of another certificate': {
      path: 'listen.tls.key',
      spoil: async () => {
        const { keyPem } = await makeSelfSigned({ cn: 'other', usage: 'server' });
        guarded.sidecar.write('server.key', keyPem);
      },
    },
    'an empty certificate': {
      path: 'listen.tls.certificate',
      spoil: () => guarded.sidecar.write('server.pem', ''),
    },
  };
  for (const [name, { path, spoil }] of Object.entries(bad)) {
    test(`J14, J15, S05: ${name}`, async () => {
      const before = await guarded.sidecar.metric(reloads('error'));
      // The rest of the files is good, and is not taken either.
      await renewServer(guarded, 'not in force');
      await spoil();
      const connection = await Wire.open({ port: guarded.sidecar.port, tls: showing(shop) });
      const { event, level, detail } = await reload(guarded);
      assert.deepEqual([event, level], ['config_not_reloaded', 'error']);
      assert.ok(String(detail).startsWith(`${path}: `), String(detail));
      assert.equal(await guarded.sidecar.metric(reloads('error')), before + 1);
      assert.equal(await guarded.sidecar.metric('holdfast_config_last_reload_successful'), 0);
      const { result, problems } = (await status()).reload;
      assert.equal(result, 'error');
      assert.ok(problems.length > 0);

      assert.equal(await serverName(), `CN=${authority}`);
      connection.send(guarded.bytes(boundTo(guarded, shop)));
      assert.equal((await connection.response()).status, 200);
      connection.close();
      const tls = showing(revoked);
      await guarded.refuses({ ...boundTo(guarded, revoked), tls }, untrusted);
      await guarded.admits({ ...boundTo(guarded, shop), tls: showing(shop) });
      await repair();
    });
  }

  /** The files of the start; the sidecar has to say that all is well again. */
  const repair = async () => {
    guarded.sidecar.write('partners.pem', ca.certPem);
    guarded.sidecar.write('revoked.pem', await ca.revoke([revoked]));
    await renewServer(guarded, authority);
    assert.equal((await reload(guarded)).event, 'config_reloaded');
    assert.equal(await guarded.sidecar.metric('holdfast_config_last_reload_successful'), 1);
    assert.equal((await status()).reload.result, 'ok');
  };
});

describe('J14: a new context has everything that the first one had', () => {
  let guarded: Checkpoint;
  let endsAt: Date;
  before(async () => {
    guarded = await start();
    endsAt = new Date(Math.ceil(Date.now() / 1000) * 1000 + 7_200_000);
    await renewServer(guarded, 'renewed', endsAt);
    guarded.sidecar.write('revoked.pem', await ca.revoke([revoked], { nextUpdate: endsAt }));
    const { event, changed } = await reload(guarded);
    assert.equal(event, 'config_reloaded');
    assert.deepEqual(changed, ['certificate', 'key', 'crl']);
  });
  after(() => guarded.stop());

  test('J14: it shows the new certificate, and metrics and status tell its end', async () => {
    const wire = await Wire.open({ port: guarded.sidecar.port, tls: {} });
    assert.equal(tlsOf(wire).getPeerX509Certificate()?.subject, 'CN=renewed');
    wire.close();
    for (const name of ['listener', 'client-crl'])
      assert.equal(await guarded.sidecar.metric(expiry(name)), endsAt.getTime() / 1000);
    assert.ok((await guarded.sidecar.metric(expiry('client-ca'))) > endsAt.getTime() / 1000);
    const { certificates } = JSON.parse((await guarded.sidecar.admin('/status')).text);
    assert.deepEqual(certificates[0], { name: 'listener', expires: endsAt.toISOString() });
    assert.equal(await guarded.sidecar.metric(reloads('ok')), 1);
  });
  test('J14, J06, trap Node: setSecureContext keeps requestCert, the CAs and the lists', async () => {
    await guarded.admits({ ...boundTo(guarded, shop), tls: showing(shop) });
    const response = await guarded.refuses(
      { ...boundTo(guarded, revoked), tls: showing(revoked) },
      untrusted,
    );
    assert.match(String((await guarded.sidecar.logged(response)).detail), /CERT_REVOKED/);
  });
  for (const maxVersion of ['TLSv1', 'TLSv1.1'] as const) {
    test(`J13, J14: ${maxVersion} is still refused`, async () => {
      const tls = { minVersion: 'TLSv1', maxVersion, ciphers: 'DEFAULT@SECLEVEL=0' } as const;
      await assert.rejects(Wire.open({ port: guarded.sidecar.port, tls }), /alert protocol version/);
    });
  }
  test('J13, J14: so is renegotiation', async () => {
    const tls = { ...showing(shop), maxVersion: 'TLSv1.2' } as const;
    const wire = await Wire.open({ port: guarded.sidecar.port, tls });
    const outcome = await new Promise((resolve) => {
      wire.socket.once('error', resolve);
      tlsOf(wire).renegotiate({}, (error) => resolve(error ?? 'renegotiated'));
    });
    assert.match(String(outcome), /no.renegotiation/i);
    wire.close();
  });
  test('J14, A22: http/1.1 alone is spoken', async () => {
    const tls = { ALPNProtocols: ['h2', 'http/1.1'] };
    const wire = await Wire.open({ port: guarded.sidecar.port, tls });
    assert.equal(tlsOf(wire).alpnProtocol, 'http/1.1');
    wire.close();
  });
});

test('J14, J06, trap Node: setSecureContext keeps mode required and a minimum of TLS 1.3', async (t) => {
  const guarded = await Checkpoint.start({
    config: {
      listen: {
        tls: {
          certificate: 'server.pem',
          key: 'server.key',
          minVersion: 'TLSv1.3',
          clientCertificates: { mode: 'required', ca: ['ca.pem'] },
        },
      },
    },
    tls: {},
  });
  t.after(() => guarded.stop());
  const good = await guarded.ca.issue({ cn: 'good', usage: 'client' });
  await renewServer(guarded, 'renewed');
  assert.equal((await reload(guarded)).event, 'config_reloaded');
  await assert.rejects(
    Wire.open({ port: guarded.sidecar.port, tls: { ...showing(good), maxVersion: 'TLSv1.2' } }),
    /alert protocol version/,
  );
  for (const tls of [{}, showing(shop)]) {
    const wire = await Wire.open({ port: guarded.sidecar.port, tls });
    wire.send(guarded.bytes(boundTo(guarded, good)));
    assert.equal(await wire.closed(), '');
  }
  assert.deepEqual(guarded.service.requests, []);
  await guarded.admits({ ...boundTo(guarded, good), tls: showing(good) });
});

test('S05: files that change through links, as in Kubernetes, are found without a signal', async (t) => {
  const volume = await Checkpoint.start({
    tls: { ca: ['partners.pem'] },
    files: { 'partners.pem': ca.certPem },
  });
  t.after(() => volume.stop());
  // The names stay what they are, and lead through one link that is replaced.
  const { sidecar } = volume;
  const publish = (version: string, { certPem, keyPem }: IssuedCertificate) => {
    mkdirSync(sidecar.path(version));
    writeFileSync(sidecar.path(join(version, 'server.pem')), certPem);
    writeFileSync(sidecar.path(join(version, 'server.key')), keyPem);
    symlinkSync(version, sidecar.path('..data_tmp'));
    renameSync(sidecar.path('..data_tmp'), sidecar.path('..data'));
  };
  const link = (name: string) => {
    symlinkSync(join('..data', name), sidecar.path(`${name}.link`));
    renameSync(sidecar.path(`${name}.link`), sidecar.path(name));
  };
  publish('..one', await volume.ca.issue({ cn: 'one', usage: 'server' }));
  link('server.pem');
  link('server.key');
  await reload(volume);
  const swapped = sidecar.child.events.length;
  publish('..two', await volume.ca.issue({ cn: 'two', usage: 'server' }));
  await sidecar.child.event(
    (event) => event.event === 'config_reloaded' && sidecar.child.events.indexOf(event) >= swapped,
  );
  const wire = await Wire.open({ port: sidecar.port, tls: {} });
  assert.equal(tlsOf(wire).getPeerX509Certificate()?.subject, 'CN=two');
  wire.close();
  assert.deepEqual(
    sidecar.child.events.filter(({ event }) => event === 'config_not_reloaded'),
    [],
  );
});

test('S05: SIGHUP ends nothing where there is nothing to reload', async (t) => {
  const guarded = await Checkpoint.start();
  t.after(() => guarded.stop());
  guarded.sidecar.child.signal('SIGHUP');
  await guarded.sidecar.child.event(({ event, signal }) => event === 'signal_ignored' && signal === 'SIGHUP');
  await guarded.fetchNonce();
  await guarded.admits();
});
