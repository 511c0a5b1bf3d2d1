import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeCa } from '../../support/certificates.js';
import { Workspace, withOption, withOptions } from './workspace.js';

let workspace: Workspace;
before(async () => {
  workspace = await Workspace.create();
  workspace.write('ca.pem', (await makeCa()).certPem);
});
after(() => workspace.remove());

const withProxies = (...trustedProxies: unknown[]) => withOption('listen.trustedProxies', trustedProxies);
const plain = (listen: Record<string, unknown>) => withOptions({ listen: { tls: null, ...listen } });

test('B09: nobody is trusted as a proxy unless the configuration says so', () => {
  assert.deepEqual(workspace.load(withOptions({})).config.listen.trustedProxies, []);
});

for (const everybody of [
  '0.0.0.0/0',
  '::/0',
  '10.0.0.0/0',
  '10.0.0.0/00',
  '::ffff:0:0/96',
  '::ffff:10.0.0.0/104',
]) {
  test(`B09: ${everybody} is refused`, () => {
    workspace.refuseAt('listen.trustedProxies[0].from[0]', withProxies({ from: [everybody] }));
  });
}

for (const wrong of ['10.0.0.1', 'gateway', '10.0.0.0/33', '', '*', 'unix:/a.sock']) {
  test(`B09: ${JSON.stringify(wrong)} names no trusted proxy`, () => {
    workspace.refuseAt('listen.trustedProxies[0].from[0]', withProxies({ from: [wrong] }));
  });
}

test('K07: an entry without addresses is refused, and passes on no certificates unless it says so', () => {
  workspace.refuseAt('listen.trustedProxies[0].from', withProxies({ from: [] }));
  workspace.refuseAt('listen.trustedProxies[0].from', withProxies({}));
  const { config } = workspace.load(withProxies({ from: ['10.0.0.0/8', '2001:db8::/32'] }));
  assert.deepEqual(config.listen.trustedProxies, [
    { from: ['10.0.0.0/8', '2001:db8::/32'], clientCertificate: 'none', ca: [] },
  ]);
  workspace.refuseAt(
    'listen.trustedProxies[0].clientCertificate',
    withProxies({ from: ['10.0.0.0/8'], clientCertificate: 'nginx' }),
  );
});

test('K07: CAs of an entry are read, and need a dialect', () => {
  const entry = { from: ['10.0.0.0/8'], ca: ['ca.pem'] };
  workspace.refuseAt('listen.trustedProxies[0].ca', withProxies(entry));
  workspace.refuseAt(
    'listen.trustedProxies[0].ca[0]',
    withProxies({ ...entry, clientCertificate: 'xfcc', ca: ['tls.key'] }),
  );
  const { config } = workspace.load(withProxies({ ...entry, clientCertificate: 'xfcc' }));
  assert.match(config.listen.trustedProxies[0]?.ca[0] ?? '', /BEGIN CERTIFICATE/);
});

test('K07: unix is for unix sockets, and CIDRs are for the network', () => {
  workspace.refuseAt('listen.trustedProxies[0].from[0]', withProxies({ from: ['unix'] }));
  const address = 'unix:/run/holdfast.sock';
  workspace.load(plain({ address, trustedProxies: [{ from: ['unix'] }] }));
  workspace.refuseAt(
    'listen.trustedProxies[0].from[0]',
    plain({ address, trustedProxies: [{ from: ['10.0.0.0/8'] }] }),
  );
});

test('DESIGN 2: plain HTTP that others can reach needs trusted proxies, serves only them, and is warned of', () => {
  const address = '0.0.0.0:8080';
  workspace.refuseAt('listen.address', plain({ address }));
  const open = plain({ address, trustedProxies: [{ from: ['10.0.0.0/8'] }] });
  assert.equal(workspace.load(open).config.listen.frontsOnly, true);
  assert.deepEqual(workspace.warnings(open), ['listen.address']);
  const local = plain({ address: '127.0.0.1:8080', trustedProxies: [{ from: ['10.0.0.0/8'] }] });
  assert.equal(workspace.load(local).config.listen.frontsOnly, false);
  assert.deepEqual(workspace.warnings(local), []);
  assert.equal(workspace.load(withProxies({ from: ['10.0.0.0/8'] })).config.listen.frontsOnly, false);
});

test('K07: a front that passes on certificates makes mtls routes possible', () => {
  const routes = [{ path: '/**', proof: 'mtls' }];
  const address = '127.0.0.1:8080';
  const listen = (clientCertificate: string) => ({
    ...{ tls: null, address },
    trustedProxies: [{ from: ['10.0.0.0/8'], clientCertificate }],
  });
  workspace.refuseAt('routes[0].proof', withOptions({ routes, listen: listen('none') }));
  workspace.load(withOptions({ routes, listen: listen('alb') }));
});

test('K02, K06: Client-Cert is off by default, and of no use without CAs', () => {
  assert.equal(workspace.load(withOptions({})).config.identity.clientCertificate, 'off');
  const on = { identity: { clientCertificate: 'rfc9440' } };
  assert.deepEqual(workspace.warnings(withOptions(on)), ['identity.clientCertificate']);
  const listen = { tls: { clientCertificates: { ca: ['ca.pem'] } } };
  assert.ok(!workspace.warnings(withOptions({ ...on, listen })).includes('identity.clientCertificate'));
  workspace.refuseAt('identity.clientCertificate', withOption('identity.clientCertificate', 'xfcc'));
});

test('J15: revocation lists do not reach certificates of CAs that a proxy has of its own, and the operator is told', async () => {
  const ca = await makeCa();
  workspace.write('revoking.pem', ca.certPem);
  workspace.write('revoked.crl', await ca.revoke([]));
  const tls = { clientCertificates: { ca: ['revoking.pem'], crl: ['revoked.crl'] } };
  const listen = (own: { ca?: string[] }) => ({
    tls,
    trustedProxies: [{ from: ['10.0.0.0/8'], clientCertificate: 'xfcc', ...own }],
  });
  const told = 'listen.trustedProxies[0].ca';
  assert.ok(workspace.warnings(withOptions({ listen: listen({ ca: ['revoking.pem'] }) })).includes(told));
  assert.ok(!workspace.warnings(withOptions({ listen: listen({}) })).includes(told));
});
