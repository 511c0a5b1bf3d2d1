import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { privateKeyPem, Workspace, withOption, withOptions } from './workspace.js';

let workspace: Workspace;
before(async () => {
  workspace = await Workspace.create();
  workspace.write('other.key', privateKeyPem());
  workspace.write('garbage.pem', 'not a certificate');
});
after(() => workspace.remove());

const plain = (listen: Record<string, unknown>) => withOptions({ listen: { tls: null, ...listen } });

const addresses = {
  '127.0.0.1:0': { host: '127.0.0.1', port: 0 },
  '[::1]:8443': { host: '::1', port: 8443 },
  'localhost:65535': { host: 'localhost', port: 65_535 },
  'unix:/run/holdfast.sock': { socketPath: '/run/holdfast.sock' },
};
for (const [written, loaded] of Object.entries(addresses)) {
  test(`DESIGN 2: listen.address ${written}`, () => {
    assert.deepEqual(workspace.load(withOption('listen.address', written)).config.listen.address, loaded);
  });
}

for (const written of [
  '8443',
  ':8443',
  '127.0.0.1',
  '127.1:8443',
  '::1:8443',
  '[::1]',
  'a:65536',
  'a:080',
  'unix:run.sock',
  `unix:/${'a'.repeat(107)}`,
]) {
  test(`DESIGN 2: ${written} is no listen.address`, () => {
    workspace.refuseAt('listen.address', withOption('listen.address', written));
  });
}

for (const section of ['listen', 'admin'] as const) {
  const withMode = (socketMode: unknown, address = `unix:/run/${section}.sock`) =>
    withOptions({ [section]: { address, socketMode } });
  test(`S17: ${section}.socketMode`, () => {
    const { config } = workspace.load(withOption(`${section}.address`, 'unix:/run/holdfast.sock'));
    assert.equal(config[section].socketMode, 0o600);
    for (const [written, mode] of Object.entries({ '0600': 0o600, '0660': 0o660, '0777': 0o777 }))
      assert.equal(workspace.load(withMode(written)).config[section].socketMode, mode);
    for (const wrong of [660, 0o660, '660', '0560', '0680', '01600', '0o660', 'rw-rw----', ''])
      assert.match(workspace.refuseAt(`${section}.socketMode`, withMode(wrong)), /in quotes/);
    assert.match(
      workspace.refuseAt(`${section}.socketMode`, withMode('0660', '127.0.0.1:0')),
      /no unix socket/,
    );
    workspace.load(withMode('0600', '127.0.0.1:0'));
  });
}

for (const address of ['0.0.0.0:8080', '[::]:8080', '10.0.0.1:8080', 'gateway:8080']) {
  test(`DESIGN 2: plain HTTP on ${address} is refused`, () => {
    assert.match(workspace.refuseAt('listen.address', plain({ address })), /loopback/);
    workspace.load(withOption('listen.address', address));
  });
}

for (const address of [
  '127.0.0.1:8080',
  '127.9.9.9:8080',
  '[::1]:8080',
  'localhost:8080',
  'unix:/run/h.sock',
]) {
  test(`DESIGN 2: plain HTTP on ${address} is allowed`, () => {
    const { config } = workspace.load(
      plain({ address, origins: ['http://orders.example.com', 'https://orders.example.com'] }),
    );
    assert.equal(config.listen.tls, undefined);
  });
}

test('DESIGN 2: http:// origins are refused with TLS', () => {
  assert.match(
    workspace.refuseAt('listen.origins[0]', withOption('listen.origins', ['http://a.example'])),
    /https:\/\//,
  );
});

const origins = [
  'https://a.example',
  'https://a.example:8443',
  'https://xn--bcher-kva.example',
  'https://10.0.0.1',
  'https://[2001:db8::1]:444',
  'https://localhost',
];
for (const origin of origins) {
  test(`N05: ${origin} is an origin`, () => {
    assert.deepEqual(workspace.load(withOption('listen.origins', [origin])).config.listen.origins, [origin]);
  });
}

const notOrigins = [
  'a.example',
  'https://A.example',
  'https://a.example/',
  'https://a.example/x',
  'https://a.example?x',
  'https://u@a.example',
  'https://bücher.example',
  'https://аpi.example',
  'https://a.example:0',
  'https://a.example:65536',
  'https://a.example:0443',
  'https://127.1',
  'https://0x7f.1',
  'https://0x7f',
  'https://a..example',
  'https://a.example.',
  'https://*.example',
  'https://[::g]',
  'ftp://a.example',
  'https://',
  '',
];
for (const origin of notOrigins) {
  test(`N05, N06: ${JSON.stringify(origin)} is no origin`, () => {
    workspace.refuseAt('listen.origins[0]', withOption('listen.origins', [origin]));
  });
}

test('DESIGN 2: origins are required, each once', () => {
  workspace.refuseAt('listen.origins', withOption('listen.origins', []));
  workspace.refuseAt('listen.origins', withOption('listen.origins', 'https://a.example'));
  workspace.refuseAt(
    'listen.origins[1]',
    withOption('listen.origins', ['https://a.example', 'https://a.example']),
  );
});

test('DESIGN 2: pathPrefix becomes part of the resource', () => {
  const { listen } = workspace.load(withOption('listen.pathPrefix', '/svc1/v2')).config;
  assert.deepEqual([listen.pathPrefix, listen.resource], ['/svc1/v2', 'https://orders.example.com/svc1/v2']);
  for (const prefix of ['svc1', '/', '/svc1/', '//svc1', '/a/../b', '/a?b', '/a%2Fb']) {
    workspace.refuseAt('listen.pathPrefix', withOption('listen.pathPrefix', prefix));
  }
});

test('RFC 9728 §1.2: a resource identifier has no fragment', () => {
  const { config } = workspace.load(withOption('listen.resource', 'https://api.example/orders'));
  assert.equal(config.listen.resource, 'https://api.example/orders');
  for (const resource of [
    'api',
    'https://api.example/#a',
    'https://api.example/?a',
    'https://u@api.example/',
    'ftp://a',
  ]) {
    workspace.refuseAt('listen.resource', withOption('listen.resource', resource));
  }
});

test('DESIGN 2: certificate and key are read and must fit', () => {
  assert.match(
    workspace.refuseAt('listen.tls.key', withOption('listen.tls.key', 'other.key')),
    /does not belong/,
  );
  assert.match(
    workspace.refuseAt('listen.tls.key', withOption('listen.tls.key', 'tls.crt')),
    /no unencrypted private key/,
  );
  assert.match(
    workspace.refuseAt('listen.tls.certificate', withOption('listen.tls.certificate', 'garbage.pem')),
    /certificates in PEM/,
  );
  assert.match(
    workspace.refuseAt('listen.tls.certificate', withOption('listen.tls.certificate', 'absent.crt')),
    /ENOENT/,
  );
  assert.match(
    workspace.refuseAt('listen.tls.certificate', withOption('listen.tls.certificate', '.')),
    /EISDIR/,
  );
});

test('DESIGN 2: a certificate that is out of date is warned about', () => {
  const text = withOption('listen.tls', { certificate: 'expired.crt', key: 'expired.key' });
  assert.deepEqual(workspace.warnings(text), ['listen.tls.certificate']);
});

test('J07: trust anchors of clients are named one by one', () => {
  const { config } = workspace.load(
    withOption('listen.tls.clientCertificates', { mode: 'required', ca: ['tls.crt'] }),
  );
  assert.match(config.listen.tls?.clientCertificates.ca[0] ?? '', /BEGIN CERTIFICATE/);
  const path = 'listen.tls.clientCertificates.ca[0]';
  workspace.refuseAt(path, withOption('listen.tls.clientCertificates.ca', ['garbage.pem']));
  workspace.refuseAt(
    'listen.tls.clientCertificates.ca',
    withOption('listen.tls.clientCertificates', { mode: 'off', ca: ['tls.crt'] }),
  );
});

test('J13: nothing below TLS 1.2', () => {
  workspace.load(withOption('listen.tls.minVersion', 'TLSv1.3'));
  for (const version of ['TLSv1.1', 'TLSv1', 1.2])
    workspace.refuseAt('listen.tls.minVersion', withOption('listen.tls.minVersion', version));
});

test('DESIGN 2: limits that contradict each other are refused', () => {
  workspace.refuseAt(
    'listen.limits.targetBytes',
    withOption('listen.limits', { headerBytes: '4KiB', targetBytes: '5KiB' }),
  );
  workspace.load(withOption('listen.limits', { headerBytes: '5KiB', targetBytes: '5KiB' }));
  workspace.refuseAt(
    'listen.limits.headersTimeout',
    withOption('listen.limits', { headersTimeout: '11s', requestTimeout: '10s' }),
  );
});

test('S04: the admin socket is not the public one', () => {
  workspace.refuseAt('admin.address', withOption('admin.address', '0.0.0.0:8443'));
  workspace.load(withOptions({ listen: { address: '127.0.0.1:0' }, admin: { address: '127.0.0.1:0' } }));
  workspace.refuseAt(
    'admin.address',
    withOptions({ listen: { address: 'unix:/a' }, admin: { address: 'unix:/a' } }),
  );
});
