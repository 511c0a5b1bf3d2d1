import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { ListenTlsConfig } from '#holdfast/config/config.js';
import { TlsReload } from '#holdfast/config/tls-reload.js';
import { type Ca, makeCa } from '../../support/certificates.js';
import { ManualClock } from '../../support/manual-clock.js';
import { now, privateKeyPem, Workspace, withOption } from './workspace.js';

let workspace: Workspace;
let ca: Ca;
let other: Ca;
before(async () => {
  workspace = await Workspace.create();
  ca = await makeCa();
  other = await makeCa();
});
after(() => workspace.remove());

interface Observed {
  readonly applied: { changed: readonly string[]; tls: ListenTlsConfig }[];
  readonly failed: (readonly string[])[];
}

let observed: Observed;
let refusal: Error | undefined;
let reload: TlsReload;
beforeEach(() => {
  workspace.write('ca.pem', ca.certPem);
  const { config, tlsFiles } = workspace.load(withOption('listen.tls.clientCertificates.ca', ['ca.pem']));
  assert.ok(tlsFiles !== undefined && config.listen.tls !== undefined);
  observed = { applied: [], failed: [] };
  refusal = undefined;
  reload = new TlsReload({
    files: tlsFiles,
    current: config.listen.tls,
    clock: new ManualClock(now),
    apply: (tls, { changed }) => {
      if (refusal !== undefined) throw refusal;
      observed.applied.push({ changed, tls });
    },
    failed: (problems) => observed.failed.push(problems),
  });
});

test('S05: all files of listen.tls are watched', () => {
  const { tlsFiles } = workspace.load(
    withOption('listen.tls.clientCertificates', { ca: ['ca.pem', 'tls.crt'] }),
  );
  assert.deepEqual(
    tlsFiles?.names,
    ['tls.crt', 'tls.key', 'ca.pem', 'tls.crt'].map((name) => `${workspace.directory}/${name}`),
  );
});

test('S05: without listen.tls there is nothing to watch', () => {
  const { tlsFiles } = workspace.load(
    withOption('listen', { address: '127.0.0.1:0', origins: ['http://a.example'], tls: null }),
  );
  assert.equal(tlsFiles, undefined);
});

test('S05: who asks is told, also when nothing has changed', async () => {
  await reload.now();
  assert.deepEqual(
    observed.applied.map(({ changed }) => changed),
    [[]],
  );
  assert.deepEqual(reload.state, { result: 'ok', atMs: now, problems: [] });
});

test('J14: what has changed is applied, and named', async () => {
  workspace.write('ca.pem', other.certPem);
  await reload.now();
  const [{ changed, tls } = assert.fail()] = observed.applied;
  assert.deepEqual(changed, ['ca']);
  assert.equal(tls.clientCertificates.ca[0]?.trim(), other.certPem.trim());
  workspace.write('ca.pem', ca.certPem);
  await reload.now();
  assert.deepEqual(observed.applied[1]?.changed, ['ca']);
});

test('J15: a bad file is told with its option, and nothing is applied', async () => {
  workspace.write('ca.pem', privateKeyPem());
  await reload.now();
  assert.deepEqual(observed.applied, []);
  assert.deepEqual(observed.failed, [
    ['listen.tls.clientCertificates.ca[0]: the file does not hold certificates in PEM'],
  ]);
  assert.equal(reload.state?.result, 'error');
  workspace.write('ca.pem', ca.certPem);
  await reload.now();
  assert.equal(reload.state?.result, 'ok');
});

test('J15: what OpenSSL refuses when it is applied is a failure', async () => {
  workspace.write('ca.pem', other.certPem);
  refusal = new Error('ee key too small');
  await reload.now();
  assert.deepEqual(observed.failed, [['ee key too small']]);
  refusal = undefined;
  await reload.now();
  assert.deepEqual(observed.applied[0]?.changed, ['ca'], 'it was not taken for applied');
});
