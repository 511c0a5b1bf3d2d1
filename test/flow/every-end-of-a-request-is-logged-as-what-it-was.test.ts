import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Checkpoint } from '../support/checkpoint.js';
import { makeDpopKey } from '../support/dpop.js';
import { Guarded, until } from '../support/guarded.js';
import type { Event } from '../support/process.js';
import type { Wire } from '../support/wire.js';

const half = 'HTTP/1.1 203 X\r\nContent-Length: 8\r\n\r\nhalf';
const halfInChunks = 'HTTP/1.1 203 X\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n';

describe('what became of a request at the service', () => {
  let guarded: Guarded;
  before(async () => {
    guarded = await Guarded.start({
      config: { upstream: { connections: 1, idleTimeout: '1s', queue: { length: 5, wait: '30s' } } },
    });
  });
  after(() => guarded.stop());
  beforeEach(() => guarded.service.reset());

  const logged = (path: string) =>
    guarded.sidecar.child.event((event) => event.event === 'request' && event.path === path);

  async function hasEnded(path: string, expected: Event): Promise<void> {
    const { outcome, status, reason } = await logged(path);
    assert.deepEqual({ outcome, status, reason }, expected);
  }

  async function ask(path: string): Promise<Wire> {
    const wire = await guarded.open();
    wire.send(guarded.proven({ target: path }));
    return wire;
  }

  for (const [framing, begun] of Object.entries({ length: half, chunks: halfInChunks })) {
    for (const how of ['end', 'resetAndDestroy'] as const) {
      test(`a service that dies in the middle of a body is logged as failed: ${framing}, ${how}`, async () => {
        const path = `/dies-${framing}-${how}`;
        const wire = await guarded.open();
        guarded.service.script = (_, socket) => {
          socket.write(begun);
          void until(() => wire.unread.includes('half'), 'half an answer').finally(() => socket[how]());
          return undefined;
        };
        wire.send(guarded.proven({ target: path }));
        await wire.closed();
        await hasEnded(path, { outcome: 'failed', status: 203, reason: 'ERR_UPSTREAM_RESPONSE_INVALID' });
      });
    }

    test(`a service that falls silent in the middle of a body is logged as failed: ${framing}`, async () => {
      guarded.service.script = () => begun;
      const wire = await ask(`/silent-${framing}`);
      await wire.closed();
      await hasEnded(`/silent-${framing}`, {
        ...{ outcome: 'failed', status: 203, reason: 'ERR_UPSTREAM_TIMEOUT' },
      });
    });
  }

  test('twin: a body that is whole is logged as forwarded', async () => {
    guarded.service.script = () => `${half}half`;
    const wire = await ask('/whole');
    assert.equal((await wire.response()).body, 'halfhalf');
    await hasEnded('/whole', { outcome: 'forwarded', status: 203, reason: undefined });
    wire.close();
  });

  test('a client that leaves in the middle of an answer is logged as aborted, with the status it got', async () => {
    guarded.service.script = () => half;
    const wire = await ask('/leaves-in-the-body');
    await until(() => wire.unread.endsWith('half'), 'half an answer');
    wire.close();
    await hasEnded('/leaves-in-the-body', { outcome: 'aborted', status: 203, reason: undefined });
  });

  for (const how of ['destroy', 'resetAndDestroy'] as const) {
    test(`a client that leaves while it waits in the queue is logged as aborted, status 0: ${how}`, async () => {
      guarded.service.script = () => undefined;
      const holder = await ask(`/holds-${how}`);
      await until(() => guarded.service.open === 1, 'the place is taken');
      const waiter = await ask(`/queued-${how}`);
      await until(
        async () => (await guarded.sidecar.metric('holdfast_connections{listener="public"}')) === 2,
        'both are connected',
      );
      waiter.socket[how]();
      await hasEnded(`/queued-${how}`, { outcome: 'aborted', status: 0, reason: undefined });
      holder.close();
      await hasEnded(`/holds-${how}`, { outcome: 'aborted', status: 0, reason: undefined });
      assert.ok(!guarded.service.requests.some(({ line }) => line.includes('/queued')));
      guarded.service.reset();
      await guarded.serves();
    });
  }
});

describe('S02: a refusal after the proof tells whose key it was', () => {
  let guarded: Checkpoint;
  before(async () => {
    const routes = [
      { path: '/admin', proof: 'dpop', scopes: ['admin'] },
      { path: '/**', proof: 'dpop' },
    ];
    guarded = await Checkpoint.start({ config: { routes } });
    await guarded.fetchNonce();
  });
  after(() => guarded.stop());

  test('proof_replayed', async () => {
    const token = guarded.token();
    const proof = guarded.proof({ token });
    await guarded.admits({ token, proof });
    const response = await guarded.refuses(
      { token, proof },
      { reason: 'proof_replayed', error: 'invalid_dpop_proof', schemes: ['DPoP'] },
    );
    assert.equal((await guarded.sidecar.logged(response)).key, guarded.client.jkt);
  });

  test('insufficient_scope', async () => {
    const response = await guarded.refuses(
      { target: '/admin' },
      { reason: 'insufficient_scope', error: 'insufficient_scope', schemes: ['DPoP'], scope: 'admin' },
    );
    assert.equal((await guarded.sidecar.logged(response)).key, guarded.client.jkt);
  });

  test('a token of another key: nothing was proven, and detail names both keys', async () => {
    const thief = makeDpopKey();
    const token = guarded.token();
    const response = await guarded.send({ token, proof: guarded.proof({ token, key: thief }) });
    const event = await guarded.sidecar.logged(response);
    assert.equal(event.reason, 'dpop_key_mismatch');
    assert.equal(event.key, undefined);
    assert.equal(event.detail, `expected ${guarded.client.jkt}, got ${thief.jkt}`);
  });

  test('twin: without a proof there is no key', async () => {
    const response = await guarded.send({ proof: null });
    assert.equal((await guarded.sidecar.logged(response)).key, undefined);
  });
});
