import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { loadConfig } from '#holdfast/config/load.js';
import { ConfigError } from '#holdfast/config/problems.js';
import { now, tenLines, Workspace, withOption, withOptions } from './workspace.js';

let workspace: Workspace;
before(async () => {
  workspace = await Workspace.create();
});
after(() => workspace.remove());

test('DESIGN 2: ten lines are enough, and mean what the design says', () => {
  const { config, warnings } = workspace.load(tenLines);
  assert.deepEqual(warnings, []);
  assert.deepEqual(config.listen.address, { host: '0.0.0.0', port: 8443 });
  assert.equal(config.listen.resource, 'https://orders.example.com');
  assert.match(config.listen.tls?.certificate ?? '', /BEGIN CERTIFICATE/);
  assert.deepEqual(config.listen.tls?.clientCertificates, { mode: 'optional', ca: [], crl: [] });
  assert.deepEqual(config.upstream.target, { scheme: 'http', host: '127.0.0.1', port: 8080 });
  assert.deepEqual(config.issuers[0]?.audience, ['https://orders.example.com']);
  assert.deepEqual(config.issuers[0]?.keys, 'discovery');
  assert.equal(config.issuers[0]?.tokenType, 'at+jwt');
  assert.deepEqual(
    config.routes.map(({ path, proof }) => ({ path, proof })),
    [{ path: '/**', proof: 'any' }],
  );
  assert.deepEqual(config.replay, {
    store: 'memory',
    capacity: 1_000_000,
    perKey: 100_000,
    perClient: 500_000,
  });
  assert.deepEqual(config.identity.headers[1], { name: 'X-Auth-Type', source: { fact: 'type' } });
  assert.deepEqual(config.exceptions, []);
});

test('DESIGN 2: defaults carry their units', () => {
  const { config } = workspace.load(tenLines);
  assert.deepEqual(config.listen.limits, {
    headerBytes: 16_384,
    headerCount: 100,
    targetBytes: 8192,
    bodyBytes: Number.POSITIVE_INFINITY,
    connections: 10_000,
    connectionsPerAddress: 1000,
    headersTimeoutMs: 10_000,
    requestTimeoutMs: 300_000,
    idleTimeoutMs: 65_000,
  });
  assert.equal(config.upstream.connectTimeoutMs, 5000);
  assert.equal(config.upstream.streamIdleTimeoutMs, 3_600_000);
  assert.equal(config.upstream.expiryGraceMs, 0);
  assert.equal(config.routes[0]?.websocket, false);
  assert.deepEqual(config.upstream.queue, { length: 1024, waitMs: 5000 });
  assert.equal(config.issuers[0]?.leewaySeconds, 10);
  assert.deepEqual(
    [config.dpop.maxAgeSeconds, config.dpop.clockSkewSeconds, config.dpop.nonceLifetimeSeconds],
    [60, 10, 300],
  );
  assert.equal(config.shutdown.graceMs, 30_000);
});

test('DESIGN 2: every problem is reported at once, in the order of the file, with its line', () => {
  const problems = workspace.refuse(`listen:
  origins: [https://orders.example.com/path]
  limits:
    headersTimout: 5s
upstream:
  url: http://10.0.0.5:80
issuers:
  - issuer: https://login.example.com
    audience: a
    leeway: 61s
dpop:
  maxAge: 4s
routes:
  - path: /a
  - path: /b
    proof: maybe
`);
  assert.deepEqual(
    problems.map(({ line, path }) => `${line} ${path}`),
    [
      '2 listen.origins[0]',
      '4 listen.limits.headersTimout',
      '6 upstream.url',
      '10 issuers[0].leeway',
      '12 dpop.maxAge',
      '16 routes[1].proof',
    ],
  );
  assert.equal(problems[4]?.message.startsWith('"4s" is not allowed; expected a duration'), true);
  assert.match(problems[4]?.message ?? '', /from 5s to 300s$/);
  assert.match(problems[1]?.message ?? '', /did you mean headersTimeout\?$/);
});

test('DESIGN 2: what is missing is placed where it belongs', () => {
  assert.deepEqual(
    workspace.refuse('log: {}\n').map(({ path, message }) => `${path} ${message.split(';')[0]}`),
    ['issuers required', 'listen required', 'upstream required'],
  );
  const [problem] = workspace.refuse(tenLines.replace(/\n {4}audience.*/, ''));
  assert.deepEqual([problem?.path, problem?.line], ['issuers[0].audience', 6]);
});

for (const path of [
  'listen.tls.certificates',
  'dpop.maxage',
  'admin.adress',
  'replay.per_key',
  'shutdwon.grace',
]) {
  test(`DESIGN 2: an unknown option is a problem: ${path}`, () => {
    const unknown = path.startsWith('shutdwon') ? 'shutdwon' : path;
    assert.match(workspace.refuseAt(unknown, withOption(path, 'x')), /unknown option; did you mean \w+\?/);
  });
}

test('DESIGN 2: a name that resembles nothing gets the list of options', () => {
  assert.match(
    workspace.refuseAt('log.destination', withOption('log.destination', 'x')),
    /expected one of level$/,
  );
});

const later = ['profile', 'replay.redis', 'replay.onUnavailable', 'exceptionsFile', 'revocations', 'report'];
for (const path of later) {
  test(`DESIGN 2: an option of a later version is refused, not ignored: ${path}`, () => {
    assert.equal(workspace.refuseAt(path, withOption(path, 'x')), 'not supported by this version');
  });
}

test('DESIGN 2: an option that was removed is refused, and what takes its place is named', () => {
  const path = 'listen.limits.failedSignaturesPerAddress';
  assert.equal(
    workspace.refuseAt(path, withOption(path, 100)),
    'removed: verifications are shared fairly among clients while there are too many, and nothing is to be set',
  );
});

test('DESIGN 2: options of a later version are refused inside lists too', () => {
  const issuers = [{ issuer: 'https://login.example.com', audience: 'a', introspection: {} }];
  const routes = [{ path: '/a', enforcement: 'report' }];
  assert.deepEqual(
    workspace.refuse(withOptions({ issuers, routes })).map(({ path, message }) => `${path} ${message}`),
    ['issuers[0].introspection', 'routes[0].enforcement'].map(
      (path) => `${path} not supported by this version`,
    ),
  );
  assert.match(
    workspace.refuseAt('replay.store', withOption('replay.store', 'redis')),
    /redis: not supported by this version/,
  );
});

test('DESIGN 2: a file that cannot be read is refused', () => {
  assert.throws(
    () => loadConfig(`${workspace.directory}/absent.yaml`, {}, now),
    (error) => error instanceof ConfigError && /cannot be read \(ENOENT\)/.test(error.message),
  );
});

test('DESIGN 2: false is taken for off', () => {
  const off = workspace.load(
    withOptions({ dpop: { nonce: false }, listen: { tls: { clientCertificates: { mode: false } } } }),
  );
  assert.equal(off.config.dpop.nonce, 'off');
  assert.equal(off.config.listen.tls?.clientCertificates.mode, 'off');
  assert.equal(workspace.load(`${tenLines}dpop:\n  nonce: off\n`).config.dpop.nonce, 'off');
  workspace.refuseAt('dpop.nonce', withOption('dpop.nonce', true));
});

test('DESIGN 5: the effective policy is a configuration that loads to itself', () => {
  const first = workspace.load(
    withOptions({
      dpop: { maxAge: '90s', nonce: 'required', nonceSecret: 'secret.bin' },
      listen: { limits: { bodyBytes: '1MiB', requestTimeout: 'unlimited' } },
      upstream: { url: 'https://service.example:8443', tls: { ca: 'tls.crt' } },
      routes: [{ path: '/a/**', claims: { tenant: ['x', 1, true] } }],
      exceptions: [],
    }),
  );
  const again = workspace.load(first.policy);
  assert.equal(again.policy, first.policy);
  assert.equal(again.hash, first.hash);
  assert.deepEqual(again.config, first.config);
});

test('DESIGN 6: the hash names what is enforced', () => {
  const { hash } = workspace.load(tenLines);
  assert.match(hash, /^[\w-]{12}$/);
  assert.equal(workspace.load(`# a comment\n${tenLines}dpop: { maxAge: 60s }\n`).hash, hash);
  assert.notEqual(workspace.load(`${tenLines}dpop: { maxAge: 61s }\n`).hash, hash);
});
