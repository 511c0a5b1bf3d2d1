import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Ca, type IssuedCertificate, makeCa, makeSelfSigned } from '../support/certificates.js';
import { type Call, Checkpoint } from '../support/checkpoint.js';
import { clientCert, nginxEscaped } from '../support/client-cert-dialects.js';
import {
  Front,
  type FrontProgram,
  frontAddress,
  haproxyConfig,
  hasProgram,
  nginxConfig,
  type Site,
} from '../support/fronts.js';
import { boundTo, showing } from '../support/mtls.js';
import { authority } from '../support/sidecar.js';
import { exchange, type WireResponse } from '../support/wire.js';

const origin = `https://${authority}`;

/** One way to put a front before the sidecar. */
interface Setup {
  readonly program: FrontProgram;
  readonly dialect: string;
  /** the field that carries the certificate, as its client would forge it */
  forge(certificate: IssuedCertificate): string;
  readonly configure: (port: number, site: Site) => string;
}

const setups: readonly Setup[] = [
  {
    program: 'nginx',
    dialect: 'nginx-escaped-pem',
    forge: ({ certPem }) => `ssl-client-cert: ${nginxEscaped(certPem)}`,
    configure: nginxConfig,
  },
  {
    program: 'haproxy',
    dialect: 'rfc9440',
    forge: (certificate) => `Client-Cert: ${clientCert(certificate)}`,
    configure: haproxyConfig,
  },
];

/** A sidecar, the front before it, and the service behind. */
class Fronted {
  readonly guarded: Checkpoint;
  readonly front: Front;

  private constructor(guarded: Checkpoint, front: Front) {
    this.guarded = guarded;
    this.front = front;
  }

  static async start(
    { program, dialect, configure }: Setup,
    {
      ca,
      socket,
      pathPrefix,
      prefix = '',
    }: { ca?: Ca; socket?: string; pathPrefix?: string; prefix?: string },
  ): Promise<Fronted> {
    const from = socket === undefined ? [`${frontAddress}/32`] : ['unix'];
    const entry = { from, clientCertificate: dialect, ...(ca && { ca: ['clients.pem'] }) };
    const guarded = await Checkpoint.start({
      origin,
      config: {
        listen: {
          trustedProxies: [entry],
          ...(socket && { address: `unix:${socket}` }),
          ...(pathPrefix && { pathPrefix }),
        },
      },
      files: ca === undefined ? {} : { 'clients.pem': ca.certPem },
    });
    const server = await guarded.ca.issue({ cn: authority, usage: 'server', san: [authority] });
    const front = await Front.start({
      program,
      files: {
        'server.pem': server.certPem,
        'server.key': server.keyPem,
        'server-and-key.pem': server.certPem + server.keyPem,
        'ca.pem': guarded.ca.certPem,
      },
      configure: (port) =>
        configure(port, { upstream: socket ?? `127.0.0.1:${guarded.sidecar.port}`, prefix }),
    });
    return new Fronted(guarded, front);
  }

  /** Sends a call through the front. */
  send(call: Call): Promise<WireResponse> {
    return exchange({ port: this.front.port, tls: call.tls ?? {} }, this.guarded.bytes(call));
  }

  async admits(call: Call) {
    const before = this.guarded.service.requests.length;
    const response = await this.send(call);
    assert.equal(response.status, 200, `${response.body} ${this.front.text}`);
    assert.equal(this.guarded.service.requests.length, before + 1);
    return { seen: this.guarded.service.last, response };
  }

  /** Holds when the call is refused for this reason, and the service saw no byte of it. */
  async refuses(call: Call, reason: string): Promise<void> {
    const before = this.guarded.service.bytes;
    const response = await this.send(call);
    assert.equal((await this.guarded.sidecar.logged(response)).reason, reason, response.body);
    assert.equal(this.guarded.service.bytes, before, 'the service saw bytes of a refused request');
  }

  async stop(): Promise<void> {
    await this.front.stop();
    await this.guarded.stop();
  }
}

for (const setup of setups) {
  const { program, dialect, forge } = setup;
  const skip = hasProgram(program) ? false : `${program} is not on this machine`;

  describe(`${program} ends TLS and passes on certificates as ${dialect}`, { skip }, () => {
    let fronted: Fronted;
    let one: IssuedCertificate;
    let other: IssuedCertificate;
    before(async () => {
      fronted = await Fronted.start(setup, {});
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
      assert.deepEqual(seen.all('x-forwarded-for'), ['127.0.0.1']);
      assert.deepEqual(seen.all('x-forwarded-proto'), ['https']);
      assert.equal((await fronted.guarded.sidecar.logged(response)).remote_address, '127.0.0.1');
      if (program === 'nginx') assert.match(response.one('x-request-id') ?? '', /^[0-9a-f]{32}$/, 'its own');
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

    test('K07: a body goes through whole', async () => {
      const body = 'x'.repeat(100_000);
      const { seen } = await fronted.admits({
        ...boundTo(fronted.guarded, one),
        ...{ method: 'POST', tls: showing(one), body, headers: [`Content-Length: ${body.length}`] },
      });
      assert.equal(seen.rawBody, body);
    });
  });

  describe(`${program} before a unix socket, with CAs`, { skip }, () => {
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

  describe(`${program} strips a path prefix`, { skip }, () => {
    for (const pathPrefix of ['/svc1', '']) {
      test(`G13: a proof for the public URI passes ${pathPrefix === '' ? 'not without' : 'with'} listen.pathPrefix`, async (t) => {
        const fronted = await Fronted.start(setup, { pathPrefix, prefix: '/svc1' });
        t.after(() => fronted.stop());
        const { guarded } = fronted;
        const token = guarded.token();
        const old = Math.floor(Date.now() / 1000) - 50;
        const first = guarded.proof({ token, target: '/svc1/a', nonce: undefined, claims: { iat: old } });
        const target = '/svc1/a?b=c';
        if (pathPrefix === '') return fronted.refuses({ target, token, proof: first }, 'dpop_htu_mismatch');
        guarded.nonce = (await fronted.send({ target, token, proof: first })).one('dpop-nonce') ?? '';
        const call = { target, token, proof: guarded.proof({ token, target: '/svc1/a' }) };
        const { seen } = await fronted.admits(call);
        assert.equal(seen.line, 'GET /a?b=c HTTP/1.1');
        assert.deepEqual(seen.all('x-forwarded-prefix'), ['/svc1']);
        const inner = { ...call, proof: guarded.proof({ token, target: '/a' }) };
        await fronted.refuses(inner, 'dpop_htu_mismatch');
      });
    }
  });
}
