import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { makeCa } from '../support/certificates.js';
import { type Call, Checkpoint, type CheckpointOptions } from '../support/checkpoint.js';
import { bearerException } from '../support/exceptions.js';
import { until } from '../support/guarded.js';
import { boundTo, showing } from '../support/mtls.js';
import type { Script } from '../support/recording-service.js';
import { TokenSigner } from '../support/token-signer.js';
import { handshake, switching } from '../support/websocket.js';
import { Wire, type WireTarget } from '../support/wire.js';

const leewaySeconds = 1;
const lifetimeSeconds = 3;
const nowSeconds = () => Math.floor(Date.now() / 1000);

function start(options: CheckpointOptions = {}): Promise<Checkpoint> {
  const signer = new TokenSigner();
  const { issuer, audience } = signer;
  const issuers = [{ issuer, audience, keys: { file: 'jwks.json' }, leeway: `${leewaySeconds}s` }];
  return Checkpoint.start({ ...options, signer, config: { issuers, ...options.config } });
}

const answers = {
  'an answer in chunks': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
  'an answer of a known length': 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf',
  'an event stream': 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: half\n\n',
} as const;

interface Running {
  readonly wire: Wire;
  /** the service's end */
  readonly socket: Socket;
}

/** Sends the call, which the service begins to answer, and waits until the beginning has come. */
async function begin(
  guarded: Checkpoint,
  answer: string | 'websocket',
  call: Call,
  tls?: WireTarget['tls'],
): Promise<Running> {
  let socket: Socket | undefined;
  guarded.service.script = (seen, one) => {
    socket = one;
    one.write(answer === 'websocket' ? `${switching(seen)}half` : answer);
    return undefined;
  };
  const wire = await Wire.open({ port: guarded.sidecar.port, ...(tls && { tls }) });
  const headers = answer === 'websocket' ? handshake : [];
  wire.send(guarded.bytes({ ...call, headers }));
  await until(() => wire.unread.includes('half'), `the answer begins: ${wire.unread}`);
  assert.ok(socket !== undefined);
  return { wire, socket };
}

/** Holds when the exchange was cut, not before the moment, on both sides, and logged and counted as that. */
async function ends(
  guarded: Checkpoint,
  { wire, socket }: Running,
  { notBeforeMs, reason, route }: { notBeforeMs: number; reason: string; route: string },
): Promise<void> {
  const before = await guarded.sidecar.metric(series(route, reason));
  const received = await wire.closed();
  assert.ok(Date.now() >= notBeforeMs, `${notBeforeMs - Date.now()} ms early`);
  assert.doesNotMatch(received, /\r\n0\r\n\r\n$/, 'no valid end');
  await until(() => socket.destroyed, 'the service is told');
  const id = /x-request-id: (\S+)/i.exec(received)?.[1];
  const event = await guarded.sidecar.child.event((one) => one.event === 'request' && one.request_id === id);
  assert.deepEqual([event.outcome, event.reason], ['forwarded', reason]);
  assert.equal(event.status, received.startsWith('HTTP/1.1 101') ? 101 : 200);
  assert.equal(await guarded.sidecar.metric(series(route, reason)), before + 1);
}

const series = (route: string, reason: string) =>
  `holdfast_streams_ended_total{route="${route}",reason="${reason}"}`;

/** Holds when what the service goes on to say reaches the client. */
async function goesOn({ wire, socket }: Running): Promise<void> {
  socket.write('9\r\nstill on.\r\n');
  await until(() => wire.unread.includes('still on.'), 'it goes on');
  wire.close();
}

describe('A23, D10: a token that expires ends what still runs', () => {
  let guarded: Checkpoint;
  before(async () => {
    guarded = await start({
      config: {
        routes: [
          { path: '/public/**', proof: 'none', websocket: true },
          { path: '/**', websocket: true },
        ],
        exceptions: [],
      },
    });
    await guarded.fetchNonce();
  });
  beforeEach(() => guarded.service.reset());
  after(() => guarded.stop());

  for (const [title, answer] of [...Object.entries(answers), ['a WebSocket', 'websocket'] as const])
    test(title, async () => {
      const exp = nowSeconds() + lifetimeSeconds;
      const lasting = await begin(guarded, answer, { target: '/a' });
      const open = await begin(guarded, answer, { target: '/public/a', token: null });
      const short = await begin(guarded, answer, { target: '/a', token: guarded.token({ exp }) });
      await ends(guarded, short, {
        notBeforeMs: (exp + leewaySeconds) * 1000,
        reason: 'token_expired_while_streaming',
        route: '/**',
      });
      // Accepting twins: a token that lives on, and no token at all.
      await goesOn(lasting);
      await goesOn(open);
    });

  test('a WebSocket that the service agrees to only when it has expired is not opened', async () => {
    const exp = nowSeconds() + lifetimeSeconds;
    const fromClient: Buffer[] = [];
    const agreeLate: Script = (seen, socket) => {
      const over = (exp + leewaySeconds) * 1000 + 200;
      setTimeout(() => socket.write(`${switching(seen)}late`), over - Date.now());
      socket.on('data', (bytes) => void fromClient.push(bytes));
      return undefined;
    };
    const wires: Wire[] = [];
    for (const token of [guarded.token({ exp }), guarded.token()]) {
      guarded.service.script = agreeLate;
      const wire = await Wire.open({ port: guarded.sidecar.port });
      wire.send(`${guarded.bytes({ target: '/a', token, headers: handshake })}ahead`);
      wires.push(wire);
    }
    const [short, lasting] = wires;
    assert.ok(short !== undefined && lasting !== undefined);
    const response = await short.response();
    assert.equal(response.status, 401, 'no 101');
    assert.equal((await guarded.sidecar.logged(response)).reason, 'token_expired_while_streaming');
    assert.equal(await short.closed(), '');
    // Accepting twin, and the only one whose bytes reached the service.
    assert.equal((await lasting.response()).status, 101);
    await until(() => lasting.unread === 'late', 'bytes of the service');
    await until(() => fromClient.length > 0, 'bytes of the client');
    assert.equal(Buffer.concat(fromClient).toString('latin1'), 'ahead');
    lasting.close();
  });

  test('twin: an answer that is whole before has its end', async () => {
    const exp = nowSeconds() + lifetimeSeconds;
    const { wire, socket } = await begin(guarded, answers['an answer in chunks'], {
      target: '/a',
      token: guarded.token({ exp }),
    });
    socket.write('0\r\n\r\n');
    assert.equal((await wire.response()).body, 'half');
    await until(() => Date.now() > (exp + leewaySeconds) * 1000 + 200, 'the token has expired');
    // The connection is still there, and its next request gets the answer that is due.
    wire.send(guarded.bytes({ token: guarded.token({ exp }) }));
    const next = await wire.response();
    assert.equal(next.status, 401);
    assert.equal((await guarded.sidecar.logged(next)).reason, 'token_expired');
    wire.close();
  });
});

describe('R02: an exception that ends takes what still runs along', { concurrency: true }, () => {
  for (const [title, answer] of [
    ['an event stream', answers['an event stream']],
    ['a WebSocket', 'websocket'],
  ] as const)
    test(title, async (t) => {
      const expiresMs = (nowSeconds() + 8) * 1000;
      const guarded = await start({
        config: {
          routes: [{ path: '/**', websocket: true }],
          exceptions: [
            bearerException({
              clients: ['shop'],
              routes: ['/legacy/**'],
              expires: new Date(expiresMs).toISOString().replace('.000', ''),
            }),
            bearerException({ id: 'lasting', clients: ['other'], routes: ['/legacy/**'] }),
          ],
        },
      });
      t.after(() => guarded.stop());
      const call = (client: string): Call => ({
        target: '/legacy/a',
        scheme: 'Bearer',
        proof: null,
        token: guarded.signer.token({ client_id: client }),
      });
      const lasting = await begin(guarded, answer, call('other'));
      const short = await begin(guarded, answer, call('shop'));
      await ends(guarded, short, {
        notBeforeMs: expiresMs,
        reason: 'exception_expired_while_streaming',
        route: '/**',
      });
      assert.equal(
        await guarded.sidecar.metric('holdfast_exception_requests_total{exception="legacy-gateway"}'),
        1,
        'it is counted as a use',
      );
      await goesOn(lasting);
    });
});

describe('J12: a trusted client certificate that ends takes what still runs along', {
  concurrency: true,
}, () => {
  for (const [title, answer] of [
    ['an event stream', answers['an event stream']],
    ['a WebSocket', 'websocket'],
  ] as const)
    test(title, async (t) => {
      const ca = await makeCa();
      const guarded = await start({
        tls: { ca: ['partners.pem'] },
        files: { 'partners.pem': ca.certPem },
        config: { routes: [{ path: '/**', websocket: true }] },
      });
      t.after(() => guarded.stop());
      const lasting = await ca.issue({ cn: 'shop', usage: 'client' });
      const notAfter = new Date((nowSeconds() + 8) * 1000);
      const short = await ca.issue({ cn: 'shop', usage: 'client', notAfter });
      const running = {
        lasting: await begin(guarded, answer, boundTo(guarded, lasting), showing(lasting)),
        short: await begin(guarded, answer, boundTo(guarded, short), showing(short)),
      };
      await ends(guarded, running.short, {
        notBeforeMs: notAfter.getTime(),
        reason: 'certificate_expired_while_streaming',
        route: '/**',
      });
      await goesOn(running.lasting);
    });
});

describe('A23: upstream.expiryGrace', { concurrency: true }, () => {
  test('is how long it may go on', async (t) => {
    const guarded = await start({ upstream: { expiryGrace: '2s' } });
    t.after(() => guarded.stop());
    await guarded.fetchNonce();
    const exp = nowSeconds() + lifetimeSeconds;
    const running = await begin(guarded, answers['an event stream'], { token: guarded.token({ exp }) });
    await ends(guarded, running, {
      notBeforeMs: (exp + leewaySeconds + 2) * 1000,
      reason: 'token_expired_while_streaming',
      route: '/**',
    });
  });

  test('unlimited: nothing is cut off', async (t) => {
    const guarded = await start({ upstream: { expiryGrace: 'unlimited' } });
    t.after(() => guarded.stop());
    await guarded.fetchNonce();
    const exp = nowSeconds() + lifetimeSeconds;
    const running = await begin(guarded, answers['an event stream'], { token: guarded.token({ exp }) });
    await until(() => Date.now() > (exp + leewaySeconds) * 1000 + 1000, 'the token has expired');
    await goesOn(running);
  });
});

test('A23: each event of a stream arrives before the service sends the next', async (t) => {
  const guarded = await start();
  t.after(() => guarded.stop());
  await guarded.fetchNonce();
  const head =
    'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n';
  for (const framing of ['', 'Transfer-Encoding: chunked\r\n']) {
    let socket: Socket | undefined;
    guarded.service.script = (_, one) => {
      socket = one;
      one.write(`${head}${framing}\r\n`);
      return undefined;
    };
    const wire = await Wire.open({ port: guarded.sidecar.port });
    wire.send(guarded.bytes());
    await until(() => wire.unread.includes('\r\n\r\n'), 'the head arrives before any event');
    assert.doesNotMatch(wire.unread, /data/);
    for (let at = 0; at < 20; at++) {
      const event = `data: event ${at}.\n\n`;
      socket?.write(framing === '' ? event : `${event.length.toString(16)}\r\n${event}\r\n`);
      await until(() => wire.unread.includes(event), `event ${at} arrives`);
    }
    wire.close();
  }
});
