import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as net from 'node:net';
import { after, before, describe, type TestContext, test } from 'node:test';
import * as tls from 'node:tls';
import { Checkpoint } from '../support/checkpoint.js';
import { Guarded } from '../support/guarded.js';
import { request } from '../support/sidecar.js';
import { handshake } from '../support/websocket.js';

let guarded: Guarded;
before(async () => {
  guarded = await Guarded.start({
    config: { routes: [{ path: '/public/**', proof: 'none' }, { path: '/**' }] },
  });
});
after(() => guarded.stop());

test('B08, S09: what a peer sent that has reset its connection before it was accepted does not reach the service without its address', async () => {
  const { child } = guarded.sidecar;
  // While the process stands still, the system completes connections for it, and takes what comes over them.
  child.signal('SIGSTOP');
  for (let attempt = 0; attempt < 20; attempt++) {
    const wire = await guarded.open();
    await new Promise<void>((resolve) => {
      wire.socket.write(request({ target: `/public/${attempt}` }), () => resolve());
    });
    wire.socket.resetAndDestroy();
  }
  child.signal('SIGCONT');
  // The good one comes last, and its event is the last to be written.
  await guarded.sidecar.logged(await guarded.send({ target: '/good' }));
  const events = child.events.filter(({ event }) => event === 'request');
  const logged = new Set(events.map(({ remote_address }) => remote_address));
  const seen = new Set(guarded.service.requests.map(({ all }) => all('x-forwarded-for').join()));
  assert.deepEqual([...logged], ['127.0.0.1']);
  assert.deepEqual([...seen], ['127.0.0.1']);
});

describe('B08, S09: a TLS connection keeps the address that it had, however soon its peer has gone', () => {
  const sent: readonly (readonly [string, (target: string) => string])[] = [
    ['a request', (target) => request({ target })],
    ['an upgrade', (target) => request({ target, headers: handshake })],
    ['CONNECT', () => 'CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n\r\n'],
  ];
  for (const [what, bytes] of sent) test(what, (t) => keepsItsAddress(t, bytes));
});

async function keepsItsAddress(t: TestContext, bytes: (target: string) => string): Promise<void> {
  const guarded = await Checkpoint.start({
    tls: { mode: 'optional' },
    config: { routes: [{ path: '/public/**', proof: 'none', websocket: true }, { path: '/**' }] },
  });
  t.after(() => guarded.stop());
  const { child, port } = guarded.sidecar;
  for (let attempt = 0; attempt < 10; attempt++) {
    const tcp = net.connect(port, '127.0.0.1');
    const socket = tls.connect({ socket: tcp, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    child.signal('SIGSTOP');
    await new Promise<void>((resolve) => {
      socket.write(bytes(`/public/${attempt}`), () => resolve());
    });
    socket.on('error', () => {});
    tcp.resetAndDestroy();
    child.signal('SIGCONT');
  }
  await guarded.sidecar.logged(await guarded.send(request({ target: '/public/last' })));
  const events = child.events.filter(({ event }) => event === 'request');
  assert.ok(events.length > 0);
  for (const { remote_address } of events) assert.equal(remote_address, '127.0.0.1');
  for (const seen of guarded.service.requests) assert.deepEqual(seen.all('x-forwarded-for'), ['127.0.0.1']);
}
