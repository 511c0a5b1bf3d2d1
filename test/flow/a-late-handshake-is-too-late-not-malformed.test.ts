import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as net from 'node:net';
import { after, before, test } from 'node:test';
import { Checkpoint } from '../support/checkpoint.js';

let guarded: Checkpoint;
before(async () => {
  guarded = await Checkpoint.start({
    tls: { mode: 'optional' },
    config: { listen: { limits: { headersTimeout: '300ms' } }, routes: [{ path: '/**', proof: 'none' }] },
  });
});
after(() => guarded.stop());

test('S08: a TLS handshake that does not come to an end is logged as what it is, and its connection ends', async () => {
  const socket = net.connect(guarded.sidecar.port, '127.0.0.1');
  socket.on('error', () => {});
  const closed = once(socket, 'close');
  await once(socket, 'connect');
  const event = await guarded.sidecar.child.event(({ outcome }) => outcome === 'refused');
  assert.equal(event.reason, 'request_timeout');
  assert.equal(event.status, 408);
  await closed;
  assert.equal((await guarded.send()).status, 200);
});
