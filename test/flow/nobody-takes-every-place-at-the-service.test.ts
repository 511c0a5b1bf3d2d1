import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { makeDpopKey, makeProof } from '../support/dpop.js';
import { Guarded, until } from '../support/guarded.js';
import type { SeenRequest } from '../support/recording-service.js';
import { authority, request } from '../support/sidecar.js';
import { Wire } from '../support/wire.js';

const places = 256;
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const large = 8 * 1024 * 1024;
const unread = Buffer.concat([
  Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${large}\r\n\r\n`),
  Buffer.alloc(large, 'x'),
]);

let guarded: Guarded;
let held: Wire[] = [];
before(async () => {
  guarded = await Guarded.start({
    config: { routes: [{ path: '/public/**', proof: 'none' }, { path: '/**' }] },
  });
});
beforeEach(() => {
  guarded.service.reset();
  guarded.service.script = answer;
});
after(() => guarded.stop());

/** Requests below /held are never answered, those below /large with more than the buffers of the system take. */
function answer({ line }: SeenRequest): string | Buffer | undefined {
  if (line.includes('/held')) return undefined;
  return line.includes('/large') ? unread : ok;
}

const slowPost = request({
  method: 'POST',
  target: '/public/slow',
  headers: ['Content-Length: 1000'],
  body: 'x',
});

async function send(text: string, from = '127.0.0.1'): Promise<void> {
  const wire = await Wire.open({ port: guarded.sidecar.port, from });
  wire.socket.pause();
  wire.send(text);
  held.push(wire);
}

const inFlight = (caller: 'client' | 'stranger') =>
  guarded.sidecar.metric(`holdfast_requests_in_flight{caller="${caller}"}`);
const waiting = (caller: 'client' | 'stranger') =>
  guarded.sidecar.metric(`holdfast_requests_waiting{caller="${caller}"}`);

/** All of them are where they will be: at the service or waiting. */
async function settled(caller: 'client' | 'stranger', count: number): Promise<void> {
  await until(async () => (await inFlight(caller)) + (await waiting(caller)) >= count, `${count} requests`);
}

async function letGo(): Promise<void> {
  for (const wire of held) wire.close();
  held = [];
  await until(async () => (await inFlight('client')) + (await inFlight('stranger')) === 0, 'all have left');
}

/** A request of another client of the issuer that is never answered, or of the same with another target. */
function provenBy(client: string, target: string): string {
  const key = makeDpopKey();
  const token = guarded.mint(key, { client_id: client });
  const proof = makeProof({
    key,
    method: 'GET',
    uri: `http://${authority}${target}`,
    token,
    nonce: guarded.caller.nonce,
  });
  return request({ target, headers: [`Authorization: DPoP ${token}`, `DPoP: ${proof}`] });
}

describe('S14: shares of the places at the service', () => {
  for (const [title, text] of Object.entries({
    'slow POSTs': slowPost,
    'answers that nobody reads': request({ target: '/public/large' }),
  })) {
    test(`S14: 256 ${title} of one address on a public route leave room for proven callers and other addresses`, async () => {
      for (let i = 0; i < places; i++) await send(text);
      await until(async () => (await waiting('stranger')) > 0, 'the address has its share');
      await until(async () => (await inFlight('stranger')) === places / 4, 'a quarter');
      for (let i = 0; i < 10; i++) await guarded.serves();
      const other = await guarded.sidecar.send(request({ target: '/public/x' }), undefined, '127.0.0.9');
      assert.equal(other.status, 200);
      await letGo();
    });
  }

  test('S14: eleven addresses hold half of the places, and proven callers are served', async () => {
    for (let i = 0; i < places; i++) await send(slowPost, `127.0.1.${i % 11}`);
    await settled('stranger', places);
    assert.ok((await inFlight('stranger')) <= places / 2);
    for (let i = 0; i < 10; i++) await guarded.serves();
    await letGo();
  });

  test('S14: a client that floods gets its share, and another client and a stranger are served', async () => {
    for (let i = 0; i < places; i++) await send(guarded.proven({ target: `/held/${i}` }));
    await settled('client', places);
    assert.equal(await inFlight('client'), (places * 3) / 4, 'twin: alone, a client uses most places');
    const other = await guarded.sidecar.send(provenBy('another', '/'));
    assert.equal(other.status, 200);
    const stranger = await guarded.sidecar.send(request({ target: '/public/x' }));
    assert.equal(stranger.status, 200);
    await letGo();
  });

  test('S14: with a client, a stranger and many addresses that flood, a further client is served', async () => {
    for (let i = 0; i < places; i++) await send(guarded.proven({ target: `/held/${i}` }));
    for (let i = 0; i < places; i++) await send(slowPost, `127.0.2.${i % 200}`);
    await settled('stranger', places);
    await settled('client', places);
    assert.ok((await inFlight('client')) + (await inFlight('stranger')) <= (places * 7) / 8);
    assert.equal((await guarded.sidecar.send(provenBy('another', '/'))).status, 200);
    await letGo();
  });

  test('S14: who waits longer than the queue allows gets 503, and the service sees no byte of it', async () => {
    for (let i = 0; i < places / 4; i++) await send(slowPost);
    await settled('stranger', places / 4);
    const { bytes } = guarded.service;
    const before = await guarded.sidecar.metric(
      'holdfast_places_refused_total{caller="stranger",cause="waited"}',
    );
    const late = await guarded.sidecar.send(request({ target: '/public/late' }));
    assert.equal(late.status, 503);
    assert.match(late.one('retry-after') ?? '', /^[1-9][0-9]*$/);
    assert.equal((await guarded.sidecar.logged(late)).reason, 'ERR_UPSTREAM_BUSY');
    assert.equal(guarded.service.bytes, bytes);
    assert.equal(
      await guarded.sidecar.metric('holdfast_places_refused_total{caller="stranger",cause="waited"}'),
      before + 1,
    );
    await letGo();
  });

  test('S14: twin: 256 quick requests of one address at once are all served', async () => {
    const answers = await Promise.all(
      Array.from({ length: places }, () => guarded.sidecar.send(request({ target: '/public/quick' }))),
    );
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  });
});
