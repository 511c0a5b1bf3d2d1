import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import { Checkpoint } from '../support/checkpoint.js';
import { findFreePort, portOf } from '../support/ports.js';
import { mainScript } from '../support/sidecar.js';

const timeout = 120_000;

interface Verdict {
  readonly code: number | null;
  readonly said: string;
}

function startHealth(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [mainScript, 'health', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  });
  const ended = Promise.all([once(child, 'exit'), text(child.stderr)]).then(
    ([[code], said]): Verdict => ({ code: code as number | null, said }),
  );
  return { child, ended };
}

const health = (args: readonly string[], env: Record<string, string> = {}) => startHealth(args, env).ended;

const well: Verdict = { code: 0, said: '' };

/** An admin socket that answers with this status to everything; `paths` is what it was asked for. */
async function startAdmin(
  t: TestContext,
  status: number,
  body = '',
): Promise<{ port: number; paths: string[] }> {
  const paths: string[] = [];
  const server = http.createServer((request, response) => {
    paths.push(request.url ?? '');
    response.writeHead(status).end(body);
  });
  return { port: await listen(t, server), paths };
}

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return portOf(server);
}

/** Takes connections and does with them what it is told. */
async function startSilent(t: TestContext, answer: (socket: Socket) => void): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    answer(socket);
  });
  t.after(() => sockets.forEach((socket) => void socket.destroy()));
  return listen(t, server);
}

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-health-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

function writeConfig(t: TestContext, content: string): string {
  const file = join(makeFolder(t), 'holdfast.yaml');
  writeFileSync(file, content);
  return file;
}

describe('S17: health', { timeout }, () => {
  test('a pair that is half exchanged makes no running process unhealthy', async (t) => {
    const checkpoint = await Checkpoint.start({ tls: {} });
    t.after(() => checkpoint.stop());
    const { sidecar, ca } = checkpoint;
    const other = await ca.issue({ cn: 'api.test', usage: 'server', san: ['api.test'] });
    sidecar.write('server.pem', other.certPem);
    const address = `127.0.0.1:${sidecar.adminPort}`;
    const config = {
      listen: { origins: ['https://api.test'], tls: { certificate: 'server.pem', key: 'server.key' } },
      upstream: 'http://127.0.0.1:9',
      issuers: [{ issuer: 'https://as.test', audience: 'a' }],
      admin: { address },
    };
    sidecar.write('holdfast.yaml', JSON.stringify(config));
    for (const args of [[], ['--ready']])
      assert.deepEqual(await health(['--config', sidecar.path('holdfast.yaml'), ...args]), well);
    assert.deepEqual(await health(['--address', address]), well);
  });

  test('what is wrong with everything but admin.address does not matter', async (t) => {
    const { port, paths } = await startAdmin(t, 200);
    const file = writeConfig(
      t,
      `listen: { tls: { certificate: absent } }\nissuers: \${ABSENT}\nlisten: 1\nadmin: { address: "127.0.0.1:\${PORT}", other: 1 }\n`,
    );
    assert.deepEqual(await health(['--config', file], { PORT: String(port) }), well);
    assert.deepEqual(paths, ['/livez']);
  });

  test('--ready asks for readiness', async (t) => {
    const { port, paths } = await startAdmin(t, 503, 'not ready: draining\n');
    const { code, said } = await health(['--ready', '--address', `127.0.0.1:${port}`]);
    assert.equal(code, 1);
    assert.match(said, /503.*draining/);
    assert.deepEqual(paths, ['/readyz']);
  });

  test('--address reads no configuration', async (t) => {
    const { port } = await startAdmin(t, 200);
    assert.deepEqual(await health(['--config', '/absent', '--address', `127.0.0.1:${port}`]), well);
  });

  test('a unix socket', async (t) => {
    const path = join(makeFolder(t), 'admin.sock');
    const server = http.createServer((_, response) => response.end()).listen(path);
    await once(server, 'listening');
    t.after(() => server.close());
    assert.deepEqual(await health(['--address', `unix:${path}`]), well);
  });

  test('nobody there: exit code 1', async () => {
    const { code, said } = await health(['--address', `127.0.0.1:${await findFreePort()}`]);
    assert.equal(code, 1);
    assert.match(said, /^not alive: .*ECONNREFUSED/);
  });

  const silences: Record<string, (socket: Socket) => void> = {
    'says nothing': () => {},
    'never ends what it says': (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nX: ');
      const timer = setInterval(() => socket.write('x'), 50);
      socket.on('close', () => clearInterval(timer));
    },
  };
  for (const [title, answer] of Object.entries(silences)) {
    test(`somebody who ${title}: exit code 1`, async (t) => {
      const port = await startSilent(t, answer);
      const { code, said } = await health(['--address', `127.0.0.1:${port}`]);
      assert.equal(code, 1);
      assert.match(said, /no answer within 3 s/);
    });
  }

  test('SIGTERM ends it at once: exit code 130', async (t) => {
    let child: ReturnType<typeof startHealth>['child'] | undefined;
    const port = await startSilent(t, () => child?.kill('SIGTERM'));
    const started = startHealth(['--address', `127.0.0.1:${port}`]);
    child = started.child;
    assert.deepEqual(await started.ended, { code: 130, said: '' });
  });

  test('an address that cannot be told, or is none: exit code 2', async (t) => {
    const wrong = {
      'admin.address: .* is not allowed': ['--config', writeConfig(t, 'admin: { address: here }')],
      'admin.address: the environment variable ABSENT is not set': [
        '--config',
        writeConfig(t, `admin:\n  address: \${ABSENT}\n`),
      ],
      'not valid YAML': ['--config', writeConfig(t, 'admin: [')],
      'expected a mapping': ['--config', writeConfig(t, '')],
      'cannot be read': ['--config', '/absent'],
      '--address needs': ['--address', 'here'],
      '--config FILE is missing': [],
    };
    for (const [why, args] of Object.entries(wrong)) {
      const { code, said } = await health(args);
      assert.equal(code, 2, why);
      assert.match(said, new RegExp(why));
    }
  });
});
