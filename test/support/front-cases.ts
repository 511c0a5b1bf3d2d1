import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Ca, type IssuedCertificate, makeCa, makeSelfSigned } from './certificates.js';
import { Fronted, type Setup } from './fronted.js';
import { frontAddress } from './fronts.js';
import { until } from './guarded.js';
import { boundTo, showing, tlsOf } from './mtls.js';
import { describeWith } from './needed.js';
import { authority } from './sidecar.js';
import { handshake, switching, websocketAccept } from './websocket.js';

/**
 * Defines the tests that every front has to pass with the configuration of docs/fronts.md.
 * @param skip - why they cannot run
 */
export function describeFront(setup: Setup, skip: string | false = false): void {
  const { dialect, forge } = setup;
  const program = `${setup.program}${setup.http2 ? ', to which clients speak HTTP/2,' : ''}`;

  describeWith(skip, `${program} ends TLS and passes on certificates as ${dialect}`, () => {
    let fronted: Fronted;
    let one: IssuedCertificate;
    let other: IssuedCertificate;
    before(async () => {
      fronted = await Fronted.start(setup);
      one = await makeSelfSigned({ cn: 'client', usage: 'client' });
      other = await makeSelfSigned({ cn: 'client', usage: 'client' });
    });
    after(() => fronted?.stop());

    test('K07: a token that is bound to the certificate of the handshake passes', async () => {
      const { seen, response } = await fronted.admits({
        ...boundTo(fronted.guarded, one),
        tls: showing(one),
      });
      assert.deepEqual(seen.all('x-auth-proof'), ['mtls']);
      assert.deepEqual(seen.all('x-auth-key'), [one.thumbprint]);
      const [client = ''] = seen.all('x-forwarded-for');
      if (setup.tellsLoopback) assert.equal(client, '127.0.0.1');
      else assert.ok(isIP(client) > 0 && client !== frontAddress, client);
      assert.deepEqual(seen.all('x-forwarded-proto'), ['https']);
      assert.equal((await fronted.guarded.sidecar.logged(response)).remote_address, client);
      if (setup.requestId !== undefined) assert.match(response.one('x-request-id') ?? '', setup.requestId);
    });

    test('K07: another certificate, or none', async () => {
      const call = boundTo(fronted.guarded, one);
      await fronted.refuses({ ...call, tls: showing(other) }, 'certificate_thumbprint_mismatch');
      await fronted.refuses(call, 'certificate_missing');
    });

    test('K01: a header that the client forges is overwritten by the front', async () => {
      const call = { ...boundTo(fronted.guarded, one), headers: [forge(one)] };
      await fronted.refuses({ ...call, tls: showing(other) }, 'certificate_thumbprint_mismatch');
      await fronted.refuses(call, 'certificate_missing');
      const { seen } = await fronted.admits({ ...call, headers: [forge(other)], tls: showing(one) });
      assert.deepEqual(seen.all('x-auth-key'), [one.thumbprint]);
    });

    test('K01: past the front the same header is removed and ignored', async () => {
      const { guarded } = fronted;
      await guarded.refuses(
        { ...boundTo(guarded, one), headers: [forge(one)], from: '127.0.0.2' },
        { reason: 'certificate_missing', error: 'invalid_token', by: ['Bearer'] },
      );
    });

    test('L01: identity headers that a client sends through the front are removed', async () => {
      const headers = ['X-Auth-Subject: admin', 'Remote-User: admin', 'X-Forwarded-User: admin'];
      const { seen } = await fronted.admits({ ...boundTo(fronted.guarded, one), tls: showing(one), headers });
      assert.doesNotMatch(JSON.stringify(seen.headers), /admin/);
    });

    test('B08: of what the client says of itself nothing is believed', async () => {
      const headers = [
        'X-Forwarded-For: 6.6.6.6',
        'X-Forwarded-Proto: http',
        'X-Forwarded-Host: other.test',
        'X-Request-Id: chosen-by-the-client',
      ];
      const call = { ...boundTo(fronted.guarded, one), tls: showing(one), headers };
      const { seen, response } = await fronted.admits(call);
      assert.deepEqual(seen.all('x-forwarded-proto'), ['https']);
      assert.deepEqual(seen.all('x-forwarded-host'), [authority]);
      assert.notDeepEqual(seen.all('x-forwarded-for'), ['6.6.6.6']);
      assert.notEqual(response.one('x-request-id'), 'chosen-by-the-client');
    });

    test('G12: a DPoP proof names the URI that the client addresses, and no other', async () => {
      const { guarded } = fronted;
      await fronted.fetchNonce();
      const target = '/a%20b/c?d=e';
      const { seen } = await fronted.admits({ target });
      assert.equal(seen.line, `GET ${target} HTTP/1.1`);
      assert.deepEqual(seen.all('x-auth-proof'), ['dpop']);
      const token = guarded.token();
      for (const uri of [`http://${authority}/a%20b/c`, `https://127.0.0.1:${guarded.sidecar.port}/a%20b/c`])
        await fronted.refuses({ target, token, proof: guarded.proof({ token, uri }) }, 'dpop_htu_mismatch');
    });

    test('O01: the refusal of a request with a large body reaches the client', async () => {
      const body = 'x'.repeat(900_000);
      const headers = [`Content-Length: ${body.length}`];
      const call = { ...boundTo(fronted.guarded, one), method: 'POST', body, headers };
      await fronted.refuses({ ...call, tls: showing(other) }, 'certificate_thumbprint_mismatch');
    });

    test('K07: a body goes through whole', async () => {
      const body = 'x'.repeat(100_000);
      const { seen } = await fronted.admits({
        ...boundTo(fronted.guarded, one),
        ...{ method: 'POST', tls: showing(one), body, headers: [`Content-Length: ${body.length}`] },
      });
      assert.equal(seen.rawBody, body);
    });

    // These write to the connection themselves.
    if (setup.http2) return;

    test('K09: a resumed session has the certificate still, and lends it to nobody', async () => {
      const call = { ...boundTo(fronted.guarded, one), tls: showing(one) };
      const wire = await fronted.open(call.tls);
      wire.send(fronted.guarded.bytes(call));
      assert.equal((await wire.response()).status, 200);
      const session = tlsOf(wire).getSession();
      wire.close();
      const again = await fronted.open({ ...call.tls, session });
      assert.ok(tlsOf(again).isSessionReused());
      again.send(fronted.guarded.bytes(call));
      assert.equal((await again.response()).status, 200);
      again.close();
      await fronted.refuses({ ...call, tls: showing(other) }, 'certificate_thumbprint_mismatch');
    });

    test('A23: a WebSocket goes through, and only with the certificate', async (t) => {
      const { service } = fronted.guarded;
      t.after(() => service.reset());
      const call = { ...boundTo(fronted.guarded, one), headers: handshake };
      await fronted.refuses({ ...call, tls: showing(other) }, 'certificate_thumbprint_mismatch');
      service.script = (seen, socket) => {
        socket.on('data', (chunk: Buffer) => socket.write(`echo ${chunk}`));
        return switching(seen);
      };
      const wire = await fronted.open(showing(one));
      wire.send(fronted.guarded.bytes(call));
      const response = await wire.response();
      assert.equal(response.status, 101, response.body);
      assert.equal(response.one('sec-websocket-accept'), websocketAccept);
      wire.send('frames');
      await until(() => wire.unread === 'echo frames', 'the echo');
      wire.close();
    });
  });

  describeWith(skip, `${program} before a unix socket, with CAs`, () => {
    let fronted: Fronted;
    let ca: Ca;
    let folder: string;
    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'holdfast-socket-'));
      ca = await makeCa({ cn: 'clients' });
      fronted = await Fronted.start(setup, { ca, socket: join(folder, 'holdfast.sock') });
    });
    after(async () => {
      await fronted?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    test('K07, J06: the certificate of the CA passes, one that the front let in without knowing its CA does not', async () => {
      const good = await ca.issue({ cn: 'client', usage: 'client' });
      const { seen } = await fronted.admits({ ...boundTo(fronted.guarded, good), tls: showing(good) });
      assert.deepEqual(seen.all('x-auth-key'), [good.thumbprint]);
      const self = await makeSelfSigned({ cn: 'client', usage: 'client' });
      await fronted.refuses(
        { ...boundTo(fronted.guarded, self), tls: showing(self) },
        'client_certificate_untrusted',
      );
    });
  });

  describeWith(skip, `${program} strips a path prefix`, () => {
    for (const pathPrefix of ['/svc1', '']) {
      test(`G13: a proof for the public URI passes ${pathPrefix === '' ? 'not without' : 'with'} listen.pathPrefix`, async (t) => {
        const fronted = await Fronted.start(setup, { pathPrefix, prefix: '/svc1' });
        t.after(() => fronted.stop());
        const { guarded } = fronted;
        const token = guarded.token();
        const target = '/svc1/a?b=c';
        const outer = () => guarded.proof({ token, target: '/svc1/a' });
        if (pathPrefix === '') return fronted.refuses({ target, token, proof: outer() }, 'dpop_htu_mismatch');
        await fronted.fetchNonce(target);
        const call = { target, token, proof: outer() };
        const { seen } = await fronted.admits(call);
        assert.equal(seen.line, 'GET /a?b=c HTTP/1.1');
        assert.deepEqual(seen.all('x-forwarded-prefix'), ['/svc1']);
        const inner = { ...call, proof: guarded.proof({ token, target: '/a' }) };
        await fronted.refuses(inner, 'dpop_htu_mismatch');
      });
    }
  });
}
