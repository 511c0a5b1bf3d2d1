import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Guarded, until } from '../support/guarded.js';
import type { Wire } from '../support/wire.js';

const connect = 'CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n\r\n';
const attempts = 20;

let guarded: Guarded;
before(async () => {
  guarded = await Guarded.start();
});
after(() => guarded.stop());
beforeEach(() => guarded.service.reset());

async function allAreGone(): Promise<void> {
  const series = 'holdfast_connections{listener="public"}';
  await until(async () => (await guarded.sidecar.metric(series)) === 0, 'no connection left');
}

async function resetEach(use: (wire: Wire, attempt: number) => Promise<void> | void): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const wire = await guarded.open();
    await use(wire, attempt);
    wire.socket.resetAndDestroy();
  }
  await allAreGone();
  assert.equal(guarded.sidecar.child.hasEnded, false);
  guarded.service.reset();
  await guarded.serves();
}

describe('A20, S11: a CONNECT whose client resets the connection leaves the process serving', () => {
  test('at once', () =>
    resetEach((wire) => {
      wire.send(connect);
    }));

  test('behind a request in the same packet', () =>
    resetEach((wire) => {
      wire.send(guarded.proven({ target: '/first' }) + connect);
    }));

  test('behind a request that waits for the service: nobody reads from the connection then', async () => {
    guarded.service.script = () => undefined;
    await resetEach(async (wire, attempt) => {
      wire.send(guarded.proven({ target: `/held-${attempt}` }) + connect);
      await until(
        () => guarded.service.requests.some(({ line }) => line.includes(`/held-${attempt} `)),
        'the first is at the service',
      );
    });
  });

  test('twin: a CONNECT whose client stays gets its 405', () =>
    guarded.refusesAll([{ bytes: connect, status: 405, reason: 'method_not_allowed', closes: true }]));

  test('nothing of this was an uncaught error', () => {
    const { child } = guarded.sidecar;
    assert.equal(child.text, '');
    assert.deepEqual(
      child.events.filter(({ event }) => event === 'uncaught'),
      [],
    );
  });
});
