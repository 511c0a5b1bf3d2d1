import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeCa } from '../support/certificates.js';
import { makeDpopKey } from '../support/dpop.js';
import { Guarded, until } from '../support/guarded.js';
import { request, Sidecar } from '../support/sidecar.js';
import { Wire } from '../support/wire.js';

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

function refused({ sidecar }: Guarded, cause: 'total' | 'address' | 'displaced'): Promise<number> {
  return sidecar.metric(`holdfast_connections_refused_total{cause="${cause}"}`);
}

async function noneOpen({ sidecar }: Guarded): Promise<boolean> {
  return (await sidecar.metric('holdfast_connections{listener="public"}')) === 0;
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('S09: client connections', () => {
  for (const limit of ['connections', 'connectionsPerAddress']) {
    test(`${limit}: one more is closed at once, and a place that is given back is used again`, () =>
      withGuarded({ listen: { limits: { [limit]: 5 } } }, async (guarded) => {
        const cause = limit === 'connections' ? 'total' : 'address';
        const before = await refused(guarded, cause);
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
        assert.equal((await refused(guarded, cause)) - before, 3);
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

const unfinished = 'GET /a HTTP/1.1\r\nHost: api.test\r\nX-A: ';

describe('S09: a full table', () => {
  test('connections that say nothing, or nothing good, make room, the oldest first; admitted ones stay', () =>
    withGuarded({ listen: { limits: { connections: 4 } } }, async (guarded) => {
      await until(() => noneOpen(guarded), 'none open');
      const before = await refused(guarded, 'displaced');
      const [admitted] = await hold(guarded, 1);
      const silent = await guarded.open();
      const slow = await guarded.open();
      slow.send(unfinished);
      const refusedOnce = await guarded.open();
      refusedOnce.send(request({ target: '/bad' }));
      assert.equal((await refusedOnce.response()).status, 401);

      for (const [index, victim] of [silent, slow, refusedOnce].entries()) {
        await hold(guarded, 1);
        assert.equal(await victim.closed(), '');
        assert.equal((await refused(guarded, 'displaced')) - before, index + 1);
      }
      // Now everyone in the table has shown a proof.
      const late = await guarded.open();
      assert.equal(await late.closed(), '');
      assert.equal((await refused(guarded, 'displaced')) - before, 3);
      admitted?.send(guarded.proven({ target: '/still-there' }));
      assert.equal((await admitted?.response())?.status, 200);
    }));

  test('a connection whose request is being answered is not the one that makes room', () =>
    withGuarded(
      { listen: { limits: { connections: 2 } }, upstream: { responseTimeout: '60s' } },
      async (guarded) => {
        await until(() => noneOpen(guarded), 'none open');
        guarded.service.script = ({ line }) => (line.includes('/waits') ? undefined : ok);
        const busy = await guarded.open();
        busy.send(guarded.proven({ target: '/waits' }));
        await until(() => guarded.service.open === 1, 'the request is at the service');
        const silent = await guarded.open();
        await guarded.serves();
        assert.equal(await silent.closed(), '');
        assert.equal(busy.unread, '');
        assert.equal(busy.socket.readyState, 'open');
        busy.close();
      },
    ));

  test('half-open TLS handshakes count, end in time, and make room', async () => {
    const ca = await makeCa();
    const server = await ca.issue({ cn: 'api.test', usage: 'server', san: ['api.test'] });
    const tls = { certificate: 'tls.crt', key: 'tls.key' };
    const limits = { connections: 3, headersTimeout: '1s' };
    const sidecar = await Sidecar.start({
      config: {
        listen: { origins: ['https://api.test'], tls, limits },
        upstream: 'http://127.0.0.1:9',
        issuers: [{ issuer: 'https://as.test', audience: 'x', keys: { file: 'jwks.json' } }],
        routes: [{ path: '/**', proof: 'dpop' }],
      },
      files: {
        'tls.crt': server.certPem,
        'tls.key': server.keyPem,
        'jwks.json': JSON.stringify({
          keys: [{ ...makeDpopKey().jwk, kid: 'k1', alg: 'ES256', use: 'sig' }],
        }),
      },
    });
    try {
      // The first bytes of a record that never ends.
      const halfOpen = await Promise.all(
        [0, 1, 2].map(async () => {
          const wire = await Wire.open({ port: sidecar.port });
          wire.send(Buffer.from([22, 3, 1, 2, 0, 1]));
          return wire;
        }),
      );
      await until(
        async () => (await sidecar.metric('holdfast_connections{listener="public"}')) === 3,
        'all three count',
      );
      const response = await sidecar.send(request(), { servername: 'api.test', ca: ca.certPem });
      assert.equal(response.status, 401);
      const displaced = await sidecar.metric('holdfast_connections_refused_total{cause="displaced"}');
      assert.equal(displaced, 1);
      for (const wire of halfOpen) assert.equal(await wire.closed(), '');
      const requests = sidecar.child.events.filter(({ event }) => event === 'request');
      assert.equal(requests.length, 1, 'a handshake is no request');
    } finally {
      await sidecar.stop();
    }
  });
});

test('S09: connections to the admin socket that say nothing keep nobody from it', () =>
  withGuarded({}, async (guarded) => {
    const silent = await Promise.all(
      Array.from({ length: 200 }, () => Wire.open({ port: guarded.sidecar.adminPort })),
    );
    for (const wire of silent.slice(0, 100)) wire.send('GET /livez HTTP/1.1\r\nX-A: ');
    assert.equal((await guarded.sidecar.admin('/livez')).status, 200);
    await guarded.serves();
    for (const wire of silent) wire.close();
  }));

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
