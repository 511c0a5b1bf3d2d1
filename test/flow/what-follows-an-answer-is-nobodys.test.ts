import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Guarded, until } from '../support/guarded.js';

const answerWith = (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const foreign = answerWith('for somebody else');

/** @returns an answer of so many bytes in all, head included */
function answerOf(bytes: number): string {
  const start = 'HTTP/1.1 200 OK\r\nContent-Length: ';
  // Of one width, whatever the length.
  const length = bytes - start.length - 12;
  return `${start}${String(length).padStart(8, '0')}\r\n\r\n${'x'.repeat(length)}`;
}

// Node reads 65,536 bytes at a time.
const sizes = [100, 65_535, 65_536, 65_537, 131_072, 200_000, 1_048_576];

for (const kind of ['TCP', 'a unix socket'] as const) {
  describe(`B19: a second answer behind the first one, over ${kind}`, () => {
    let guarded: Guarded;
    let service: net.Server;
    let folder: string;
    /** those on which two answers were written */
    let spoiled: Set<net.Socket>;
    let connections = 0;
    /** which of the connections got the last request, counted from 1 */
    let lastUsed = 0;

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
      const path = join(folder, 'service');
      service = net.createServer((socket) => {
        const connection = ++connections;
        socket.on('error', () => {});
        socket.on('data', (bytes: Buffer) => {
          lastUsed = connection;
          const [, size, twice] = /^GET \/(\d+)(\/twice)? /.exec(bytes.toString('latin1')) ?? [];
          const first = answerOf(Number(size));
          if (twice !== undefined) spoiled.add(socket);
          socket.write(Buffer.from(twice === undefined ? first : first + foreign, 'latin1'));
        });
      });
      service.listen(kind === 'TCP' ? { host: '127.0.0.1', port: 0 } : { path });
      await once(service, 'listening');
      const address = service.address();
      const url = typeof address === 'string' ? `unix:${address}` : `http://127.0.0.1:${address?.port}`;
      // One place, so that a request waits for it and begins when the answer ends.
      guarded = await Guarded.start({
        config: { upstream: { url, connections: 1, poolIdleTimeout: '30s' } },
      });
    });
    after(async () => {
      await guarded.stop();
      service.close();
      rmSync(folder, { recursive: true });
    });

    for (const size of sizes)
      test(`B19: of ${size} bytes: nobody gets it, and the connection ends`, async () => {
        spoiled = new Set();
        for (let round = 0; round < 5; round++) {
          const twice = guarded.send({ target: `/${size}/twice` });
          const others = Array.from({ length: 3 }, () => guarded.send({ target: '/100' }));
          await twice.catch(() => {});
          for (const { status, body } of await Promise.all(others)) {
            assert.equal(status, 200);
            assert.match(body, /^x+$/);
          }
        }
        await until(() => [...spoiled].every((socket) => socket.destroyed), 'our side has closed it');
        assert.equal(spoiled.size, 5);
      });

    test('B19: twin: without it the same connection serves all of them', async () => {
      await guarded.send({ target: '/100' });
      const made = connections;
      for (const size of sizes.filter((bytes) => bytes < 65_536)) {
        const all = Array.from({ length: 4 }, () => guarded.send({ target: `/${size}` }));
        for (const { status } of await Promise.all(all)) assert.equal(status, 200);
      }
      assert.equal(connections, made);
    });

    test('B19: behind a large answer a connection rests for a while, and is used again then', async () => {
      const used = async (size: number) => {
        await guarded.send({ target: `/${size}` });
        return lastUsed;
      };
      // Whoever comes late finds it rested.
      await until(async () => (await used(1_048_576)) !== (await used(100)), 'a small one comes elsewhere');
      const resting = await used(1_048_576);
      // Only large ones, or the connection of a small one would serve them all.
      await until(async () => (await used(1_048_576)) === resting, 'it is used again');
    });
  });
}
