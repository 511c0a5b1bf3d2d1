import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeCa } from '../support/certificates.js';
import { Checkpoint } from '../support/checkpoint.js';
import { boundTo, type ClientTls, showing } from '../support/mtls.js';
import { makeOnCurve } from '../support/odd-certificates.js';
import { Wire } from '../support/wire.js';

/** Shakes hands and asks for something, as far as that goes. A handshake may also be refused. */
async function knock({ sidecar: { port } }: Checkpoint, tls: ClientTls): Promise<void> {
  const wire = await Wire.open({ port, tls }).catch(() => undefined);
  if (wire === undefined) return;
  wire.send('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  await wire.closed();
}

describe('J17, trap Node: getPeerCertificate: no handshake of a stranger ends the process', () => {
  for (const curve of ['brainpoolP256r1', 'brainpoolP384r1', 'secp256k1', 'secp224r1']) {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      test(`a certificate on ${curve} over ${version}`, async (t) => {
        const guarded = await (await Checkpoint.start({ tls: {} })).fetchNonce();
        t.after(() => guarded.stop());
        const stranger = makeOnCurve(curve, 'stranger');
        await knock(guarded, { ...showing(stranger), minVersion: version, maxVersion: version });
        assert.equal(guarded.service.bytes, 0);
        await guarded.admits();
      });
    }
  }

  for (const ca of [[], ['ca.pem']]) {
    const where = ca.length === 0 ? 'without CAs' : 'with CAs';
    for (const curve of ['brainpoolP256r1', 'secp256k1'])
      test(`a certificate on ${curve} that poses as the issuer, ${where}`, async (t) => {
        const guarded = await Checkpoint.start({ tls: ca.length === 0 ? {} : { ca } });
        t.after(() => guarded.stop());
        const client = await guarded.ca.issue({ cn: 'client', usage: 'client' });
        const stranger = await (await makeCa()).issue({ cn: 'stranger', usage: 'client' });
        const posing = makeOnCurve(curve, 'Holdfast test CA');
        for (const { certPem, keyPem } of [stranger, client])
          await knock(guarded, { cert: certPem + posing.certPem, key: keyPem });
        assert.equal(guarded.service.bytes, 0);
        await guarded.admits({ ...boundTo(guarded, client), tls: showing(client) });
      });
  }
});
