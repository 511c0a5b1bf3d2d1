import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { before, test } from 'node:test';
import * as tls from 'node:tls';
import type { TlsOptions } from '#holdfast/listener/tls.js';
import { TlsTrust } from '#holdfast/listener/trust.js';
import { type Ca, type IssuedCertificate, makeCa, makeSelfSigned } from '../../support/certificates.js';
import { type ClientTls, showing } from '../../support/mtls.js';
import { tellsIntermediates } from '../../support/node-release.js';

const now = Date.now();
const hourMs = 3_600_000;
// Of a certificate that lasts five hours, below an intermediate that lasts two.
const endOfPath = tellsIntermediates ? 2 : 5;
const inHours = (hours: number) => new Date(now + hours * hourMs);

let ca: Ca;
let server: IssuedCertificate;
let client: IssuedCertificate;
before(async () => {
  ca = await makeCa();
  server = await ca.issue({ cn: 'server', usage: 'server' });
  client = await ca.issue({ cn: 'client', usage: 'client', notAfter: inHours(5) });
});

function options(clientCertificates: Partial<TlsOptions['clientCertificates']> = {}): TlsOptions {
  return {
    certificate: server.certPem,
    key: server.keyPem,
    minVersion: 'TLSv1.2',
    clientCertificates: { mode: 'optional', ca: [ca.certPem], crl: [], ...clientCertificates },
  };
}

type Look<T> = (socket: tls.TLSSocket) => T;

/**
 * Makes one real connection under a trust, and looks at the side of the server.
 * @returns what was seen; of a second connection that goes on with the session of the first one, if that is asked for
 */
async function connectUnder<T>(
  trust: TlsTrust,
  shown: ClientTls,
  { look, again = false }: { look: Look<T>; again?: boolean },
): Promise<T> {
  const listener = tls.createServer(trust.serverOptions);
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const connect = async (resumed?: Buffer) => {
    const arrived = once(listener, 'secureConnection');
    const socket = tls.connect({
      ...{ port, host: '127.0.0.1', rejectUnauthorized: false, ...shown },
      ...(resumed && { session: resumed }),
    });
    const sessions: Buffer[] = [];
    socket.on('session', (one: Buffer) => sessions.push(one));
    const [peer] = await arrived;
    peer.on('error', () => {});
    const seen = look(peer);
    peer.write('x');
    await once(socket, 'data');
    // With TLS 1.3 it follows the handshake, and may follow the first data.
    if (again && resumed === undefined && sessions.length === 0) await once(socket, 'session');
    socket.destroy();
    return { seen, session: sessions.at(-1) };
  };
  const first = await connect();
  const { seen } = again ? await connect(first.session) : first;
  listener.close();
  return seen;
}

const validityUnder = async (trust: TlsTrust, shown: ClientTls) => {
  const seen = await connectUnder(trust, shown, {
    look: (socket) =>
      trust.accepts(socket, now) ? trust.capture(socket, { keepFields: false, nowMs: now }) : undefined,
  });
  assert.ok(seen?.trusted === true, JSON.stringify(seen));
  return { from: seen.notBeforeMs, to: Math.round(seen.notAfterMs / hourMs - now / hourMs) };
};

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  const only = { minVersion: version, maxVersion: version } as const;
  test(`K09, J06: ${version}: mode required does not take a resumed session without certificate`, async () => {
    const trust = new TlsTrust(options({ mode: 'required' }), now);
    const look = (socket: tls.TLSSocket) => ({
      taken: trust.accepts(socket, now),
      resumed: socket.isSessionReused(),
    });
    const nobody = await connectUnder(trust, only, { look, again: true });
    assert.deepEqual(nobody, { taken: false, resumed: true });
    const somebody = await connectUnder(trust, { ...only, ...showing(client) }, { look, again: true });
    assert.deepEqual(somebody, { taken: true, resumed: true });
  });
}

test('J06: mode required without CAs takes any certificate, and nobody without', async () => {
  const stranger = await makeSelfSigned({ cn: 'stranger', usage: 'client' });
  const trust = new TlsTrust(options({ mode: 'required', ca: [] }), now);
  const look = (socket: tls.TLSSocket) => trust.accepts(socket, now);
  assert.equal(await connectUnder(trust, showing(stranger), { look }), true);
  assert.equal(await connectUnder(trust, {}, { look }), false);
});

test('J11: a handshake of another trust is not taken, one of the same with another certificate is', async () => {
  const other = await makeCa();
  const trust = new TlsTrust(options(), now);
  const renewed = await ca.issue({ cn: 'renewed', usage: 'server' });
  const heir = new TlsTrust({ ...options(), certificate: renewed.certPem, key: renewed.keyPem }, now, trust);
  const stranger = new TlsTrust(options({ ca: [other.certPem] }), now, trust);
  const seen = await connectUnder(trust, showing(client), {
    look: (socket) => [trust, heir, stranger].map((one) => one.accepts(socket, now)),
  });
  assert.deepEqual(seen, [true, true, false]);
});

test('J10: what has the same files but has outlived one of them is not the same trust', async () => {
  const { certPem } = await makeCa({ cn: 'Short CA', notAfter: inHours(1) });
  const trust = new TlsTrust(options({ ca: [ca.certPem, certPem] }), now);
  const later = now + 2 * hourMs;
  assert.equal(new TlsTrust(trust.options, now, trust).isSameAs(trust, now), true);
  assert.deepEqual([trust.hasEnded(now), trust.hasEnded(later)], [false, true]);
  const after = new TlsTrust(trust.options, later, trust);
  assert.equal(after.isSameAs(trust, later), false);
  assert.equal(after.hasEnded(later), false, 'what is over does not end once more');
});

test('J10: ticket keys get old', () => {
  const trust = new TlsTrust(options(), now);
  assert.deepEqual([trust.isOld(now + hourMs - 1), trust.isOld(now + hourMs)], [false, true]);
});

test('J12: the verdict on a certificate ends with the certificate', async () => {
  const { from, to } = await validityUnder(new TlsTrust(options(), now), showing(client));
  assert.equal(to, 5);
  assert.ok(from <= now);
});

test('J12: and with the first of the intermediates that came with it', async () => {
  const short = await ca.issueCa({ cn: 'Issuing CA', notAfter: inHours(2) });
  const leaf = await short.issue({ cn: 'leaf', usage: 'client', notAfter: inHours(5) });
  const trust = new TlsTrust(options(), now);
  const { certPem: cert, keyPem: key } = leaf;
  assert.equal((await validityUnder(trust, { cert: `${cert}${short.certPem}`, key })).to, endOfPath);
  // What the client sends beside its chain does not count; an intermediate that is configured does.
  const beside = await ca.issueCa({ cn: 'Other CA', notAfter: inHours(1) });
  const all = `${cert}${short.certPem}${beside.certPem}`;
  assert.equal((await validityUnder(trust, { cert: all, key })).to, endOfPath);
  const configured = new TlsTrust(options({ ca: [ca.certPem, short.certPem] }), now);
  assert.equal((await validityUnder(configured, { cert, key })).to, 2);
});

test('J12: of several intermediates of one name the one in force is what the verdict rests on', async () => {
  const short = await ca.issueCa({ cn: 'Issuing CA', notAfter: inHours(2) });
  const { certPem, keyPem: key } = await short.issue({ cn: 'leaf', usage: 'client', notAfter: inHours(5) });
  const over = await short.renew({ notBefore: inHours(-3), notAfter: inHours(-1) });
  const ahead = await short.renew({ notBefore: inHours(1), notAfter: inHours(3) });
  const trust = new TlsTrust(options(), now);
  const endUnder = async (...chain: Ca[]) => {
    const cert = certPem + chain.map((one) => one.certPem).join('');
    return (await validityUnder(trust, { cert, key })).to;
  };
  assert.equal(await endUnder(over, short), endOfPath);
  assert.equal(await endUnder(short, over, ahead), endOfPath);
  assert.equal(await endUnder(ahead, short), endOfPath);
});

test('J12: mode required looks at a certificate twice, and sees the same', async () => {
  const short = await ca.issueCa({ cn: 'Issuing CA', notAfter: inHours(2) });
  const { certPem, keyPem } = await short.issue({ cn: 'leaf', usage: 'client', notAfter: inHours(5) });
  const trust = new TlsTrust(options({ mode: 'required' }), now);
  const shown = { cert: `${certPem}${short.certPem}`, key: keyPem };
  const look = (socket: tls.TLSSocket) =>
    trust.accepts(socket, now) && trust.capture(socket, { keepFields: false, nowMs: now });
  const seen = await connectUnder(trust, shown, { look });
  assert.ok(seen);
  assert.ok(seen.trusted);
  assert.equal(Math.round(seen.notAfterMs / hourMs - now / hourMs), endOfPath);
});

test('J12: an untrusted certificate has no dates, and its cause', async () => {
  const crl = [{ pem: await ca.revoke([client]), nextUpdateMs: undefined }];
  const trust = new TlsTrust(options({ crl }), now);
  const seen = await connectUnder(trust, showing(client), {
    look: (socket) => trust.capture(socket, { keepFields: false, nowMs: now }),
  });
  assert.deepEqual(seen, {
    thumbprint: client.thumbprint,
    trusted: false,
    distrust: 'CERT_REVOKED',
  });
});

test('J17: a session or certificate that cannot be read is not taken, and throws nothing', () => {
  const trust = new TlsTrust(options({ mode: 'required' }), now);
  const length = (bytes: Buffer) => Buffer.from([bytes.length]);
  const wrap = (tag: number, bytes: Buffer) => Buffer.concat([Buffer.from([tag]), length(bytes), bytes]);
  const idContext = wrap(0xa4, wrap(0x04, Buffer.from('x')));
  const noCertificate = wrap(0x30, Buffer.concat([wrap(0xa3, Buffer.from('no certificate')), idContext]));
  for (const session of [
    Buffer.alloc(0),
    Buffer.from('no session'),
    wrap(0x30, Buffer.alloc(0)),
    noCertificate,
  ]) {
    const socket = { authorized: true, getSession: () => session } as tls.TLSSocket;
    assert.equal(trust.accepts(socket, now), false);
  }
});

test('J14: what OpenSSL refuses throws', () => {
  assert.throws(() => new TlsTrust(options({ crl: [{ pem: 'x', nextUpdateMs: undefined }] }), now), /CRL/);
});
