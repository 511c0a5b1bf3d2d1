import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import * as net from 'node:net';
import { describe, test } from 'node:test';
import { Checkpoint } from '../support/checkpoint.js';
import { Guarded, until } from '../support/guarded.js';
import { mainScript, request } from '../support/sidecar.js';
import { Wire } from '../support/wire.js';

const patienceMs = 120_000;
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

interface Held {
  readonly guarded: Guarded;
  readonly wire: Wire;
  /** the service's end of the request that is under way */
  readonly socket: Socket;
}

/** A sidecar with one request that waits for the service. */
async function withHeld(
  config: Readonly<Record<string, unknown>>,
  use: (held: Held) => Promise<void>,
  nodeArgs: string[] = [],
): Promise<void> {
  const guarded = await Guarded.start({ config, nodeArgs });
  try {
    let held: Socket | undefined;
    guarded.service.script = (_, socket) => {
      held = socket;
      return undefined;
    };
    const wire = await guarded.open();
    wire.send(guarded.proven({ target: '/held' }));
    await until(() => held !== undefined, 'a request under way');
    if (held !== undefined) await use({ guarded, wire, socket: held });
  } finally {
    await guarded.stop();
  }
}

async function refusesConnections(port: number): Promise<boolean> {
  const socket = net.connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
  } finally {
    socket.destroy();
  }
}

async function isDraining({ sidecar }: Guarded): Promise<void> {
  await sidecar.child.event(({ event }) => event === 'draining');
  await until(async () => (await sidecar.admin('/readyz')).status === 503, 'readiness fails');
  assert.equal((await sidecar.admin('/livez')).status, 200);
  await until(() => refusesConnections(sidecar.port), 'new connections are refused');
}

describe('S07: SIGTERM', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`${signal}: what is under way finishes, idle connections end, new ones are refused, exit code 0`, () =>
      withHeld({}, async ({ guarded, wire, socket }) => {
        const idle = await guarded.open();
        const silent = await guarded.open();
        idle.send('GET / HTTP/1.1\r\nHost: api.test\r\n\r\n');
        assert.equal((await idle.response()).status, 401);
        guarded.sidecar.child.signal(signal);
        await isDraining(guarded);
        assert.equal(await idle.closed(), '');
        assert.equal(await silent.closed(), '');
        assert.equal(wire.unread, '');
        socket.write(ok);
        const response = await wire.response();
        assert.equal(response.status, 200);
        assert.equal(response.body, 'ok');
        assert.equal(response.one('connection'), 'close');
        assert.equal(await wire.closed(), '');
        assert.equal(await guarded.sidecar.child.end(), 0);
        assert.equal(guarded.sidecar.child.text, '');
      }));
  }

  test('an answer that has begun is finished', () =>
    withHeld({}, async ({ guarded, wire, socket }) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf');
      await until(() => wire.unread.endsWith('half'), 'half an answer');
      guarded.sidecar.child.signal('SIGTERM');
      await isDraining(guarded);
      socket.write('half');
      assert.equal((await wire.response()).body, 'halfhalf');
      await wire.closed();
      assert.equal(await guarded.sidecar.child.end(), 0);
    }));

  test('a request sent on an open connection while draining is the last one', () =>
    withHeld({}, async ({ guarded, wire, socket }) => {
      wire.send(guarded.proven({ target: '/behind' }));
      guarded.sidecar.child.signal('SIGTERM');
      await isDraining(guarded);
      guarded.service.script = () => ok;
      socket.write(ok);
      assert.equal((await wire.response()).status, 200);
      const rest = await wire.closed();
      assert.ok(rest === '' || rest.startsWith('HTTP/1.1 200 OK'), rest);
      assert.equal(await guarded.sidecar.child.end(), 0);
    }));

  const cut: Readonly<Record<string, { begun: string; status: number }>> = {
    'an answer that has not begun': { begun: '', status: 0 },
    'half an answer': { begun: 'HTTP/1.1 203 X\r\nContent-Length: 8\r\n\r\nhalf', status: 203 },
  };
  for (const [title, { begun, status }] of Object.entries(cut)) {
    test(`${title} is cut off after the grace, logged as neither side's fault, exit code 0`, () =>
      withHeld({ shutdown: { grace: '1s' } }, async ({ guarded, wire, socket }) => {
        if (begun !== '') socket.write(begun);
        await until(() => wire.unread.endsWith(begun.slice(-4)), 'what has begun');
        const { length } = wire.unread;
        guarded.sidecar.child.signal('SIGTERM');
        assert.equal((await wire.closed()).length, length, 'nothing more');
        assert.equal(await guarded.sidecar.child.end(), 0);
        const told = guarded.sidecar.child.events.filter(({ path }) => path === '/held');
        assert.deepEqual(
          told.map((event) => [event.outcome, event.status, event.reason]),
          [['failed', status, 'ERR_SHUTTING_DOWN']],
        );
      }));
  }

  test('what was refused before stays refused in the log', () =>
    withHeld({ shutdown: { grace: '100ms' } }, async ({ guarded }) => {
      const refused = await guarded.open();
      const headers = ['Content-Length: 10'];
      refused.send(request({ method: 'POST', target: '/refused', headers, body: 'half' }));
      assert.equal((await refused.response()).status, 401);
      guarded.sidecar.child.signal('SIGTERM');
      assert.equal(await guarded.sidecar.child.end(), 0);
      const told = guarded.sidecar.child.events.find(({ path }) => path === '/refused');
      assert.deepEqual([told?.outcome, told?.reason], ['refused', 'credentials_missing']);
    }));

  test('S17: a request sent ahead holds nothing up, whatever the grace', { timeout: patienceMs }, () =>
    withHeld({ shutdown: { grace: '10m' } }, async ({ guarded, wire, socket }) => {
      const head = 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n';
      socket.write(`${head}half`);
      await until(() => wire.unread.endsWith('half'), 'half an answer');
      wire.send(guarded.proven({ target: '/behind' }));
      const other = await guarded.open();
      other.send('GET /other HTTP/1.1\r\nHost: api.test\r\n\r\n');
      assert.equal((await other.response()).status, 401, 'what was sent before has arrived');
      guarded.sidecar.child.signal('SIGTERM');
      await isDraining(guarded);
      socket.write('half');
      assert.equal((await wire.response()).body, 'halfhalf');
      assert.equal(await wire.closed(), '');
      assert.equal(await guarded.sidecar.child.end(), 0);
      assert.equal(
        guarded.service.requests.some(({ line }) => line.includes('/behind')),
        false,
      );
    }),
  );

  const unfinished = {
    'half a head': 'GET /next HTTP/1.1\r\nHost:',
    'an empty line': '\r\n',
  };
  for (const [title, bytes] of Object.entries(unfinished)) {
    test(`S17: ${title} behind an answer holds nothing up`, { timeout: patienceMs }, async (t) => {
      const limits = { headersTimeout: '5m', idleTimeout: '10m' };
      const guarded = await Guarded.start({ config: { listen: { limits }, shutdown: { grace: '10m' } } });
      t.after(() => guarded.stop());
      const wire = await guarded.open();
      wire.send(`${request()}${bytes}`);
      assert.equal((await wire.response()).status, 401);
      guarded.sidecar.child.signal('SIGTERM');
      assert.equal(await wire.closed(), '');
      assert.equal(await guarded.sidecar.child.end(), 0);
    });
  }

  test('S17: a handshake that goes on holds nothing up', { timeout: patienceMs }, async (t) => {
    const checkpoint = await Checkpoint.start({
      tls: {},
      config: { listen: { limits: { headersTimeout: '5m' } }, shutdown: { grace: '10m' } },
    });
    t.after(() => checkpoint.stop());
    const { sidecar } = checkpoint;
    const silent = await Wire.open({ port: sidecar.port });
    const open = 'holdfast_connections{listener="public"}';
    await until(async () => (await sidecar.metric(open)) === 1, 'the connection is open');
    sidecar.child.signal('SIGTERM');
    assert.equal(await silent.closed(), '');
    assert.equal(await sidecar.child.end(), 0);
  });

  test('a second signal ends it at once', () =>
    withHeld({}, async ({ guarded, wire }) => {
      guarded.sidecar.child.signal('SIGTERM');
      await isDraining(guarded);
      guarded.sidecar.child.signal('SIGTERM');
      assert.equal(await guarded.sidecar.child.end(), 130);
      assert.equal(await wire.closed(), '');
    }));
});

const preload = (code: string) => ['--import', `data:text/javascript,${encodeURIComponent(code)}`];

describe('S11: an error that nobody caught', () => {
  const injections = {
    'an exception': "process.on('SIGUSR2', () => { throw new Error('injected') })",
    'a rejection': "process.on('SIGUSR2', () => { Promise.reject(new Error('injected')) })",
  };
  for (const [title, code] of Object.entries(injections)) {
    test(`${title}: logged, not ready, what is under way finishes, exit code 1`, () =>
      withHeld(
        {},
        async ({ guarded, wire, socket }) => {
          guarded.sidecar.child.signal('SIGUSR2');
          const event = await guarded.sidecar.child.event(({ event }) => event === 'uncaught');
          assert.match(String(event.detail), /injected/);
          await isDraining(guarded);
          socket.write(ok);
          assert.equal((await wire.response()).status, 200);
          await wire.closed();
          assert.equal(await guarded.sidecar.child.end(), 1);
        },
        preload(code),
      ));
  }

  test('S16: where nobody reads the log any more the process ends all the same', async (t) => {
    const guarded = await Guarded.start({ config: { shutdown: { grace: '1s' } } });
    t.after(() => guarded.stop());
    const args = [mainScript, 'serve', '--config', guarded.sidecar.path('holdfast.yaml')];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    t.after(() => child.kill('SIGKILL'));
    let heard = '';
    for await (const bytes of child.stdout.iterator({ destroyOnReturn: false })) {
      heard += bytes;
      if (heard.includes('"listening"')) break;
    }
    const [, port] = /"port":(\d+).*"listening"/.exec(heard) ?? [];
    // As many lines as fit into no pipe.
    const ahead = request({ target: `/${'a'.repeat(500)}` }).repeat(60);
    for (let round = 0; round < 20; round++) {
      const wire = await Wire.open({ port: Number(port) });
      wire.send(ahead);
      for (let index = 0; index < 60; index++) assert.equal((await wire.response()).status, 401);
      wire.close();
    }
    child.kill('SIGTERM');
    const [code, signal] = await once(child, 'exit');
    assert.deepEqual([code, signal], [0, null]);
  });

  test('trap Node: SIGUSR1 opens no debugger', () =>
    withHeld({}, async ({ guarded, wire, socket }) => {
      guarded.sidecar.child.signal('SIGUSR1');
      await guarded.sidecar.child.event(({ event }) => event === 'signal_ignored');
      assert.equal(guarded.sidecar.child.text, '');
      socket.write(ok);
      assert.equal((await wire.response()).status, 200);
      wire.close();
    }));

  test('trap Node: SIGUSR1 opens no debugger while the process starts', async (t) => {
    const signalled = `
      import { Server } from 'node:net';
      const { listen } = Server.prototype;
      Server.prototype.listen = function (...args) {
        process.kill(process.pid, 'SIGUSR1');
        return listen.apply(this, args);
      };`;
    const guarded = await Guarded.start({ nodeArgs: preload(signalled) });
    t.after(() => guarded.stop());
    await guarded.sidecar.child.event(({ event }) => event === 'signal_ignored');
    await guarded.serves();
    assert.equal(guarded.sidecar.child.text, '');
  });
});
