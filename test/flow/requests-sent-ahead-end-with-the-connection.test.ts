import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { Guarded, until } from '../support/guarded.js';
import { request } from '../support/sidecar.js';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const maxAhead = 64;
const routes = [{ path: '/public/**', proof: 'none' }, { path: '/**' }];

/** Requests small enough to come in one packet, so that all of them are there before the first is answered. */
function sentAhead(count: number): string {
  return Array.from({ length: count }, (_, index) => request({ target: `/public/${index}` })).join('');
}

test('a client that sends more than 64 requests ahead gets the first 64 answered and then the end', async () => {
  const guarded = await Guarded.start({ config: { routes } });
  try {
    guarded.service.script = ({ line }) => `HTTP/1.1 200 OK\r\nContent-Length: ${line.length}\r\n\r\n${line}`;
    const wire = await guarded.open();
    wire.send(sentAhead(100));
    for (let index = 0; index < maxAhead; index++) {
      const response = await wire.response();
      assert.equal(response.status, 200);
      assert.equal(response.body, `GET /public/${index} HTTP/1.1`);
    }
    assert.equal(await wire.closed(), '');
    assert.equal(guarded.service.requests.length, maxAhead);
    guarded.service.reset();
    await guarded.serves();
  } finally {
    await guarded.stop();
  }
});

test('twin: after 64 requests sent ahead the connection goes on', async () => {
  const guarded = await Guarded.start({ config: { routes } });
  try {
    const wire = await guarded.open();
    wire.send(sentAhead(maxAhead));
    for (let index = 0; index < maxAhead; index++) assert.equal((await wire.response()).status, 200);
    wire.send(guarded.proven({ target: '/next' }));
    assert.equal((await wire.response()).status, 200);
    assert.equal(guarded.service.last.line, 'GET /next HTTP/1.1');
    wire.close();
  } finally {
    await guarded.stop();
  }
});

const held = 'HTTP/1.1 100 Continue\r\n\r\n';
const longHead = (index: number) =>
  request({ target: `/public/${index}`, headers: [`X-Filler: ${'x'.repeat(15 * 1024)}`] });

test('S15: of heads of 15 KiB sent ahead as many are answered as 384 KiB hold, and then the connection ends', async () => {
  const guarded = await Guarded.start({ config: { routes } });
  try {
    let first: Socket | undefined;
    guarded.service.script = (_, socket) => {
      if (first !== undefined) return ok;
      first = socket;
      return held;
    };
    const wire = await guarded.open();
    wire.send(longHead(0));
    await until(() => first !== undefined, 'the first is at the service');
    for (let index = 1; index < 40; index++) wire.send(longHead(index));
    const logged = await guarded.sidecar.metric('holdfast_requests_in_flight{caller="stranger"}');
    assert.equal(logged, 1);
    await until(() => wire.socket.writableLength === 0, 'all of it is on its way');
    first?.write(ok);
    let answers = 0;
    for (; answers < 40; answers++) if (!(await wire.response().catch(() => undefined))) break;
    assert.ok(answers >= 2 && answers <= 24, `${answers} answers`);
    assert.equal(guarded.service.requests.length, answers);
    await guarded.serves();
  } finally {
    await guarded.stop();
  }
});

test('S15: 200 connections with 64 heads of 15 KiB each take no more than the documented bound', {
  timeout: 120_000,
}, async () => {
  const guarded = await Guarded.start({ config: { routes } });
  try {
    const resident = () => guarded.sidecar.metric('process_resident_memory_bytes');
    guarded.service.script = () => held;
    const wires = await Promise.all(Array.from({ length: 200 }, () => guarded.open()));
    const text = Array.from({ length: 64 }, (_, index) => longHead(index)).join('');
    for (const wire of wires) wire.send(text);
    await until(
      async () => (await guarded.sidecar.metric('holdfast_connections{listener="public"}')) === 200,
      'all',
    );
    await until(async () => {
      const bytes = await resident();
      await new Promise((resolve) => setTimeout(resolve, 500));
      return Math.abs((await resident()) - bytes) < 2e6;
    }, 'all of it has been read');
    const taken = await resident();
    // operations.md, Memory: the process, what is sent ahead, the connections.
    const bound = 130e6 + 32 * 1024 * 1024 + 200 * 256 * 1024;
    assert.ok(taken < bound, `${(taken / 1e6).toFixed(0)} MB`);
    for (const wire of wires) wire.close();
    guarded.service.reset();
    await guarded.serves();
  } finally {
    await guarded.stop();
  }
});

for (const when of ['before', 'while'] as const) {
  test(`A18, S07: behind an answer that says close nothing is forwarded, sent ${when} draining`, async () => {
    const guarded = await Guarded.start();
    try {
      let held: Socket | undefined;
      guarded.service.script = (_, socket) => {
        held ??= socket;
        return undefined;
      };
      const wire = await guarded.open();
      const behind = guarded.proven({ target: '/behind' });
      wire.send(guarded.proven({ target: '/first' }) + (when === 'before' ? behind : ''));
      await until(() => held !== undefined, 'the first is at the service');
      guarded.sidecar.child.signal('SIGTERM');
      await guarded.sidecar.child.event(({ event }) => event === 'draining');
      if (when === 'while') wire.send(behind);
      guarded.service.script = () => ok;
      held?.write(ok);
      const response = await wire.response();
      assert.equal(response.status, 200);
      assert.equal(response.one('connection'), 'close');
      assert.equal(await wire.closed(), '');
      assert.equal(await guarded.sidecar.child.end(), 0);
      assert.deepEqual(
        guarded.service.requests.map(({ line }) => line),
        ['GET /first HTTP/1.1'],
      );
    } finally {
      await guarded.stop();
    }
  });
}
