import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Guarded, until } from '../support/guarded.js';
import type { Wire } from '../support/wire.js';

async function withGuarded(
  config: Readonly<Record<string, unknown>>,
  use: (guarded: Guarded) => Promise<void>,
): Promise<void> {
  const guarded = await Guarded.start({ config });
  try {
    await use(guarded);
  } finally {
    await guarded.stop();
  }
}

/** Connections that are known to be served: each has had an answer. */
async function hold(guarded: Guarded, count: number): Promise<Wire[]> {
  const wires: Wire[] = [];
  for (let i = 0; i < count; i++) {
    const wire = await guarded.open();
    wire.send(guarded.proven());
    assert.equal((await wire.response()).status, 200);
    wires.push(wire);
  }
  return wires;
}

describe('S09: client connections', () => {
  for (const limit of ['connections', 'connectionsPerAddress']) {
    test(`${limit}: one more is closed at once, and a place that is given back is used again`, () =>
      withGuarded({ listen: { limits: { [limit]: 5 } } }, async (guarded) => {
        await until(
          async () => (await guarded.sidecar.metric('holdfast_connections{listener="public"}')) === 0,
          'none open',
        );
        const wires = await hold(guarded, 5);
        for (let i = 0; i < 3; i++) {
          const refused = await guarded.open();
          refused.send(guarded.proven({ target: '/over' }));
          assert.equal(await refused.closed(), '');
        }
        assert.ok(!guarded.service.requests.some(({ line }) => line.includes('/over')));
        wires.pop()?.close();
        await until(
          async () => (await guarded.sidecar.metric('holdfast_connections{listener="public"}')) === 4,
          'one has gone',
        );
        await guarded.serves();
        for (const wire of wires) wire.close();
      }));
  }
});

test('S09: places at the service: one waits its time, the next is refused at once, a free place is used', () =>
  withGuarded({ upstream: { connections: 1, queue: { length: 1, wait: '1s' } } }, async (guarded) => {
    guarded.service.script = () => undefined;
    const holder = await guarded.open();
    holder.send(guarded.proven({ target: '/holds' }));
    await until(() => guarded.service.open === 1, 'the place is taken');

    const waiter = await guarded.open();
    waiter.send(guarded.proven({ target: '/waits' }));
    await until(
      async () => (await guarded.sidecar.metric('holdfast_connections{listener="public"}')) === 2,
      'the second has come',
    );
    const before = guarded.service.bytes;
    const atOnce = await guarded.send({ target: '/full' });
    const inTime = await waiter.response();
    for (const response of [atOnce, inTime]) {
      assert.equal(response.status, 503);
      assert.match(response.one('retry-after') ?? '', /^[1-9][0-9]*$/);
      assert.equal((await guarded.sidecar.logged(response)).reason, 'ERR_UPSTREAM_BUSY');
    }
    assert.equal((await guarded.sidecar.logged(atOnce)).detail, 'queue is full');
    assert.equal((await guarded.sidecar.logged(inTime)).detail, 'waited 1000 ms');
    assert.equal(guarded.service.bytes, before, 'the service saw neither');

    guarded.service.script = () => 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
    waiter.send(guarded.proven({ target: '/waits-again' }));
    holder.close();
    assert.equal((await waiter.response()).status, 200);
    waiter.close();
    await guarded.serves();
  }));
