import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as net from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { connect } from 'node:tls';
import { type Ca, type IssuedCertificate, makeCa } from '../support/certificates.js';
import { Checkpoint } from '../support/checkpoint.js';
import { until } from '../support/guarded.js';
import { boundTo, type ClientTls, reload, resume, showing, takeSession, tlsOf } from '../support/mtls.js';
import { Wire, type WireResponse } from '../support/wire.js';

const versions = ['TLSv1.2', 'TLSv1.3'] as const;
const untrusted = { reason: 'client_certificate_untrusted', error: 'invalid_token', by: ['Bearer'] } as const;

let old: Ca;
let next: Ca;
let shop: IssuedCertificate;
before(async () => {
  old = await makeCa({ cn: 'Old CA' });
  next = await makeCa({ cn: 'Next CA' });
  shop = await old.issue({ cn: 'shop', usage: 'client' });
});

/** A sidecar that trusts the old CA, and nobody of whom it has revoked anything. */
async function start(settings: Record<string, unknown> = {}): Promise<Checkpoint> {
  return Checkpoint.start({
    tls: { ca: ['partners.pem'], crl: ['revoked.pem'], ...settings },
    files: { 'partners.pem': old.certPem, 'revoked.pem': await old.revoke([]) },
  });
}

/** The ways in which the certificate of the shop comes to be worth nothing, and what OpenSSL says of it then. */
const changes: Readonly<Record<string, { cause: RegExp; make: (guarded: Checkpoint) => Promise<void> }>> = {
  'its CA was removed': {
    cause: /UNABLE_TO_/,
    make: async ({ sidecar }) => {
      sidecar.write('partners.pem', next.certPem);
      sidecar.write('revoked.pem', await next.revoke([]));
    },
  },
  'it was revoked': {
    cause: /CERT_REVOKED/,
    make: async ({ sidecar }) => sidecar.write('revoked.pem', await old.revoke([shop])),
  },
};

describe('J10: a session is resumed only under the trust that it was made under', () => {
  for (const version of versions) {
    const tls = (): ClientTls => ({ ...showing(shop), minVersion: version, maxVersion: version });

    for (const [name, { cause, make }] of Object.entries(changes)) {
      test(`J10, trap Node: a resumed session is not authorized: ${version}, ${name}`, async (t) => {
        const guarded = await start();
        t.after(() => guarded.stop());
        const session = await takeSession(guarded, tls(), boundTo(guarded, shop));
        await make(guarded);
        assert.equal((await reload(guarded)).event, 'config_reloaded');
        const bytes = guarded.service.bytes;
        const wire = await resume(guarded, session);
        wire.send(guarded.bytes(boundTo(guarded, shop)));
        const response = await wire.response();
        assert.equal(tlsOf(wire).isSessionReused(), false);
        wire.close();
        await guarded.checkRefusal(response, untrusted);
        assert.match(String((await guarded.sidecar.logged(response)).detail), cause);
        assert.equal(guarded.service.bytes, bytes, 'the service saw bytes of a refused request');
      });
    }

    test(`J10, K09: accepting twin: ${version}, nothing has changed`, async (t) => {
      const guarded = await start();
      t.after(() => guarded.stop());
      const session = await takeSession(guarded, tls(), boundTo(guarded, shop));
      assert.deepEqual((await reload(guarded)).changed, []);
      const wire = await resume(guarded, session);
      wire.send(guarded.bytes(boundTo(guarded, shop)));
      const response = await wire.response();
      assert.equal(tlsOf(wire).isSessionReused(), true);
      wire.close();
      assert.equal(response.status, 200, response.body);
      assert.deepEqual(guarded.service.last.all('x-auth-key'), [shop.thumbprint]);
    });
  }
});

describe('K09: a resumed session without a certificate has none', () => {
  for (const version of versions) {
    const tls: ClientTls = { minVersion: version, maxVersion: version };

    test(`K09: ${version}: its calls are those of a client without certificate`, async (t) => {
      const guarded = await start();
      t.after(() => guarded.stop());
      const session = await takeSession(guarded, tls, { token: null, proof: null });
      const bytes = guarded.service.bytes;
      const wire = await resume(guarded, session);
      wire.send(guarded.bytes(boundTo(guarded, shop)));
      const response = await wire.response();
      assert.equal(tlsOf(wire).isSessionReused(), true);
      wire.close();
      await guarded.checkRefusal(response, { ...untrusted, reason: 'certificate_missing' });
      assert.equal(guarded.service.bytes, bytes);
    });
  }
});

describe('J11: connections that were made under another trust end', () => {
  let guarded: Checkpoint;
  let held: net.Socket | undefined;
  before(async () => {
    guarded = await start();
  });
  after(() => guarded.stop());
  beforeEach(async () => {
    guarded.service.reset();
    guarded.sidecar.write('partners.pem', old.certPem);
    guarded.sidecar.write('revoked.pem', await old.revoke([]));
    await reload(guarded);
  });

  const open = () => Wire.open({ port: guarded.sidecar.port, tls: showing(shop) });
  const call = () => guarded.bytes(boundTo(guarded, shop));
  const revoke = async () => {
    guarded.sidecar.write('revoked.pem', await old.revoke([shop]));
    const { event, connections_ended: ended } = await reload(guarded);
    assert.equal(event, 'config_reloaded');
    return ended;
  };
  /** The service gets the request and does not answer yet. */
  const hold = async (wire: Wire, begin = '') => {
    guarded.service.script = (_, socket) => {
      held = socket;
      return begin === '' ? undefined : begin;
    };
    const before = guarded.service.requests.length;
    wire.send(call());
    await until(() => guarded.service.requests.length > before, 'the request at the service');
  };

  test('J11: one that is idle, at once', async () => {
    const wire = await open();
    wire.send(call());
    assert.equal((await wire.response()).status, 200);
    assert.equal(await revoke(), 1);
    assert.equal(await wire.closed(), '');
  });

  test('J11: one that never had a request, at once', async () => {
    const wire = await open();
    // Counted by the sidecar once its side of the handshake is done.
    const served = await open();
    served.send(call());
    await served.response();
    assert.equal(await revoke(), 2);
    assert.equal(await wire.closed(), '');
    assert.equal(await served.closed(), '');
  });

  test('J11: one that is busy, with the answer that is under way; nothing sent behind is served', async () => {
    const wire = await open();
    await hold(wire);
    wire.send(call());
    assert.equal(await revoke(), 1);
    wire.send(call());
    held?.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone');
    const response = await wire.response();
    assert.deepEqual([response.status, response.body, response.one('connection')], [200, 'done', 'close']);
    assert.equal(await wire.closed(), '');
    assert.equal(guarded.service.requests.length, 1);
  });

  test('J11: one whose answer has begun, with the end of it', async () => {
    const wire = await open();
    await hold(wire, 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf');
    await until(() => wire.unread.endsWith('half'), 'the first half');
    assert.equal(await revoke(), 1);
    wire.send(call());
    held?.write('done');
    const { status, body }: WireResponse = await wire.response();
    assert.deepEqual([status, body], [200, 'halfdone']);
    assert.equal(await wire.closed(), '');
    assert.equal(guarded.service.requests.length, 1);
  });

  test('J11: a handshake that began before ends with it', async () => {
    const raw = net.connect({ port: guarded.sidecar.port, host: '127.0.0.1' });
    await once(raw, 'connect');
    const connections = 'holdfast_connections{listener="public"}';
    await until(async () => (await guarded.sidecar.metric(connections)) === 1, 'the connection');
    await revoke();
    const socket = connect({ socket: raw, rejectUnauthorized: false, ...showing(shop) });
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('error', () => {});
    socket.write(call());
    await once(socket, 'close');
    assert.equal(answer, '');
    assert.deepEqual(guarded.service.requests, []);
  });

  test('J11: accepting twin: a new certificate of the listener ends nothing, not even a handshake', async () => {
    const raw = net.connect({ port: guarded.sidecar.port, host: '127.0.0.1' });
    await once(raw, 'connect');
    const wire = await open();
    wire.send(call());
    await wire.response();
    const server = await guarded.ca.issue({ cn: 'renewed', usage: 'server' });
    guarded.sidecar.write('server.pem', server.certPem);
    guarded.sidecar.write('server.key', server.keyPem);
    const { changed, connections_ended: ended } = await reload(guarded);
    assert.deepEqual([changed, ended], [['certificate', 'key'], 0]);
    wire.send(call());
    assert.equal((await wire.response()).status, 200);
    wire.close();
    const socket = connect({ socket: raw, rejectUnauthorized: false, ...showing(shop) });
    socket.write(call());
    const [answer] = await once(socket, 'data');
    assert.match(String(answer), /^HTTP\/1\.1 200 /);
    socket.destroy();
    const fresh = await open();
    assert.equal(tlsOf(fresh).getPeerX509Certificate()?.subject, 'CN=renewed');
    fresh.close();
  });
});

test('J11: a request that waits for its place does not get to the service when its grounds have changed', async (t) => {
  const guarded = await Checkpoint.start({
    tls: { ca: ['partners.pem'] },
    files: { 'partners.pem': old.certPem },
    config: { routes: [{ path: '/public/**', proof: 'none' }, { path: '/**' }] },
    upstream: { connections: 1, queue: { length: 10, wait: '30s' } },
  });
  t.after(() => guarded.stop());
  await guarded.fetchNonce();
  let release = () => {};
  guarded.service.script = (_, socket) => {
    release = () => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    return undefined;
  };
  const send = async (bytes: string, tls: ClientTls): Promise<Wire> => {
    const wire = await Wire.open({ port: guarded.sidecar.port, tls });
    wire.send(bytes);
    return wire;
  };
  const first = await send(guarded.bytes({ target: '/public/first', token: null }), {});
  await until(() => guarded.service.requests.length === 1, 'the place is taken');
  guarded.service.script = () => 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
  const verified = () =>
    guarded.sidecar.metric('holdfast_signature_verifications_total{kind="token",result="ok"}');
  const before = await verified();
  const waiting = {
    bound: await send(guarded.bytes(boundTo(guarded, shop)), showing(shop)),
    // Twin: what does not rest on the certificate.
    proven: await send(guarded.bytes({}), showing(shop)),
  };
  await until(async () => (await verified()) === before + 2, 'both are decided on');
  // A turn of the process.
  await guarded.sidecar.admin('/livez');
  guarded.sidecar.write('partners.pem', next.certPem);
  assert.equal((await reload(guarded)).event, 'config_reloaded');
  release();
  assert.equal((await first.response()).status, 200);
  const refused = await waiting.bound.response();
  assert.equal(refused.status, 401);
  assert.equal((await guarded.sidecar.logged(refused)).reason, 'client_certificate_untrusted');
  assert.equal((await waiting.proven.response()).status, 200);
  assert.equal(guarded.service.requests.length, 2, 'the first and the twin');
});
