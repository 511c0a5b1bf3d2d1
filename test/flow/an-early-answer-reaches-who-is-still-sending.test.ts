import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Guarded, until } from '../support/guarded.js';

const megabyte = 1024 * 1024;
/** by the path that asks for it; the others get the first one */
const answers: Readonly<Record<string, { status: number; bytes: string; body: string }>> = {
  '/sized': { status: 413, bytes: 'HTTP/1.1 413 X\r\nContent-Length: 5\r\n\r\nlarge', body: 'large' },
  '/empty': { status: 413, bytes: 'HTTP/1.1 413 X\r\nContent-Length: 0\r\n\r\n', body: '' },
  '/chunks': {
    ...{ status: 413, bytes: 'HTTP/1.1 413 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nlarge\r\n0\r\n\r\n' },
    body: 'large',
  },
  '/no-content': { status: 204, bytes: 'HTTP/1.1 204 X\r\n\r\n', body: '' },
};
const lastAnswer = 'HTTP/1.1 413 X\r\nConnection: close\r\nContent-Length: 5\r\n\r\nlarge';

let guarded: Guarded;
let service: net.Server;
/** request lines, as they came */
const seen: string[] = [];

/** Answers as soon as it has the head, and reads no more of an upload. */
function answerEarly(socket: net.Socket): void {
  socket.on('error', () => {});
  socket.on('data', (bytes: Buffer) => {
    const line = /^[A-Z]+ \S+ HTTP\/1\.1\r\n/.exec(bytes.toString('latin1'))?.[0];
    if (line === undefined) return;
    seen.push(line.trim());
    if (line.startsWith('POST')) socket.pause();
    const answer = answers[line.split(' ')[1] ?? ''] ?? answers['/sized'];
    const early = line.includes(' /last ') ? lastAnswer : (answer?.bytes ?? '');
    socket.write(line.startsWith('POST') ? early : 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  });
}

before(async () => {
  service = net.createServer(answerEarly).listen(0, '127.0.0.1');
  await once(service, 'listening');
  const { port } = service.address() as net.AddressInfo;
  guarded = await Guarded.start({ config: { upstream: { url: `http://127.0.0.1:${port}` } } });
});
after(async () => {
  await guarded.stop();
  service.close();
});

test('S09: a service that has answered and does not read the rest keeps no connection of ours', async (t) => {
  // A unix socket takes less into its buffers than the body is long.
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
  const path = join(folder, 'service');
  const deaf = net.createServer(answerEarly).listen(path);
  await once(deaf, 'listening');
  const behind = await Guarded.start({ config: { upstream: { url: `unix:${path}`, connections: 2 } } });
  t.after(async () => {
    await behind.stop();
    deaf.close();
    rmSync(folder, { recursive: true });
  });
  const descriptors = () => behind.sidecar.metric('process_open_fds');
  const before = await descriptors();
  const body = 'x'.repeat(384 * 1024);
  for (let sent = 0; sent < 20; sent++) {
    const headers = [`Content-Length: ${body.length}`];
    // The last one on its connection: where all of the body went out it would be used again, and nobody reads there.
    const response = await behind.send({ method: 'POST', target: '/last', headers, body });
    assert.deepEqual([response.status, response.body], [413, 'large']);
  }
  await until(async () => (await descriptors()) <= before + 2, 'its connections are closed');
  // Twin: one whose request went out whole is kept, and used again.
  const kept = await descriptors();
  for (let sent = 0; sent < 5; sent++) assert.equal((await behind.send({ target: '/' })).status, 200);
  await until(async () => (await descriptors()) <= kept + 1, 'the one that is kept serves them all');
  seen.length = 0;
});

describe('A19: the service answers before it has the body', () => {
  const framings = {
    'with a length': (bytes: number) => ({
      ...{ field: `Content-Length: ${bytes}`, body: Buffer.alloc(bytes, 'x') },
    }),
    chunked: (bytes: number) => ({
      field: 'Transfer-Encoding: chunked',
      body: Buffer.concat([
        Buffer.from(`${bytes.toString(16)}\r\n`),
        Buffer.alloc(bytes, 'x'),
        Buffer.from('\r\n0\r\n\r\n'),
      ]),
    }),
  };

  for (const [framing, frame] of Object.entries(framings)) {
    test(`${framing}: a client that sends all of it before it reads has the answer, and the next request is served`, async () => {
      const wire = await guarded.open();
      wire.socket.pause();
      const { field, body } = frame(8 * megabyte);
      wire.send(guarded.proven({ method: 'POST', target: '/upload', headers: [field] }));
      await new Promise<void>((resolve) => wire.socket.write(body, () => resolve()));
      wire.socket.resume();
      const response = await wire.response();
      assert.deepEqual([response.status, response.body], [413, 'large']);
      wire.send(guarded.proven({ target: '/next' }));
      assert.equal((await wire.response()).body, 'ok');
      wire.close();
      assert.deepEqual(seen.splice(0), ['POST /upload HTTP/1.1', 'GET /next HTTP/1.1']);
    });

    for (const [path, answer] of Object.entries(answers))
      test(`${framing}: a client that reads hears of it before it has sent the rest: ${path}`, async () => {
        const wire = await guarded.open();
        const { field, body } = frame(10_000);
        wire.send(guarded.proven({ method: 'POST', target: path, headers: [field] }));
        wire.send(body.subarray(0, 5000));
        const response = await wire.response();
        assert.deepEqual([response.status, response.body], [answer.status, answer.body]);
        wire.send(body.subarray(5000));
        wire.send(guarded.proven({ target: '/next' }));
        assert.equal((await wire.response()).body, 'ok');
        wire.close();
        assert.deepEqual(seen.splice(0), [`POST ${path} HTTP/1.1`, 'GET /next HTTP/1.1']);
      });

    test(`${framing}: a client whose connection is to end with the answer has it all the same`, async () => {
      const wire = await guarded.open();
      wire.socket.pause();
      const { field, body } = frame(8 * megabyte);
      const headers = [field, 'Connection: close'];
      wire.send(guarded.proven({ method: 'POST', target: '/last', headers }));
      await new Promise<void>((resolve) => wire.socket.write(body, () => resolve()));
      wire.socket.resume();
      const response = await wire.response();
      assert.deepEqual([response.status, response.body], [413, 'large']);
      assert.equal(await wire.closed(), '');
      assert.deepEqual(seen.splice(0), ['POST /last HTTP/1.1']);
    });

    test(`${framing}: a body that never comes ends the connection behind the answer`, async () => {
      const wire = await guarded.open();
      const { field, body } = frame(megabyte);
      wire.send(guarded.proven({ method: 'POST', target: '/part', headers: [field] }));
      wire.send(body.subarray(0, 1000));
      assert.equal((await wire.response()).status, 413);
      assert.equal(await wire.closed(), '');
      assert.deepEqual(seen.splice(0), ['POST /part HTTP/1.1']);
    });

    test(`${framing}: what is left of it is no request, and of more than is read for nothing nobody waits for the end`, async () => {
      const wire = await guarded.open();
      const { field } = frame(64 * megabyte);
      wire.send(guarded.proven({ method: 'POST', target: '/endless', headers: [field] }));
      if (framing === 'chunked') wire.send('4000000\r\n');
      const smuggled = guarded.proven({ target: '/smuggled' });
      const piece = Buffer.from(smuggled.repeat(Math.ceil(65_536 / smuggled.length)), 'latin1');
      wire.socket.on('drain', () => wire.send(piece));
      for (let sent = 0; sent < megabyte; sent += piece.length) wire.send(piece);
      assert.equal((await wire.response()).status, 413);
      assert.equal(await wire.closed(), '');
      assert.deepEqual(seen.splice(0), ['POST /endless HTTP/1.1']);
      wire.close();
    });
  }
});
