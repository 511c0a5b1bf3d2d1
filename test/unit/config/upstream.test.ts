import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Workspace, withOption, withOptions } from './workspace.js';

let workspace: Workspace;
before(async () => {
  workspace = await Workspace.create();
});
after(() => workspace.remove());

const urls = {
  'http://127.0.0.1:8080': { scheme: 'http', host: '127.0.0.1', port: 8080 },
  'http://localhost/': { scheme: 'http', host: 'localhost', port: 80 },
  'http://[::1]:8080': { scheme: 'http', host: '::1', port: 8080 },
  'https://orders.internal': { scheme: 'https', host: 'orders.internal', port: 443 },
  'unix:/run/orders.sock': { socketPath: '/run/orders.sock' },
};
for (const [url, target] of Object.entries(urls)) {
  test(`DESIGN 2: upstream ${url}, as a text and as a mapping`, () => {
    assert.deepEqual(workspace.load(withOptions({ upstream: url })).config.upstream.target, target);
    assert.deepEqual(workspace.load(withOption('upstream.url', url)).config.upstream.target, target);
  });
}

for (const url of [
  '127.0.0.1:8080',
  'http://127.0.0.1/api',
  'http://127.0.0.1?x',
  'http://127.0.0.1:0',
  'http://127.1',
  'ftp://127.0.0.1',
  'unix:orders.sock',
  8080,
]) {
  test(`DESIGN 2: ${url} is no upstream`, () => {
    workspace.refuseAt('upstream.url', withOption('upstream.url', url));
  });
}

for (const url of ['http://10.0.0.5', 'http://orders.internal:8080', 'http://[fd00::1]']) {
  test(`B17: clear text to ${url} is refused, and warned about where it is allowed`, () => {
    assert.match(workspace.refuseAt('upstream.url', withOption('upstream.url', url)), /allowCleartext: true/);
    assert.deepEqual(workspace.warnings(withOption('upstream', { url, allowCleartext: true })), [
      'upstream.url',
    ]);
  });
}

test('B17: loopback and TLS need no permission and no warning', () => {
  for (const url of ['http://127.0.0.1', 'http://localhost:1', 'https://10.0.0.5', 'unix:/run/a']) {
    assert.deepEqual(workspace.warnings(withOption('upstream.url', url)), []);
  }
});

test('B16: trust and certificate towards the service', () => {
  const tls = { ca: 'tls.crt', certificate: 'tls.crt', key: 'tls.key', serverName: 'orders' };
  const { upstream } = workspace.load(withOption('upstream', { url: 'https://10.0.0.5', tls })).config;
  assert.match(upstream.tls.ca?.[0] ?? '', /BEGIN CERTIFICATE/);
  assert.match(upstream.tls.key ?? '', /PRIVATE KEY/);
  assert.equal(upstream.tls.serverName, 'orders');
});

test('B16: TLS options are whole, and not given in vain', () => {
  const https = 'https://10.0.0.5';
  workspace.refuseAt(
    'upstream.tls.key',
    withOption('upstream', { url: https, tls: { certificate: 'tls.crt' } }),
  );
  workspace.refuseAt(
    'upstream.tls.certificate',
    withOption('upstream', { url: https, tls: { key: 'tls.key' } }),
  );
  workspace.refuseAt('upstream.tls', withOption('upstream.tls', { ca: 'tls.crt' }));
  workspace.refuseAt('upstream.tls.ca', withOption('upstream', { url: https, tls: { ca: 'tls.key' } }));
});
