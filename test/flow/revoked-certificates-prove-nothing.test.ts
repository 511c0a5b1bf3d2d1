import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type Ca, forge, type IssuedCertificate, makeCa } from '../support/certificates.js';
import { Checkpoint } from '../support/checkpoint.js';
import { boundTo, type ClientTls, showing } from '../support/mtls.js';
import { exchange, Wire } from '../support/wire.js';

const untrusted = { reason: 'client_certificate_untrusted', error: 'invalid_token', by: ['Bearer'] } as const;
const versions = ['TLSv1.2', 'TLSv1.3'] as const;
const dayMs = 86_400_000;

/** What clients show, and what OpenSSL says of it; undefined: nothing. */
const verdicts = {
  good: undefined,
  'good, by an intermediate': undefined,
  revoked: 'CERT_REVOKED',
  'revoked, by an intermediate': 'CERT_REVOKED',
  'of a revoked intermediate': 'CERT_REVOKED',
  'by an intermediate that did not come along': 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'of a CA without list': 'UNABLE_TO_GET_CRL',
  'of a CA whose list is out of date': 'CRL_HAS_EXPIRED',
  'of an intermediate whose list somebody else has signed': 'CRL_SIGNATURE_FAILURE',
  'of a strange CA': 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'of a strange CA with a list': 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'of a strange CA with a list, which came along': 'SELF_SIGNED_CERT_IN_CHAIN',
  'with a forged signature': 'CERT_SIGNATURE_FAILURE',
} as const;
type Name = keyof typeof verdicts;
const names = Object.keys(verdicts) as Name[];
const isGood = (name: Name) => verdicts[name] === undefined;

interface Shown {
  readonly certificate: IssuedCertificate;
  /** PEM of what comes along */
  readonly chain: string;
}

const shown = new Map<Name, Shown>();
const files: Record<string, string> = {};
before(async () => {
  const usage = 'client';
  const add = async (name: Name, ca: Ca, chain = '') => {
    const certificate = await ca.issue({ cn: name, usage });
    shown.set(name, { certificate, chain });
    return certificate;
  };
  const listed = await makeCa({ cn: 'Listed CA' });
  const issuing = await listed.issueCa({ cn: 'Issuing CA' });
  const withdrawn = await listed.issueCa({ cn: 'Withdrawn CA' });
  const unlisted = await makeCa({ cn: 'Unlisted CA' });
  const stale = await makeCa({ cn: 'Stale CA' });
  const rekeyed = await listed.issueCa({ cn: 'Rekeyed CA' });
  const strange = await makeCa({ cn: 'Strange CA' });
  const good = await add('good', listed);
  await add('good, by an intermediate', issuing, issuing.certPem);
  const revoked = await add('revoked', listed);
  const revokedBelow = await add('revoked, by an intermediate', issuing, issuing.certPem);
  await add('of a revoked intermediate', withdrawn, withdrawn.certPem);
  await add('by an intermediate that did not come along', issuing);
  await add('of a CA without list', unlisted);
  await add('of a CA whose list is out of date', stale);
  await add('of an intermediate whose list somebody else has signed', rekeyed, rekeyed.certPem);
  await add('of a strange CA', await makeCa({ cn: 'Stranger CA' }));
  await add('of a strange CA with a list', strange);
  await add('of a strange CA with a list, which came along', strange, strange.certPem);
  shown.set('with a forged signature', { certificate: forge(good), chain: '' });

  const old = { thisUpdate: new Date(Date.now() - 2 * dayMs), nextUpdate: new Date(Date.now() - dayMs) };
  const asCertificate = { ...good, der: derOf(withdrawn.certPem) };
  Object.assign(files, {
    'partners.pem': [listed, unlisted, stale].map(({ certPem }) => certPem).join(''),
    // Several lists in one file: Node takes the first of what it is given.
    'lists.pem': [
      await listed.revoke([revoked, asCertificate]),
      await issuing.revoke([revokedBelow]),
      await (await makeCa({ cn: 'Rekeyed CA' })).revoke([]),
      await strange.revoke([]),
    ].join(''),
    // An older list of the same CA, which did not revoke anything yet, does not count beside the newer one.
    'more.pem': (await stale.revoke([], old)) + (await listed.revoke([], { thisUpdate: old.thisUpdate })),
  });
});

function show(name: Name, settings: ClientTls = {}): { certificate: IssuedCertificate; tls: ClientTls } {
  const found = shown.get(name);
  assert.ok(found !== undefined);
  const { certificate, chain } = found;
  return { certificate, tls: { ...showing(certificate), cert: certificate.certPem + chain, ...settings } };
}

/** Starts before the tests of the suite that calls it, and ends after them. */
function startForAll(mode: 'optional' | 'required'): () => Checkpoint {
  let guarded: Checkpoint;
  before(async () => {
    guarded = await Checkpoint.start({
      tls: { mode, ca: ['partners.pem'], crl: ['lists.pem', 'more.pem'] },
      files,
    });
    await guarded.fetchNonce({ tls: show('good').tls });
  });
  after(() => guarded.stop());
  return () => guarded;
}

describe('J15: with revocation lists every CA of a chain needs one', () => {
  const start = startForAll('optional');
  for (const version of versions) {
    const settings = { minVersion: version, maxVersion: version };
    for (const name of names.filter(isGood)) {
      test(`J15: accepting twin: ${version}, ${name}`, async () => {
        const { certificate, tls } = show(name, settings);
        await start().admits({ ...boundTo(start(), certificate), tls });
      });
    }
    for (const name of names.filter((one) => !isGood(one))) {
      test(`J15, J06: ${version}, ${name}: refused with its reason, and in nobody else's way`, async () => {
        const guarded = start();
        const { certificate, tls } = show(name, settings);
        const wire = await Wire.open({ port: guarded.sidecar.port, tls });
        const before = guarded.service.bytes;
        for (const _ of ['first', 'second']) {
          const bytes = guarded.bytes(boundTo(guarded, certificate));
          // The rest when the server has read the beginning: so no request is judged before the handshake is done with.
          wire.send(bytes.slice(0, 1));
          await guarded.sidecar.admin('/metrics');
          wire.send(bytes.slice(1));
          const response = await wire.response();
          await guarded.checkRefusal(response, untrusted);
          const { detail } = await guarded.sidecar.logged(response);
          assert.ok(String(detail).includes(verdicts[name] ?? ''), String(detail));
        }
        assert.equal(guarded.service.bytes, before, 'the service saw bytes of a refused request');
        wire.send(guarded.bytes());
        assert.equal((await wire.response()).status, 200, 'accepting twin: a token that is bound otherwise');
        wire.close();
      });
    }
  }
  test('J15: what no certificate can be good with is warned about at the start', () => {
    const warnings = start().sidecar.child.events.filter(({ event }) => event === 'config_warning');
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

describe('J15, J06: mode required refuses in the handshake', () => {
  const start = startForAll('required');
  for (const version of versions) {
    const settings = { minVersion: version, maxVersion: version };
    for (const name of names) {
      test(`J15, J06: ${isGood(name) ? 'accepting twin: ' : ''}${version}, ${name}`, async () => {
        const guarded = start();
        const { certificate, tls } = show(name, settings);
        const call = boundTo(guarded, certificate);
        if (isGood(name)) await guarded.admits({ ...call, tls });
        else await endsUnanswered(guarded, guarded.bytes(call), tls);
      });
    }
  }
});

/** With TLS 1.2 the client may see the end before its handshake is done. */
async function endsUnanswered(guarded: Checkpoint, request: string, tls: ClientTls): Promise<void> {
  const before = guarded.service.bytes;
  const wire = await Wire.open({ port: guarded.sidecar.port, tls }).catch(() => undefined);
  wire?.send(request);
  assert.equal((await wire?.closed()) ?? '', '');
  assert.equal(guarded.service.bytes, before, 'the service saw bytes of a refused request');
}

// Where the end of the handshake does not come in one piece with the certificate, Node may end the connection for what is
// wrong with the certificate (listener/trust.ts): then nobody is told why, but nothing passes either.
describe('J15: a handshake that comes byte by byte', () => {
  const start = startForAll('optional');
  let relay: { port: number; stop: () => Promise<void> };
  before(async () => {
    relay = await relayInPieces(start().sidecar.port);
  });
  after(() => relay.stop());
  for (const version of versions) {
    for (const name of names) {
      test(`J15: ${isGood(name) ? 'accepting twin: ' : ''}${version}, ${name}`, async () => {
        const guarded = start();
        const { certificate, tls } = show(name, { minVersion: version, maxVersion: version });
        const before = guarded.service.bytes;
        const answer = exchange({ port: relay.port, tls }, guarded.bytes(boundTo(guarded, certificate)));
        if (isGood(name)) {
          assert.equal((await answer).status, 200);
          return;
        }
        const status = await answer.then(
          (response) => response.status,
          () => 'ended',
        );
        assert.ok(status === 401 || status === 'ended', String(status));
        assert.equal(guarded.service.bytes, before, 'the service saw bytes of a refused request');
      });
    }
  }
});

/** A way to the port on which every byte of clients goes by itself. */
async function relayInPieces(port: number): Promise<{ port: number; stop: () => Promise<void> }> {
  const relay = net.createServer((client) => {
    const server = net.connect({ port, host: '127.0.0.1', noDelay: true });
    server.pipe(client);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => {});
      one.on('close', () => other.destroy());
    }
    client.on('data', async (chunk: Buffer) => {
      client.pause();
      for (const byte of chunk) {
        server.write(Buffer.of(byte));
        await turn();
      }
      client.resume();
    });
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  return {
    port: (relay.address() as net.AddressInfo).port,
    stop: async () => {
      relay.close();
      await once(relay, 'close');
    },
  };
}

function derOf(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64');
}
