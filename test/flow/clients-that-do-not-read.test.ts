import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Guarded, until } from '../support/guarded.js';
import type { Event } from '../support/process.js';
import type { Wire } from '../support/wire.js';

const megabyte = 1024 * 1024;
const framings = {
  'with a length': (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  chunked: (body: string) =>
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
};

let guarded: Guarded;
/** what the buffers of the system take of an answer that nobody reads, in bytes */
let capacity = 0;
let requests = 0;

before(async () => {
  guarded = await Guarded.start({
    // Of three places one client may hold two.
    config: { upstream: { connections: 3, idleTimeout: '1s', queue: { length: 3, wait: '10s' } } },
  });
  const { received } = await readLate(framings['with a length']('x'.repeat(24 * megabyte)));
  capacity = received.length;
});
after(() => guarded.stop());
beforeEach(() => guarded.service.reset());

interface Unread {
  readonly wire: Wire;
  /** what is logged about the request in the end */
  readonly event: Promise<Event>;
}

/** Asks for an answer and does not read it. */
async function ask(answer: string): Promise<Unread> {
  guarded.service.script = () => answer;
  const path = `/unread-${requests++}`;
  const wire = await guarded.open();
  wire.socket.pause();
  wire.send(guarded.proven({ target: path }));
  const event = guarded.sidecar.child.event((one) => one.event === 'request' && one.path === path);
  return { wire, event };
}

/** Begins to read only when the sidecar is done with the request. */
async function readLate(answer: string): Promise<{ received: string; event: Event }> {
  const { wire, event: told } = await ask(answer);
  const event = await told;
  // Of an answer that was given in whole the connection stays open: an end of our own is answered with theirs.
  wire.socket.end();
  wire.socket.resume();
  return { received: await wire.closed(), event };
}

describe('B11: a slow reader gets its whole answer or a broken one, never a short one that looks whole', () => {
  for (const [framing, frame] of Object.entries(framings)) {
    const sizes: Readonly<Record<string, () => number>> = {
      '3 MB': () => 3 * megabyte,
      'a little more than the buffers of the system take': () => capacity + 8 * 1024,
      'what is left fits into our own buffers': () => capacity + 100 * 1024,
      'what is left fits into those of the service': () => capacity + megabyte,
      'much more': () => 24 * megabyte,
    };
    for (const [title, size] of Object.entries(sizes)) {
      test(`${framing}, ${title}`, async () => {
        const body = 'x'.repeat(size());
        const { received, event } = await readLate(frame(body));
        const head = received.slice(0, received.indexOf('\r\n\r\n'));
        assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
        assert.equal(received.lastIndexOf('HTTP/1.1'), 0, 'one response');
        const bytes = received.slice(head.length).replaceAll(/[^x]/g, '').length;
        if (framing === 'chunked') {
          assert.match(head, /\r\ntransfer-encoding: chunked(?:\r\n|$)/i);
          assert.equal(received.endsWith('\r\n0\r\n\r\n'), bytes === body.length, 'the last chunk');
        } else assert.match(head, new RegExp(`\r\ncontent-length: ${body.length}(?:\r\n|$)`, 'i'));
        if (title === 'much more') {
          assert.ok(bytes < body.length, 'it was cut');
          assert.equal(event.outcome, 'failed');
          assert.equal(event.reason, 'ERR_UPSTREAM_TIMEOUT');
        }
        assert.equal(event.outcome === 'forwarded', bytes === body.length, `logged as ${event.outcome}`);
      });
    }

    test(`twin: ${framing}: a client that reads gets all of it`, async () => {
      const body = 'x'.repeat(3 * megabyte);
      guarded.service.script = () => frame(body);
      const response = await guarded.send({ target: '/read' });
      assert.equal(response.body.length, body.length);
      assert.ok(response.body === body);
    });
  }
});

describe('S09: clients that do not read hold no place at the service', () => {
  const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
  for (const extra of [-100, 8, 1024]) {
    test(`an answer of ${extra} KiB more than the buffers of the system take`, async () => {
      const answer = framings['with a length']('x'.repeat(capacity + extra * 1024));
      const holders = [await ask(answer), await ask(answer)];
      const wire = await guarded.open();
      // Behind both in the queue: it gets a place only when one of them has given its own back.
      guarded.service.script = ({ line }) => (line.includes('/unread') ? answer : ok);
      wire.send(guarded.proven({ target: '/third' }));
      assert.equal((await wire.response()).status, 200);
      wire.close();
      await end(holders);
    });
  }

  test('nor their connection for ever, at whatever point of the answer they left off', async () => {
    const answers = Array.from({ length: 16 }, (_, index) => 'x'.repeat(capacity - index * 10 * 1024));
    for (let at = 0; at < answers.length; at += 2) {
      const holders: Unread[] = [];
      for (const body of answers.slice(at, at + 2)) holders.push(await ask(framings['with a length'](body)));
      await end(holders);
    }
    await guarded.serves();
  });

  async function end(holders: readonly Unread[]): Promise<void> {
    for (const { event } of holders) await event;
    for (const { wire } of holders) wire.close();
  }
});

describe('S08: the limit for an answer that nobody reads', () => {
  /** At whatever point of the first answer they left off, they read on in time, and the second takes its time. */
  test('is no limit for the answer behind it', async () => {
    const idleMs = 3000;
    const patient = await Guarded.start({ config: { upstream: { idleTimeout: `${idleMs}ms` } } });
    try {
      const sizes = Array.from({ length: 16 }, (_, index) => capacity - index * 10 * 1024);
      patient.service.script = ({ line }, socket) => {
        const size = /unread-(\d+)/.exec(line)?.[1];
        if (size !== undefined) return framings['with a length']('x'.repeat(Number(size)));
        setTimeout(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nbehind'), idleMs * 1.5);
        return undefined;
      };
      const wires: Wire[] = [];
      for (const size of sizes) {
        const wire = await patient.open();
        wire.socket.pause();
        wire.send(patient.proven({ target: `/unread-${size}` }) + patient.proven({ target: '/behind' }));
        wires.push(wire);
      }
      const asked = () => patient.service.requests.filter(({ line }) => line.includes('/unread')).length;
      await until(() => asked() === sizes.length, 'the first ones are at the service, and answered');
      // Part of what is tested: for so long nobody reads.
      await new Promise((resolve) => setTimeout(resolve, idleMs / 6));
      for (const wire of wires) wire.socket.resume();
      for (const [index, wire] of wires.entries()) {
        assert.equal((await wire.response()).body.length, sizes[index]);
        assert.equal((await wire.response()).body, 'behind');
        wire.close();
      }
    } finally {
      await patient.stop();
    }
  });
});
