import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import * as net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { makeDpopKey } from '../support/dpop.js';
import { until } from '../support/guarded.js';
import { portOf } from '../support/ports.js';
import { request, Sidecar } from '../support/sidecar.js';
import { Wire } from '../support/wire.js';

const megabyte = 1024 * 1024;
const size = 400 * megabyte;
const block = Buffer.alloc(256 * 1024, 'x');

/** What the service does with a connection once the head of its one request is there. */
type Serve = (socket: net.Socket, head: string) => void;

let serve: Serve;
let service: net.Server;
let sidecar: Sidecar;
before(async () => {
  service = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (chunk: Buffer) => serve(socket, chunk.toString('latin1')));
  });
  service.listen(0, '127.0.0.1');
  await once(service, 'listening');
  sidecar = await Sidecar.start({
    config: {
      upstream: `http://127.0.0.1:${portOf(service)}`,
      issuers: [{ issuer: 'https://as.test', audience: 'x', keys: { file: 'jwks.json' } }],
      routes: [{ path: '/**', proof: 'none' }],
    },
    files: {
      'jwks.json': JSON.stringify({ keys: [{ ...makeDpopKey().jwk, kid: 'k1', alg: 'ES256', use: 'sig' }] }),
    },
  });
});
after(async () => {
  await sidecar.stop();
  service.close();
});

function residentBytes(): number {
  const match = /VmRSS:\s+([0-9]+) kB/.exec(readFileSync(`/proc/${sidecar.child.pid}/status`, 'utf8'));
  return Number(match?.[1]) * 1024;
}

/** What of a body came in one packet with the head. */
function bodyBytes(head: string): number {
  return head.length - head.indexOf('\r\n\r\n') - 4;
}

/** Writes so many bytes, no faster than they are taken. */
async function pour(socket: net.Socket, bytes: number): Promise<void> {
  for (let left = bytes; left > 0; left -= block.length) {
    if (!socket.write(left < block.length ? block.subarray(0, left) : block)) await once(socket, 'drain');
  }
}

/** @returns how far the memory of the sidecar rose above what it was, at most */
async function growthDuring(work: Promise<unknown>): Promise<number> {
  const base = residentBytes();
  let peak = base;
  const timer = setInterval(() => {
    peak = Math.max(peak, residentBytes());
  }, 20);
  await work.finally(() => clearInterval(timer));
  return peak - base;
}

const onLinux = { skip: process.platform !== 'linux', timeout: 120_000 };
const boundBytes = 200 * megabyte;

describe('constant memory', () => {
  test('a download of 400 MB', onLinux, async (t) => {
    serve = (socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${size}\r\n\r\n`);
      void pour(socket, size);
    };
    const socket = net.connect(sidecar.port, '127.0.0.1');
    let received = 0;
    const growth = await growthDuring(
      new Promise<void>((resolve, reject) => {
        socket.on('error', reject);
        socket.on('data', (chunk: Buffer) => {
          received += chunk.length;
          if (received > size) resolve();
        });
        socket.write(request({ target: '/download' }));
      }),
    );
    socket.destroy();
    t.diagnostic(`grew by ${Math.round(growth / megabyte)} MB`);
    assert.ok(growth < boundBytes, `${growth} bytes`);
  });

  for (const framing of ['length', 'chunked'] as const) {
    test(`an upload of 400 MB, ${framing}`, onLinux, async (t) => {
      let received = 0;
      let isWhole: () => void = () => {};
      const whole = new Promise<void>((resolve) => {
        isWhole = resolve;
      });
      serve = (socket, head) => {
        received = bodyBytes(head);
        socket.on('data', (chunk: Buffer) => {
          received += chunk.length;
          // Chunk framing counts too, so that some of it comes behind the answer.
          if (received < size || socket.writableEnded) return;
          isWhole();
          socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok');
        });
      };
      const wire = await Wire.open({ port: sidecar.port });
      const growth = await growthDuring(
        (async () => {
          if (framing === 'length') {
            wire.send(request({ method: 'POST', headers: [`Content-Length: ${size}`] }));
            await pour(wire.socket, size);
          } else {
            wire.send(
              request({
                method: 'POST',
                headers: ['Transfer-Encoding: chunked'],
                body: `${size.toString(16)}\r\n`,
              }),
            );
            await pour(wire.socket, size);
            wire.send('\r\n0\r\n\r\n');
          }
          await whole;
        })(),
      );
      assert.equal((await wire.response()).status, 200);
      wire.close();
      t.diagnostic(`grew by ${Math.round(growth / megabyte)} MB`);
      assert.ok(growth < boundBytes, `${growth} bytes`);
    });
  }
});

/** Waits until a counter stands still for a while. */
async function settled(count: () => number): Promise<number> {
  let last = -1;
  let since = performance.now();
  await until(() => {
    if (count() !== last) {
      last = count();
      since = performance.now();
    }
    return last > 0 && performance.now() - since > 500;
  }, 'a standstill');
  return last;
}

// What the kernel holds between two sockets of loopback can be 10 MB; what is not the whole body was held back.
const heldBackBytes = 60 * megabyte;

describe('backpressure', () => {
  test('a client that does not read stops the service', onLinux, async (t) => {
    let source: net.Socket | undefined;
    serve = (socket) => {
      source = socket;
      socket.write(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${size}\r\n\r\n`);
      void pour(socket, size).catch(() => {});
    };
    const client = net.connect(sidecar.port, '127.0.0.1');
    await once(client, 'connect');
    client.pause();
    client.write(request({ target: '/slow' }));
    const written = await settled(() => (source === undefined ? 0 : source.bytesWritten));
    t.diagnostic(`${Math.round(written / megabyte)} MB left the service`);
    assert.ok(written < heldBackBytes, `${written} bytes`);
    let received = 0;
    client.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    client.resume();
    await until(() => received > size, 'the rest');
    client.destroy();
  });

  test('a service that does not read stops the client', onLinux, async (t) => {
    let sink: net.Socket | undefined;
    let received = 0;
    serve = (socket, head) => {
      sink = socket;
      received = bodyBytes(head);
      socket.pause();
    };
    const wire = await Wire.open({ port: sidecar.port });
    wire.send(request({ method: 'POST', headers: [`Content-Length: ${size}`] }));
    void pour(wire.socket, size).catch(() => {});
    const written = await settled(() => (sink === undefined ? 0 : wire.socket.bytesWritten));
    t.diagnostic(`${Math.round(written / megabyte)} MB left the client`);
    assert.ok(written < heldBackBytes, `${written} bytes`);
    sink?.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received >= size) sink?.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok');
    });
    sink?.resume();
    assert.equal((await wire.response()).status, 200);
    wire.close();
  });
});

test('an event stream is delivered event by event', async () => {
  let source: net.Socket | undefined;
  serve = (socket) => {
    source = socket;
    socket.write(
      'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
  };
  const wire = await Wire.open({ port: sidecar.port });
  wire.send(request({ target: '/events' }));
  await until(() => wire.unread.includes('\r\n\r\n'), 'the head, before any event');
  for (let i = 0; i < 5; i++) {
    const event = `data: ${i}\n\n`;
    source?.write(`${event.length.toString(16)}\r\n${event}\r\n`);
    await until(() => wire.unread.includes(event), `event ${i}, before the next one is sent`);
  }
  source?.write('0\r\n\r\n');
  assert.equal((await wire.response()).body, 'data: 0\n\ndata: 1\n\ndata: 2\n\ndata: 3\n\ndata: 4\n\n');
  wire.close();
});

test('B13: an answer that comes before the end of the upload is delivered, and the connection ends', async () => {
  serve = (socket) => {
    socket.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno');
  };
  const wire = await Wire.open({ port: sidecar.port });
  wire.send(request({ method: 'POST', headers: ['Content-Length: 1000'], body: 'half' }));
  const response = await wire.response();
  assert.equal(response.status, 413);
  assert.equal(response.body, 'no');
  assert.equal(await wire.closed(), '');
});
