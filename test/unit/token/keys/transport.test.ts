import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { makeCa } from '../../../support/certificates.js';
import { Bench } from '../bench.js';

/** A key set over TLS, with a certificate for localhost that nobody here trusts. */
async function serveUntrusted(t: TestContext, body: string): Promise<string> {
  const ca = await makeCa();
  const { certPem: cert, keyPem: key } = await ca.issue({
    cn: 'localhost',
    usage: 'server',
    san: ['localhost'],
  });
  const server = https.createServer({ cert, key }, (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  return `https://localhost:${(server.address() as AddressInfo).port}/jwks`;
}

function canBeFetched(url: string, rejectUnauthorized: boolean): Promise<boolean> {
  return new Promise((resolve) => {
    const request = https.get(url, { agent: false, rejectUnauthorized }, (response) => {
      response.resume().on('end', () => resolve(true));
    });
    request.on('error', () => resolve(false));
  });
}

test('P01: the certificate of the issuer is verified, whatever the environment says', async (t) => {
  const bench = await Bench.start(t);
  const url = await serveUntrusted(t, JSON.stringify(bench.issuer.keySet));
  assert.equal(await canBeFetched(url, false), true, 'the server works');
  assert.equal(await canBeFetched(url, true), false);

  const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  t.after(() => {
    if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
  });
  const verifier = bench.verifierOf([{ ...bench.issuer.settings, keys: { url } }]);
  t.after(() => verifier.close());
  await verifier.start();
  const [state] = verifier.state();
  assert.equal(state?.ready, false);
  assert.match(state?.lastError ?? '', /certificate/);
});
