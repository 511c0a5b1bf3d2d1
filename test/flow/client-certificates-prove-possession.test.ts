import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { forge, type IssuedCertificate, makeCa, makeSelfSigned } from '../support/certificates.js';
import { Checkpoint, type Refused } from '../support/checkpoint.js';
import { makeDpopKey } from '../support/dpop.js';
import { Wire, type WireTarget } from '../support/wire.js';

const hour = 3_600_000;

/** The client side of a connection with this certificate. */
function withCertificate({ certPem, keyPem }: IssuedCertificate): NonNullable<WireTarget['tls']> {
  return { cert: certPem, key: keyPem };
}

function bound({ thumbprint }: IssuedCertificate): { cnf: Record<string, string> } {
  return { cnf: { 'x5t#S256': thumbprint } };
}

function refused(reason: string): Refused {
  return { reason, error: 'invalid_token', by: ['Bearer'] };
}

/** A call with a token bound to one certificate, on a connection with another. */
function mtlsCall(guarded: Checkpoint, tokenFor: IssuedCertificate, shown: IssuedCertificate | undefined) {
  return {
    scheme: 'Bearer',
    token: guarded.token(bound(tokenFor)),
    proof: null,
    ...(shown && { tls: withCertificate(shown) }),
  };
}

describe('without configured CAs a certificate proves possession of its key, and nothing else', () => {
  let guarded: Checkpoint;
  let one: IssuedCertificate;
  let two: IssuedCertificate;
  before(async () => {
    guarded = await Checkpoint.start({
      tls: {},
      config: {
        routes: [
          { path: '/mtls', proof: 'mtls' },
          { path: '/dpop', proof: 'dpop' },
          { path: '/both', proof: 'both' },
          { path: '/**' },
        ],
      },
    });
    await guarded.fetchNonce();
    one = await makeSelfSigned({ cn: 'admin', usage: 'client', san: ['root, DNS:admin'] });
    two = await makeSelfSigned({ cn: 'admin', usage: 'client' });
  });
  after(() => guarded.stop());

  test('J01, J04, C10: a self-signed certificate and a token bound to it, as Bearer', async () => {
    const { seen } = await guarded.admits(mtlsCall(guarded, one, one));
    assert.deepEqual(seen.all('x-auth-proof'), ['mtls']);
    assert.deepEqual(seen.all('x-auth-key'), [one.thumbprint]);
  });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`J01: RFC 8705 §6.2: a certificate that the CA beside it has not signed: ${version}`, async () => {
      const ca = await makeCa();
      const shown = forge(await ca.issue({ cn: 'shop', usage: 'client' }));
      const cert = shown.certPem + ca.certPem;
      const tls = { ...withCertificate(shown), cert, minVersion: version, maxVersion: version };
      await guarded.admits({ ...mtlsCall(guarded, shown, shown), tls });
      await guarded.refuses(
        { ...mtlsCall(guarded, one, shown), tls },
        refused('certificate_thumbprint_mismatch'),
      );
    });
  }

  test('J01: RFC 8705 §3: another certificate, of the same name', async () => {
    await guarded.refuses(mtlsCall(guarded, one, two), refused('certificate_thumbprint_mismatch'));
  });

  test('J02: no certificate', async () => {
    await guarded.refuses(mtlsCall(guarded, one, undefined), refused('certificate_missing'));
  });

  test('J04: a certificate without a token is no credentials', async () => {
    await guarded.refuses(
      { token: null, tls: withCertificate(one) },
      { reason: 'credentials_missing', status: 401, body: 'unauthorized' },
    );
  });

  test('J05, J08: no name of an unverified certificate reaches the service', async () => {
    const { seen } = await guarded.admits(mtlsCall(guarded, one, one));
    assert.doesNotMatch(JSON.stringify(seen.headers), /admin|root/);
  });

  test('K01: a certificate in a header is none', async () => {
    const header = `Client-Cert: :${one.der.toString('base64')}:`;
    await guarded.refuses(
      { ...mtlsCall(guarded, one, undefined), headers: [header] },
      refused('certificate_missing'),
    );
    await guarded.refuses(
      { ...mtlsCall(guarded, one, two), headers: [header] },
      refused('certificate_thumbprint_mismatch'),
    );
    const { seen } = await guarded.admits({ ...mtlsCall(guarded, one, one), headers: [header] });
    assert.deepEqual(seen.all('client-cert'), []);
  });

  test('J01: a certificate-bound token under DPoP, with certificate and a good proof', async () => {
    const { token } = mtlsCall(guarded, one, one);
    await guarded.refuses(
      { token, tls: withCertificate(one) },
      { reason: 'token_not_bound', error: 'invalid_token' },
    );
  });

  test('C11: each route takes its own way of proof', async () => {
    await guarded.admits({ ...mtlsCall(guarded, one, one), target: '/mtls' });
    await guarded.refuses(
      { ...mtlsCall(guarded, one, one), target: '/dpop' },
      { ...refused('proof_method_refused'), schemes: ['DPoP', 'Bearer'] },
    );
    await guarded.refuses(
      { ...mtlsCall(guarded, one, one), target: '/both' },
      { ...refused('proof_method_refused'), schemes: ['DPoP', 'Bearer'] },
    );
  });

  describe('certificate and proof', () => {
    const target = '/both';
    const call = (parts: {
      token?: string;
      shown?: IssuedCertificate;
      key?: ReturnType<typeof makeDpopKey>;
    }) => ({
      target,
      token: parts.token ?? doublyBound(),
      ...(parts.key && { key: parts.key }),
      ...(parts.shown && { tls: withCertificate(parts.shown) }),
    });
    const doublyBound = () => guarded.token({ cnf: { jkt: guarded.client.jkt, 'x5t#S256': one.thumbprint } });
    const refusedBoth = (reason: string): Refused => ({ reason, error: 'invalid_token', schemes: ['DPoP'] });

    test('F01: both proven', async () => {
      const { seen } = await guarded.admits(call({ shown: one }));
      assert.deepEqual(seen.all('x-auth-proof'), ['dpop+mtls']);
      assert.deepEqual(seen.all('x-auth-key'), [guarded.client.jkt]);
    });
    test('F01: the right proof, another certificate', async () => {
      await guarded.refuses(call({ shown: two }), refusedBoth('certificate_thumbprint_mismatch'));
    });
    test('F01: the right proof, no certificate', async () => {
      await guarded.refuses(call({}), refusedBoth('certificate_missing'));
    });
    test('F01: the right certificate, a proof of another key', async () => {
      await guarded.refuses(call({ shown: one, key: makeDpopKey() }), refusedBoth('dpop_key_mismatch'));
    });
    test('F01: the right certificate, as Bearer', async () => {
      await guarded.refuses(
        { ...call({ shown: one }), scheme: 'Bearer' },
        { ...refused('bound_token_as_bearer'), schemes: ['DPoP', 'Bearer'] },
      );
    });
    test('F01: a token that is bound to the key alone', async () => {
      await guarded.refuses(
        call({ shown: one, token: guarded.token() }),
        refusedBoth('proof_method_refused'),
      );
    });
    test('F01: both are demanded on a route that asks for one', async () => {
      await guarded.refuses(
        { ...call({ shown: two }), target: '/dpop' },
        refusedBoth('certificate_thumbprint_mismatch'),
      );
      await guarded.admits({ ...call({ shown: one }), target: '/dpop' });
    });
  });

  test('J09, trap Node: no peer certificate after close: clients that leave at once do no harm', async () => {
    const wires = await Promise.all(
      Array.from({ length: 20 }, () => Wire.open({ port: guarded.sidecar.port, tls: withCertificate(one) })),
    );
    for (const wire of wires) {
      wire.send(guarded.bytes(mtlsCall(guarded, one, one)));
      wire.close();
    }
    const response = await guarded.send(mtlsCall(guarded, one, one));
    assert.equal(response.status, 200, response.body);
    const faults = guarded.sidecar.child.events.filter(({ reason }) => reason === 'ERR_INTERNAL');
    assert.deepEqual(faults, []);
  });

  describe('J13: the handshake', () => {
    for (const maxVersion of ['TLSv1', 'TLSv1.1'] as const) {
      test(`J13: ${maxVersion} is refused`, async () => {
        // The client has to be talked into it.
        const tls = { minVersion: 'TLSv1', maxVersion, ciphers: 'DEFAULT@SECLEVEL=0' } as const;
        await assert.rejects(Wire.open({ port: guarded.sidecar.port, tls }), /alert protocol version/);
      });
    }
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      test(`J13: accepting twin: ${version}`, async () => {
        const tls = { ...withCertificate(one), minVersion: version, maxVersion: version };
        await guarded.admits({ ...mtlsCall(guarded, one, one), tls });
      });
    }
    test('J13: renegotiation is refused', async () => {
      const tls = { ...withCertificate(one), maxVersion: 'TLSv1.2' } as const;
      const wire = await Wire.open({ port: guarded.sidecar.port, tls });
      const socket = wire.socket as TLSSocket;
      const outcome = await new Promise((resolve) => {
        socket.once('error', resolve);
        socket.once('close', () => resolve('closed'));
        socket.renegotiate({}, (error) => resolve(error ?? 'renegotiated'));
      });
      assert.match(String(outcome), /no.renegotiation/i);
      wire.close();
    });
    test('A22: http/1.1 alone is spoken, whatever else is offered', async () => {
      const wire = await Wire.open({
        port: guarded.sidecar.port,
        tls: { ALPNProtocols: ['h2', 'http/1.1'] },
      });
      assert.equal((wire.socket as TLSSocket).alpnProtocol, 'http/1.1');
      wire.close();
    });
  });
});

describe('with configured CAs only certificates that chain to them count', () => {
  let guarded: Checkpoint;
  const certificates = new Map<string, IssuedCertificate>();
  before(async () => {
    const ca = await makeCa({ cn: 'Partner CA' });
    const sameName = await makeCa({ cn: 'Partner CA' });
    const system = await makeCa({ cn: 'Public CA' });
    guarded = await Checkpoint.start({
      tls: { ca: ['partners.pem'] },
      files: { 'partners.pem': ca.certPem, 'system.pem': system.certPem },
    });
    const usage = 'client';
    certificates.set('good', await ca.issue({ cn: 'shop', usage }));
    certificates.set(
      'expired',
      await ca.issue({ cn: 'shop', usage, notAfter: new Date(Date.now() - hour / 2) }),
    );
    certificates.set(
      'of tomorrow',
      await ca.issue({ cn: 'shop', usage, notBefore: new Date(Date.now() + hour) }),
    );
    certificates.set('of a server', await ca.issue({ cn: 'shop', usage: 'server' }));
    certificates.set('of another CA', await system.issue({ cn: 'shop', usage }));
    certificates.set('of another CA of the same name', await sameName.issue({ cn: 'shop', usage }));
    certificates.set('self-signed', await makeSelfSigned({ cn: 'shop', usage }));
  });
  after(() => guarded.stop());

  function certificate(name: string): IssuedCertificate {
    const found = certificates.get(name);
    assert.ok(found !== undefined);
    return found;
  }

  test('J06: accepting twin: a certificate of the CA', async () => {
    await guarded.admits(mtlsCall(guarded, certificate('good'), certificate('good')));
  });

  for (const [name, cause] of Object.entries({
    expired: 'CERT_HAS_EXPIRED',
    'of tomorrow': 'CERT_NOT_YET_VALID',
    'of a server': 'INVALID_PURPOSE',
    'of another CA': 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'of another CA of the same name': 'UNABLE_TO_',
    'self-signed': 'DEPTH_ZERO_SELF_SIGNED_CERT',
  })) {
    test(`J06, trap Node: requestCert keeps the reason: ${name}, with a token bound to it`, async () => {
      const response = await guarded.refuses(
        mtlsCall(guarded, certificate(name), certificate(name)),
        refused('client_certificate_untrusted'),
      );
      const { detail } = await guarded.sidecar.logged(response);
      assert.ok(String(detail).includes(cause), `${detail}`);
    });
  }

  test('J06: a good certificate and a token of another', async () => {
    await guarded.refuses(
      mtlsCall(guarded, certificate('expired'), certificate('good')),
      refused('certificate_thumbprint_mismatch'),
    );
  });

  test('J06: a certificate that does not count does not stand in the way of DPoP', async () => {
    const tls = withCertificate(certificate('expired'));
    await guarded.fetchNonce({ tls });
    await guarded.admits({ tls });
  });
});

test('J07: CAs of the system do not count', async (t) => {
  const ca = await makeCa();
  const system = await makeCa({ cn: 'Public CA' });
  const shown = await system.issue({ cn: 'shop', usage: 'client' });
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-roots-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const roots = join(folder, 'roots.pem');
  writeFileSync(roots, system.certPem);
  const guarded = await Checkpoint.start({
    tls: { ca: ['partners.pem'] },
    files: { 'partners.pem': ca.certPem },
    // What an image adds to the roots of Node.
    env: { SSL_CERT_FILE: roots, NODE_OPTIONS: '--use-openssl-ca' },
  });
  t.after(() => guarded.stop());
  await guarded.refuses(mtlsCall(guarded, shown, shown), refused('client_certificate_untrusted'));
});

describe('mode required refuses in the handshake', () => {
  for (const ca of [[], ['partners.pem']]) {
    test(`J06: ${ca.length === 0 ? 'without' : 'with'} CAs`, async (t) => {
      const partners = await makeCa();
      const good = await partners.issue({ cn: 'shop', usage: 'client' });
      const stranger = await makeSelfSigned({ cn: 'shop', usage: 'client' });
      const guarded = await Checkpoint.start({
        tls: { mode: 'required', ca },
        files: { 'partners.pem': partners.certPem },
      });
      t.after(() => guarded.stop());
      const refusedInHandshake = async (tls: NonNullable<WireTarget['tls']>) => {
        const connections = guarded.service.connections;
        const wire = await Wire.open({ port: guarded.sidecar.port, tls });
        wire.send(guarded.bytes(mtlsCall(guarded, good, undefined)));
        assert.equal(await wire.closed(), '');
        assert.equal(guarded.service.connections, connections);
      };
      await refusedInHandshake({});
      if (ca.length > 0) await refusedInHandshake(withCertificate(stranger));
      else await guarded.admits(mtlsCall(guarded, stranger, stranger));
      assert.deepEqual(
        guarded.sidecar.child.events.filter(({ outcome }) => outcome === 'refused'),
        [],
      );
      await guarded.admits(mtlsCall(guarded, good, good));
    });
  }
});
