import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { describeRuntimeRisk } from '#holdfast/cli/runtime.js';
import { parseDockerfile, type Stage } from '../support/dockerfile.js';

const run = promisify(execFile);
const root = process.cwd();

/** Any day on which the release lines that the image may use are known to be supported. */
const releaseDay = Date.parse('2026-12-01');

interface Manifest {
  readonly version: string;
  readonly license: string;
}

interface Lockfile {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly optional?: boolean }>>;
}

interface PackReport {
  readonly files: readonly { readonly path: string }[];
}

test('issue 2 item 1: the published package holds what runs, and nothing else', {
  timeout: 120_000,
}, async () => {
  const published = await listPublished();
  const modules = (await listFiles('src', '.ts')).map((file) =>
    file.replace(/^src\/(.+)\.ts$/, 'dist/$1.js'),
  );
  assert.deepEqual(
    published.toSorted(),
    [...modules, 'LICENSE', 'README.md', 'docs/holdfast.schema.json', 'package.json'].toSorted(),
  );
});

test('issue 2 item 1: the licence is the one that the package names', async () => {
  const { license } = await readJson<Manifest>('package.json');
  assert.equal(license, 'Apache-2.0');
  const text = await readFile(join(root, 'LICENSE'), 'utf8');
  assert.match(text, /^\s+Apache License\n\s+Version 2\.0, January 2004\n/);
  assert.match(text, /END OF TERMS AND CONDITIONS/);
});

test('issue 2 item 1: the changelog has an entry for this version', async () => {
  const { version } = await readJson<Manifest>('package.json');
  const changelog = await readFile(join(root, 'CHANGELOG.md'), 'utf8');
  assert.ok(changelog.includes(`\n## [${version}] - `), `no section for ${version}`);
});

test('DESIGN 7: the product runs from what the last stage of the image is given', {
  timeout: 120_000,
}, async () => {
  const image = await mkdtemp(join(tmpdir(), 'holdfast-image-'));
  try {
    const copied = await fillLikeImage(image);
    assert.ok(copied.includes('node_modules/http-proxy') && !copied.includes('node_modules/typescript'));
    const { version } = await readJson<Manifest>('package.json');
    const { stdout } = await run(process.execPath, [join(image, 'dist/main.js'), '--version'], { cwd: '/' });
    assert.equal(stdout, `${version}\n`);
  } finally {
    await rm(image, { recursive: true });
  }
});

test('S10: every stage of the image is on a supported release line of Node', async () => {
  const stages = await readStages();
  for (const { image } of stages) {
    assert.doesNotMatch(image, /:latest\b/);
    assert.match(image, /:[a-z0-9.-]+(?:@sha256:[0-9a-f]{64})?$/, 'a tag says which');
    const [, major] = /\bnode(?:js)?:?([0-9]+)/.exec(image) ?? [];
    assert.ok(major !== undefined, `${image} does not say which Node`);
    assert.equal(describeRuntimeRisk(`${major}.99.0`, releaseDay), undefined, image);
  }
  assert.ok(stages.length >= 2, 'the compiler stays behind in a stage of its own');
});

test('DESIGN 7: the image runs as a numbered user that is not root', async () => {
  const user = lastStage(await readStages()).only('USER');
  assert.match(user, /^[1-9][0-9]*:[1-9][0-9]*$/);
});

test('DESIGN 7: the image needs no shell', async () => {
  const stage = lastStage(await readStages());
  assert.deepEqual(stage.all('RUN'), []);
  const entrypoint = parseExecForm(stage.only('ENTRYPOINT'));
  const command = parseExecForm(stage.only('CMD'));
  const check = parseExecForm(stage.only('HEALTHCHECK').replace(/^.*? CMD /, ''));
  assert.deepEqual(command.slice(0, 2), ['serve', '--config']);
  assert.deepEqual(
    check,
    [...entrypoint, 'health', ...command.slice(1)],
    'the same program and configuration',
  );
});

test('DESIGN 7: what the image copies is let through to the build, and nothing else is', async () => {
  const [first, ...allowed] = await readRules('.dockerignore');
  assert.equal(first, '*');
  const sources = new Set(
    (await readStages())
      .flatMap((stage) => stage.all('COPY'))
      .filter((copy) => !copy.startsWith('--from='))
      .flatMap((copy) => copy.split(' ').slice(0, -1)),
  );
  assert.deepEqual(allowed.toSorted(), [...sources].map((source) => `!${source}`).toSorted());
});

test('DESIGN 7: the image says its version', async () => {
  const { version } = await readJson<Manifest>('package.json');
  assert.ok(
    lastStage(await readStages())
      .all('ARG')
      .includes(`VERSION=${version}`),
  );
});

async function listPublished(): Promise<string[]> {
  // Without scripts: `prepack` would rebuild dist/ under the feet of the tests that run beside this one.
  const arguments_ = ['pack', '--dry-run', '--json', '--ignore-scripts', '--offline'];
  const { stdout } = await run('npm', arguments_, { cwd: root, maxBuffer: 16 * 1024 * 1024 });
  const [report] = JSON.parse(stdout) as PackReport[];
  return (report?.files ?? []).map(({ path }) => path);
}

async function listFiles(directory: string, suffix: string): Promise<string[]> {
  const entries = await readdir(join(root, directory), { recursive: true });
  return entries.filter((name) => name.endsWith(suffix)).map((name) => `${directory}/${name}`);
}

/** Does offline what the stages do: production packages by the lockfile, the compiled product, package.json. */
async function fillLikeImage(image: string): Promise<readonly string[]> {
  const { packages } = await readJson<Lockfile>('package-lock.json');
  const production = Object.entries(packages).filter(
    ([path, { dev, optional }]) => path !== '' && !dev && !optional,
  );
  const paths = [...production.map(([path]) => path), ...(await listPublished())];
  for (const path of paths.filter((one) => /^(?:node_modules|dist)\/|^package\.json$/.test(one))) {
    await cp(join(root, path), join(image, path), { recursive: true, dereference: true });
  }
  return paths;
}

async function readStages(): Promise<readonly Stage[]> {
  return parseDockerfile(await readFile(join(root, 'Dockerfile'), 'utf8'));
}

function lastStage(stages: readonly Stage[]): Stage {
  const last = stages.at(-1);
  assert.ok(last !== undefined, 'no stage');
  return last;
}

function parseExecForm(value: string): string[] {
  const parsed: unknown = JSON.parse(value);
  assert.ok(Array.isArray(parsed), `not the exec form: ${value}`);
  return parsed.map(String);
}

async function readRules(name: string): Promise<string[]> {
  const lines = (await readFile(join(root, name), 'utf8')).split('\n');
  return lines.filter((line) => line !== '' && !line.startsWith('#'));
}

async function readJson<T>(name: string): Promise<T> {
  return JSON.parse(await readFile(join(root, name), 'utf8')) as T;
}
