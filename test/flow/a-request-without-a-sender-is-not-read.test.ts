import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Guarded } from '../support/guarded.js';
import { request } from '../support/sidecar.js';

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
