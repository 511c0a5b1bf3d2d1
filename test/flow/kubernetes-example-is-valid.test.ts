import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { makeCa } from '../support/certificates.js';
import { Child } from '../support/process.js';

const example = join(process.cwd(), 'deploy/kubernetes');

interface Container {
  readonly name: string;
  readonly restartPolicy?: string;
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts?: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: boolean;
  }[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly resources: { readonly requests?: object; readonly limits?: { readonly memory: string } };
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
}

interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string };
}

interface Pod {
  readonly initContainers: readonly Container[];
  readonly containers: readonly Container[];
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: {
    readonly runAsNonRoot: boolean;
    readonly seccompProfile: { readonly type: string };
  };
  readonly volumes: readonly {
    readonly name: string;
    readonly configMap?: { name: string };
    readonly secret?: { secretName: string };
  }[];
}

interface Labels {
  readonly matchLabels: Readonly<Record<string, string>>;
}

interface Deployment {
  readonly spec: {
    readonly replicas: number;
    readonly strategy: { readonly type: string };
    readonly selector: Labels;
    readonly template: {
      readonly metadata: {
        readonly labels: Readonly<Record<string, string>>;
        readonly annotations: Readonly<Record<string, string>>;
      };
      readonly spec: Pod;
    };
  };
}

interface Service {
  readonly spec: {
    readonly selector: Readonly<Record<string, string>>;
    readonly ports: readonly { readonly targetPort: number }[];
  };
}

interface NetworkPolicy {
  readonly spec: {
    readonly podSelector: Labels;
    readonly policyTypes: readonly string[];
    readonly ingress: readonly {
      readonly ports: readonly { readonly port: number }[];
      readonly from?: readonly object[];
    }[];
  };
}

interface Configuration {
  readonly listen: {
    readonly address: string;
    readonly tls: { readonly certificate: string; readonly key: string };
  };
  readonly upstream: { readonly url: string };
  readonly admin: { readonly address: string };
  readonly shutdown: { readonly grace: string };
}

let directory: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-kubernetes-'));
  const ca = await makeCa();
  const { certPem, keyPem } = await ca.issue({ cn: 'orders', usage: 'server', san: ['orders.example.com'] });
  await writeFile(join(directory, 'tls.crt'), certPem);
  await writeFile(join(directory, 'tls.key'), keyPem, { mode: 0o600 });
});

after(() => rm(directory, { recursive: true }));

test('issue 2 item 10: the configuration of the example passes holdfast check, without a warning', {
  timeout: 60_000,
}, async () => {
  const { code, text } = await check(await readFile(join(example, 'holdfast.yaml'), 'utf8'));
  assert.equal(code, 0, text);
  assert.doesNotMatch(text, /^# warnings$/m);
});

test('issue 2 item 10: one misspelt option in it does not pass', { timeout: 60_000 }, async () => {
  const configuration = await readFile(join(example, 'holdfast.yaml'), 'utf8');
  const { code, text } = await check(configuration.replace('upstream:', 'upstraem:'));
  assert.equal(code, 2);
  assert.match(text, /upstraem/);
});

test('L08: the Service leads to the sidecar and nothing leads to the application', async () => {
  const { spec: service } = await read<Service>('service.yaml');
  const { sidecar, application, template } = await readPod();
  const { listen, upstream } = await read<Configuration>('holdfast.yaml');
  assert.deepEqual(service.selector, template.metadata.labels);
  assert.deepEqual(
    service.ports.map(({ targetPort }) => targetPort),
    [portOf(listen.address)],
  );
  assert.equal(portNamed(sidecar, 'https'), portOf(listen.address));
  assert.match(upstream.url, /^http:\/\/127\.0\.0\.1:/);
  assert.equal(application.ports, undefined);
});

test('L08, S04: clients reach the TLS port, the metrics are for named pods, everything else is shut', async () => {
  const { spec: policy } = await read<NetworkPolicy>('network-policy.yaml');
  const { listen, admin } = await read<Configuration>('holdfast.yaml');
  const { template } = await readPod();
  assert.deepEqual(policy.podSelector.matchLabels, template.metadata.labels);
  assert.deepEqual(policy.policyTypes, ['Ingress']);
  const open = policy.ingress.filter(({ from }) => from === undefined).flatMap(({ ports }) => ports);
  const restricted = policy.ingress
    .filter(({ from }) => from !== undefined && from.length > 0)
    .flatMap(({ ports }) => ports);
  assert.deepEqual(open, [{ port: portOf(listen.address) }]);
  assert.deepEqual(restricted, [{ port: portOf(admin.address) }]);
  assert.equal(policy.ingress.length, 2);
});

test('S07: probes ask the admin socket, and the pod outlives the grace of the sidecar', async () => {
  const { admin, shutdown } = await read<Configuration>('holdfast.yaml');
  const { sidecar, pod, template } = await readPod();
  assert.equal(sidecar.restartPolicy, 'Always', 'a native sidecar');
  assert.equal(portNamed(sidecar, 'admin'), portOf(admin.address));
  assert.deepEqual(sidecar.startupProbe?.httpGet, { path: '/livez', port: 'admin' });
  assert.deepEqual(sidecar.readinessProbe?.httpGet, { path: '/readyz', port: 'admin' });
  assert.deepEqual(sidecar.livenessProbe?.httpGet, { path: '/livez', port: 'admin' });
  assert.equal(template.metadata.annotations['prometheus.io/port'], String(portOf(admin.address)));
  assert.ok(pod.terminationGracePeriodSeconds > Number.parseInt(shutdown.grace, 10));
});

test('issue 2 item 10: no container has a privilege', async () => {
  const { sidecar, application, pod } = await readPod();
  assert.deepEqual(pod.securityContext.seccompProfile, { type: 'RuntimeDefault' });
  assert.equal(pod.securityContext.runAsNonRoot, true);
  for (const { name, securityContext, resources } of [sidecar, application]) {
    const { runAsUser, runAsGroup, ...rest } = securityContext;
    assert.ok(Number(runAsUser) > 0 && Number(runAsGroup) > 0, name);
    assert.deepEqual(
      rest,
      { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
      name,
    );
    assert.ok(resources.requests !== undefined && resources.limits !== undefined, name);
  }
});

test('issue 2 item 10: every file that the configuration names is mounted, from a Secret', async () => {
  const { listen } = await read<Configuration>('holdfast.yaml');
  const { sidecar, pod } = await readPod();
  for (const file of [listen.tls.certificate, listen.tls.key]) {
    const mount = sidecar.volumeMounts?.find(({ mountPath }) => file.startsWith(`${mountPath}/`));
    assert.equal(mount?.readOnly, true, file);
    assert.ok(
      pod.volumes.some(({ name, secret }) => name === mount?.name && secret !== undefined),
      file,
    );
  }
});

test('I11: with a memory of proofs in the process, the example never runs two of them', async () => {
  const { spec } = await read<Deployment>('deployment.yaml');
  assert.equal(spec.replicas, 1);
  assert.equal(spec.strategy.type, 'Recreate');
  assert.deepEqual(spec.selector.matchLabels, spec.template.metadata.labels);
});

test('S15: the memory limit of the sidecar is above the documented sum, for the bounds of its configuration', async () => {
  const configuration = await read<object>('holdfast.yaml');
  const rows = await readMemoryTable();
  assert.ok(rows.length >= 6);
  const sum = (change: object = {}) =>
    rows.reduce((bytes, row) => bytes + row.bytes * timesOf(row.times, { ...configuration, ...change }), 0);
  const { sidecar } = await readPod();
  const limit = parseBytes(sidecar.resources.limits?.memory ?? '');
  assert.ok(sum() <= limit, `${sum()} bytes, of ${limit}`);
  // Twin: with the default of one of them it would not fit.
  assert.ok(sum({ replay: { capacity: 1_000_000 } }) > limit);
});

test('S12: no secret material lies beside the example', async () => {
  for (const name of await readdir(example)) {
    const text = await readFile(join(example, name), 'utf8');
    assert.doesNotMatch(text, /-----BEGIN|^kind: Secret$/m, name);
  }
});

async function check(configuration: string): Promise<{ code: number | null; text: string }> {
  const file = join(directory, 'holdfast.yaml');
  await writeFile(file, configuration.replaceAll('/tls/tls.', join(directory, 'tls.')));
  const child = Child.start({ name: 'holdfast check', args: ['dist/main.js', 'check', '--config', file] });
  return { code: await child.end(), text: child.text };
}

async function readPod() {
  const {
    spec: { template },
  } = await read<Deployment>('deployment.yaml');
  const [sidecar, ...otherInit] = template.spec.initContainers;
  const [application, ...others] = template.spec.containers;
  assert.ok(sidecar !== undefined && application !== undefined && otherInit.length + others.length === 0);
  return { sidecar, application, pod: template.spec, template };
}

async function read<T>(name: string): Promise<T> {
  const text = await readFile(join(example, name), 'utf8');
  assert.equal(parseAllDocuments(text).length, 1);
  return parse(text) as T;
}

/** The rows of the table of docs/operations.md that says what takes how much memory. */
async function readMemoryTable(): Promise<{ bytes: number; times: string }[]> {
  const text = await readFile(join(process.cwd(), 'docs/operations.md'), 'utf8');
  const [, section = ''] = text.split('\n### Memory\n');
  const rows = section.split('\n### ', 1)[0]?.matchAll(/^\| [^|]+ \| (\d[^|]*?) +\| ([^|]+?) +\|$/gm) ?? [];
  return [...rows].map(([, bytes = '', times = '']) => ({ bytes: parseBytes(bytes), times }));
}

/** @param text - as in `1.3 MB`, `512Mi` */
function parseBytes(text: string): number {
  const [, number = '', unit = ''] = /^([\d.]+) ?(B|MB|KiB|MiB|Mi)$/.exec(text) ?? [];
  const units: Readonly<Record<string, number>> = { B: 1, MB: 1e6, KiB: 2 ** 10, MiB: 2 ** 20, Mi: 2 ** 20 };
  const bytes = Number(number) * (units[unit] ?? Number.NaN);
  assert.ok(Number.isFinite(bytes), `not a size: ${text}`);
  return bytes;
}

/** @param times - a number, or the path of an option in backticks, which must be set */
function timesOf(times: string, configuration: object): number {
  const path = /^`([\w.]+)`$/.exec(times)?.[1];
  if (path === undefined) return Number(times);
  let value: unknown = configuration;
  for (const name of path.split('.')) value = Object(value)[name];
  assert.ok(typeof value === 'number', `${path} is not set`);
  return value;
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}

function portNamed({ ports = [] }: Container, wanted: string): number | undefined {
  return ports.find(({ name }) => name === wanted)?.containerPort;
}
