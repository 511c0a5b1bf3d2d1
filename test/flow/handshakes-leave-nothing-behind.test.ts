import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type IssuedCertificate, makeSelfSigned } from '../support/certificates.js';
import { Checkpoint } from '../support/checkpoint.js';
import { growthBy, megabyte } from '../support/memory.js';
import { boundTo, type ClientTls, showing } from '../support/mtls.js';
import { tellsIntermediates } from '../support/node-release.js';
import { Wire } from '../support/wire.js';

// A handshake with so many stays below the 40 KiB that are taken, and Node's leak above a third of a megabyte each.
const besides = 60;
const handshakes = 250;
const boundBytes = 60 * megabyte;

/** A client that sends many certificates which lead nowhere beside its own. */
async function showingMore({ certPem, keyPem }: IssuedCertificate): Promise<ClientTls> {
  const { certPem: other } = await makeSelfSigned({ cn: 'other', usage: 'client' });
  return { cert: certPem + other.repeat(besides), key: keyPem };
}

/** @returns by how many bytes the process grows with the connections, after the first few */
async function growth({ sidecar }: Checkpoint, connect: (from: string) => Promise<void>): Promise<number> {
  // Each from an address of its own: what comes with a certificate costs so much that nobody is asked for it often.
  for (let warm = 0; warm < 10; warm++) await connect(`127.5.0.${warm}`);
  return growthBy(sidecar, async () => {
    for (let made = 0; made < handshakes; made++) await connect(`127.5.1.${made}`);
  });
}

test('J09, trap Node: getPeerX509Certificate: a handshake of a stranger leaves nothing behind', async (t) => {
  const guarded = await Checkpoint.start({ tls: {} });
  t.after(() => guarded.stop());
  const shown = await showingMore(await makeSelfSigned({ cn: 'stranger', usage: 'client' }));
  // So that the handshake is over on the other side when it is here.
  const tls = { ...shown, maxVersion: 'TLSv1.2' } as const;
  const grown = await growth(guarded, async (from) => {
    const wire = await Wire.open({ port: guarded.sidecar.port, tls, from });
    wire.close();
    await wire.closed();
  });
  assert.ok(grown < boundBytes, `${grown} bytes more after ${handshakes} handshakes`);
});

// On the other releases Node itself leaves behind what came with a trusted certificate.
if (tellsIntermediates) {
  test('J09, trap Node: getPeerX509Certificate: nor does a request under a certificate of the CA', async (t) => {
    const guarded = await Checkpoint.start({ tls: { ca: ['ca.pem'] } });
    t.after(() => guarded.stop());
    const client = await guarded.ca.issue({ cn: 'client', usage: 'client' });
    // Twin: they get in nobody's way.
    await guarded.admits({ ...boundTo(guarded, client), tls: showing(client) });
    const call = { ...boundTo(guarded, client), tls: await showingMore(client) };
    const grown = await growth(guarded, async (from) => void (await guarded.admits({ ...call, from })));
    assert.ok(grown < boundBytes, `${grown} bytes more after ${handshakes} requests`);
  });
}
