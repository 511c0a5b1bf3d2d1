import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Guarded } from '../support/guarded.js';
import { request } from '../support/sidecar.js';
import { handshakeWith } from '../support/websocket.js';

let guarded: Guarded;
before(async () => {
  guarded = await Guarded.start();
});
after(() => guarded.stop());

describe('A24: 100 Continue', () => {
  const waiting = ['Expect: 100-continue', 'Content-Length: 2'];

  test('without credentials: the final 401 and no 100 before it', async () => {
    const bytes = request({ method: 'POST', target: '/a', headers: waiting });
    await guarded.refuses({ bytes, status: 401, reason: 'credentials_missing', closes: true });
  });

  test('with a proof for another URL: the final 401 and no 100 before it', async () => {
    const bytes = guarded.proven({ method: 'POST', target: '/a', path: '/b', headers: waiting });
    await guarded.refuses({ bytes, status: 401, reason: 'dpop_htu_mismatch', closes: true });
  });

  test('a body sent without waiting is not taken for a request', async () => {
    const follower = guarded.proven({ target: '/smuggled' });
    const headers = ['Expect: 100-continue', `Content-Length: ${follower.length}`];
    const bytes = request({ method: 'POST', target: '/a', headers, body: follower });
    await guarded.refuses({ bytes, status: 401, reason: 'credentials_missing', closes: true });
  });

  for (const value of ['100-continue', '100-Continue']) {
    test(`twin: ${value} with a proof: 100, then the answer of the service`, async () => {
      guarded.service.reset();
      const wire = await guarded.open();
      wire.send(
        guarded.proven({ method: 'POST', target: '/a', headers: [`Expect: ${value}`, 'Content-Length: 2'] }),
      );
      assert.equal((await wire.response()).status, 100);
      assert.deepEqual(guarded.service.requests, []);
      wire.send('hi');
      const response = await wire.response();
      assert.equal(response.status, 200);
      assert.equal(guarded.service.last.rawBody, 'hi');
      assert.deepEqual(guarded.service.last.all('expect'), []);
      wire.send(guarded.proven({ target: '/next' }));
      assert.equal((await wire.response()).status, 200);
      wire.close();
    });
  }
});

describe('A23: Upgrade', () => {
  test('twin: an upgrade that nothing asks for is stripped, the request is ordinary', async () => {
    for (const headers of [
      ['Upgrade: websocket'],
      ['Connection: Upgrade'],
      ['Upgrade: h2c', 'Connection: keep-alive'],
    ]) {
      guarded.service.reset();
      assert.equal((await guarded.send({ target: '/a', headers })).status, 200);
      assert.deepEqual(guarded.service.last.all('upgrade'), []);
      assert.deepEqual(guarded.service.last.all('connection'), ['keep-alive']);
    }
  });

  test('trap H17: what follows an upgrade that is refused never reaches the service', async () => {
    for (const [protocol, status, reason] of [
      ['h2c', 501, 'upgrade_unsupported'],
      ['websocket', 400, 'upgrade_not_allowed'],
    ] as const) {
      const headers = handshakeWith(['upgrade'], `Upgrade: ${protocol}`);
      const bytes = guarded.proven({ target: '/a', headers }) + guarded.proven({ target: '/smuggled' });
      await guarded.refuses({ bytes, status, reason, closes: true });
    }
  });
});
