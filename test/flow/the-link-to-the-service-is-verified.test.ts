import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as net from 'node:net';
import { after, before, describe, test } from 'node:test';
import * as tls from 'node:tls';
import { type Ca, type IssuedCertificate, makeCa } from '../support/certificates.js';
import { makeDpopKey } from '../support/dpop.js';
import { portOf } from '../support/ports.js';
import { request, Sidecar } from '../support/sidecar.js';
import { Wire } from '../support/wire.js';

const keySet = JSON.stringify({ keys: [{ ...makeDpopKey().jwk, kid: 'k1', alg: 'ES256', use: 'sig' }] });
const openToAll = {
  issuers: [{ issuer: 'https://as.test', audience: 'x', keys: { file: 'jwks.json' } }],
  routes: [{ path: '/**', proof: 'none' }],
};

let ca: Ca;
let stranger: Ca;
before(async () => {
  ca = await makeCa();
  stranger = await makeCa({ cn: 'Somebody else' });
});

/** A service behind TLS that counts the bytes of HTTP it gets. */
async function withService(
  certificate: IssuedCertificate,
  use: (port: number, bytes: () => number) => Promise<void>,
  options: tls.TlsOptions = {},
): Promise<void> {
  let bytes = 0;
  const server = tls.createServer(
    { cert: certificate.certPem, key: certificate.keyPem, ...options },
    (socket) => {
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        bytes += chunk.length;
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    },
  );
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await use(portOf(server), () => bytes);
  } finally {
    server.close();
  }
}

async function answer(
  upstream: Readonly<Record<string, unknown>>,
  files: Readonly<Record<string, string>> = {},
) {
  const sidecar = await Sidecar.start({
    config: { ...openToAll, upstream },
    files: { 'jwks.json': keySet, 'ca.pem': ca.certPem, ...files },
  });
  try {
    const response = await sidecar.send(request());
    return { status: response.status, event: await sidecar.logged(response) };
  } finally {
    await sidecar.stop();
  }
}

describe('B16: the certificate of the service', () => {
  const cases: readonly {
    title: string;
    san: string;
    upstream: Readonly<Record<string, unknown>>;
    by: () => Ca;
    status: number;
  }[] = [
    {
      title: 'of another host: 502',
      san: 'other.test',
      upstream: { tls: { ca: 'ca.pem' } },
      by: () => ca,
      status: 502,
    },
    {
      title: 'of another CA: 502',
      san: '127.0.0.1',
      upstream: { tls: { ca: 'ca.pem' } },
      by: () => stranger,
      status: 502,
    },
    {
      title: 'of a CA that nobody configured: 502',
      san: '127.0.0.1',
      upstream: {},
      by: () => ca,
      status: 502,
    },
    {
      title: 'with another name than serverName: 502',
      san: '127.0.0.1',
      upstream: { tls: { ca: 'ca.pem', serverName: 'svc.test' } },
      by: () => ca,
      status: 502,
    },
    {
      title: 'of the public name, which Host carries: 502',
      san: 'api.test',
      upstream: { tls: { ca: 'ca.pem' } },
      by: () => ca,
      status: 502,
    },
    {
      title: 'twin: of this host and this CA',
      san: '127.0.0.1',
      upstream: { tls: { ca: 'ca.pem' } },
      by: () => ca,
      status: 200,
    },
    {
      title: 'twin: with the name of serverName',
      san: 'svc.test',
      upstream: { tls: { ca: 'ca.pem', serverName: 'svc.test' } },
      by: () => ca,
      status: 200,
    },
  ];
  for (const { title, san, upstream, by, status } of cases) {
    test(title, async () => {
      const certificate = await by().issue({ cn: 'service', usage: 'server', san: [san] });
      await withService(certificate, async (port, bytes) => {
        const { status: got, event } = await answer({ url: `https://127.0.0.1:${port}`, ...upstream });
        assert.equal(got, status, JSON.stringify(event));
        assert.equal(event.reason, status === 502 ? 'ERR_UPSTREAM_UNREACHABLE' : undefined);
        assert.equal(bytes() > 0, status === 200, 'no byte of HTTP goes to a stranger');
      });
    });
  }

  test('twin: a host name in the URL is the name that is verified', async () => {
    for (const [san, status] of [
      ['localhost', 200],
      ['api.test', 502],
    ] as const) {
      const certificate = await ca.issue({ cn: 'service', usage: 'server', san: [san] });
      await withService(certificate, async (port) => {
        const upstream = { url: `https://localhost:${port}`, tls: { ca: 'ca.pem' } };
        assert.equal((await answer(upstream)).status, status, san);
      });
    }
  });

  test('B16, trap H21: NODE_TLS_REJECT_UNAUTHORIZED=0 does not switch it off', async () => {
    const certificate = await stranger.issue({ cn: 'service', usage: 'server', san: ['127.0.0.1'] });
    await withService(certificate, async (port, bytes) => {
      const sidecar = await Sidecar.start({
        config: { ...openToAll, upstream: { url: `https://127.0.0.1:${port}`, tls: { ca: 'ca.pem' } } },
        files: { 'jwks.json': keySet, 'ca.pem': ca.certPem },
        env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
      });
      try {
        assert.equal((await sidecar.send(request())).status, 502);
        assert.equal(bytes(), 0);
      } finally {
        await sidecar.stop();
      }
    });
  });

  test('our own certificate is shown to a service that asks for it', async () => {
    const certificate = await ca.issue({ cn: 'service', usage: 'server', san: ['127.0.0.1'] });
    const ours = await ca.issue({ cn: 'sidecar', usage: 'client' });
    const files = { 'own.crt': ours.certPem, 'own.key': ours.keyPem };
    const demanding = { requestCert: true, rejectUnauthorized: true, ca: ca.certPem };
    await withService(
      certificate,
      async (port) => {
        const url = `https://127.0.0.1:${port}`;
        const shown = { ca: 'ca.pem', certificate: 'own.crt', key: 'own.key' };
        assert.equal((await answer({ url, tls: shown }, files)).status, 200);
        assert.equal((await answer({ url, tls: { ca: 'ca.pem' } })).status, 502);
      },
      demanding,
    );
  });
});

describe('trap H24: HTTP/2 is not spoken', () => {
  let sidecar: Sidecar;
  let service: net.Server;
  before(async () => {
    service = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    });
    service.listen(0, '127.0.0.1');
    await once(service, 'listening');
    const certificate = await ca.issue({ cn: 'api.test', usage: 'server', san: ['api.test'] });
    sidecar = await Sidecar.start({
      config: {
        ...openToAll,
        upstream: `http://127.0.0.1:${portOf(service)}`,
        listen: { origins: ['https://api.test'], tls: { certificate: 'tls.crt', key: 'tls.key' } },
      },
      files: { 'jwks.json': keySet, 'tls.crt': certificate.certPem, 'tls.key': certificate.keyPem },
    });
  });
  after(async () => {
    await sidecar.stop();
    service.close();
  });

  async function serves(): Promise<void> {
    assert.equal((await sidecar.send(request(), {})).status, 200);
  }

  test('a client that offers h2 and http/1.1 gets http/1.1', async () => {
    const wire = await Wire.open({ port: sidecar.port, tls: { ALPNProtocols: ['h2', 'http/1.1'] } });
    assert.ok(wire.socket instanceof tls.TLSSocket);
    assert.equal(wire.socket.alpnProtocol, 'http/1.1');
    wire.send(request());
    assert.equal((await wire.response()).status, 200);
    wire.close();
  });
  test('a client that offers h2 alone gets no connection', async () => {
    await assert.rejects(
      Wire.open({ port: sidecar.port, tls: { ALPNProtocols: ['h2'] } }),
      /alert|ALPN|protocol/i,
    );
    await serves();
  });
  test('the preface of HTTP/2 over TLS is a malformed request', async () => {
    const response = await sidecar.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', {});
    assert.equal(response.status, 400);
    assert.equal(response.one('connection'), 'close');
    await serves();
  });
  test('plain HTTP on the TLS listener gets nothing', async () => {
    const wire = await Wire.open({ port: sidecar.port });
    wire.send(request());
    const received = await wire.closed();
    assert.ok(!received.includes('200'), received);
    await serves();
  });
});
