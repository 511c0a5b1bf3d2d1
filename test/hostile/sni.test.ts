import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Checkpoint } from '../support/checkpoint.js';
import { lines } from './case.js';

interface NamedCase {
  /** the name in the TLS handshake; absent: none */
  readonly sni?: string;
  readonly host: string;
  readonly status: number;
}

/** One listener has one certificate and one trust, so nothing depends on SNI, and Host alone says what is addressed. */
const cases: readonly NamedCase[] = [
  { sni: 'api.test', host: 'api.test', status: 200 },
  { host: 'api.test', status: 200 },
  { sni: 'other.test', host: 'api.test', status: 200 },
  { sni: 'api.test', host: 'other.test', status: 421 },
  { host: 'other.test', status: 421 },
  { sni: 'other.test', host: 'other.test', status: 421 },
];

let checkpoint: Checkpoint;
before(async () => {
  checkpoint = await Checkpoint.start({
    tls: {},
    config: { routes: [{ path: '/public/**', proof: 'none' }, { path: '/protected/**' }] },
  });
});
after(() => checkpoint.stop());

describe('A04: SNI and Host', () => {
  for (const { sni, host, status } of cases) {
    test(`A04: SNI ${sni ?? 'absent'}, Host ${host}: ${status}`, async () => {
      const { service, sidecar } = checkpoint;
      service.reset();
      const bytes = (path: string) => lines(`GET ${path} HTTP/1.1`, `Host: ${host}`, '', '');
      const tls = sni === undefined ? {} : { servername: sni };
      const response = await sidecar.send(bytes('/public/a'), tls);
      assert.equal(response.status, status, response.body);
      assert.equal(service.requests.length, status === 200 ? 1 : 0);
      const unproven = await sidecar.send(bytes('/protected/a'), tls);
      assert.equal(unproven.status, status === 200 ? 401 : status, 'no name opens a protected path');
      assert.equal(service.requests.length, status === 200 ? 1 : 0);
      if (status !== 200) assert.equal(service.bytes, 0);
    });
  }
});
