import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Checkpoint, uniqueText } from '../support/checkpoint.js';
import { makeDpopKey } from '../support/dpop.js';
import { request } from '../support/sidecar.js';
import { handshake } from '../support/websocket.js';
import { Wire } from '../support/wire.js';

test('S01: no credential is in the log or the metrics, wherever it was sent', async (t) => {
  const basic = `legacy:${uniqueText()}`;
  const secret = randomBytes(32);
  const guarded = await Checkpoint.start({
    config: {
      log: { level: 'debug' },
      dpop: { nonceSecret: 'nonce.secret' },
      identity: { authorization: { basic: 'basic.txt' } },
    },
    files: { 'nonce.secret': secret, 'basic.txt': basic },
  });
  t.after(() => guarded.stop());
  await guarded.fetchNonce();
  for (const one of [basic, Buffer.from(basic).toString('base64'), secret.toString('hex')])
    guarded.keepSecret(one);
  for (const encoding of ['base64', 'base64url'] as const) guarded.keepSecret(secret.toString(encoding));
  const fresh = () => {
    const text = uniqueText();
    guarded.keepSecret(text);
    return text;
  };

  const { seen } = await guarded.admits({
    target: `/a?code=${fresh()}&access=${fresh()}`,
    headers: [`Cookie: sid=${fresh()}`],
  });
  assert.deepEqual(seen.all('authorization'), [`Basic ${Buffer.from(basic).toString('base64')}`]);

  const token = guarded.token();
  const proof = guarded.proof({ token });
  await guarded.admits({ token, proof });
  await guarded.send({ token, proof });
  await guarded.send({ token, scheme: 'Bearer' });
  await guarded.send({ token, key: makeDpopKey() });
  await guarded.send({ token: `${token}x`, proof: null });
  await guarded.send({ token: fresh(), proof: fresh() });
  await guarded.send({ token: `${fresh()}.${fresh()}.${fresh()}`, proof: null });
  await guarded.send({ token, proof: `${fresh()}.${fresh()}.${fresh()}` });
  await guarded.send({ token, target: `/a?access_token=${token}` });
  await guarded.send({ token: null, headers: [`Authorization: Basic ${fresh()}`] });
  await guarded.send({ token: null, headers: [`Authorization: DPoP ${fresh()} ${fresh()}`] });
  await guarded.send({ token: null, headers: [`Authorization: ${fresh()}`] });
  await guarded.send({ headers: [`Authorization: Bearer ${fresh()}`] });
  await guarded.send({ headers: [`DPoP: ${fresh()}`] });
  await guarded.send({ headers: [`Proxy-Authorization: Basic ${fresh()}`, `X-Api-Key: ${fresh()}`] });
  await guarded.send({
    token,
    proof: guarded.proof({ token, uri: `http://api.test/x?code=${fresh()}#${fresh()}` }),
  });
  await guarded.send({ token, proof: guarded.proof({ token, nonce: fresh() }) });
  // A piece of a token in the wrong place.
  const [, , signature = ''] = token.split('.');
  guarded.keepSecret(signature.slice(0, 40));
  await guarded.send({ token, proof: guarded.proof({ token, uri: `http://api.test/${signature}` }) });
  for (const fields of [
    [`Upgrade: x/${signature}`],
    [`Upgrade: ${signature}, h2c`],
    ['Upgrade: websocket', `Sec-WebSocket-Version: ${signature}`],
    [...handshake, `Sec-WebSocket-Version: ${signature}`],
    ['Upgrade: websocket', 'Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${signature}`],
  ])
    await guarded.send({ token, headers: ['Connection: Upgrade', ...fields] });
  await guarded.send({ headers: [`Expect: ${fresh()}`] });
  await guarded.send(request({ headers: [`Authorization: DPoP ${fresh()}`, `X_Auth_Subject: ${fresh()}`] }));
  await guarded.send(
    `GET /a?code=${fresh()} HTTP/1.1\r\nHost: api.test\r\nHost: api.test\r\nAuthorization: DPoP ${fresh()}\r\n\r\n`,
  );
  await guarded.send(
    `GET /a#${fresh()} HTTP/1.1\r\nHost: api.test\r\nAuthorization: DPoP ${fresh()}\r\n\r\n`,
  );
  await guarded.send(`GET /a HTTP/1.1\r\nHost: api.test\r\n Authorization: DPoP ${fresh()}\r\n\r\n`);
  await guarded.send(`GET http://api.test/a?code=${fresh()} HTTP/1.1\r\nHost: api.test\r\n\r\n`);
  guarded.service.script = (_, socket) => {
    socket.destroy();
    return undefined;
  };
  await guarded.send({ method: 'POST', headers: ['Content-Length: 32'], body: fresh() });

  // The search can find: what may be written down is there.
  const visible = uniqueText();
  const last = await guarded.send(request({ target: `/${visible}` }));
  const { path } = await guarded.sidecar.logged(last);
  assert.equal(path, `/${visible}`);
});

test('S03: callers cannot make series', async (t) => {
  const guarded = await Checkpoint.start();
  t.after(() => guarded.stop());
  const { signer } = guarded;
  const kinds: readonly ((i: number) => string)[] = [
    (i) => request({ target: `/path-${i}/${'x'.repeat(i % 50)}` }),
    (i) => request({ headers: [`Authorization: Bearer ${signer.token({}, { kid: `kid-${i}` })}`] }),
    (i) => request({ headers: [`Authorization: Bearer ${signer.token({ client_id: `client-${i}` })}`] }),
    (i) => request({ headers: [`Authorization: Bearer ${signer.token({ iss: `https://as-${i}.test` })}`] }),
    (i) => request({ method: 'PUT', headers: [`X-Odd-${i}: 1`], target: `/m?q=${i}` }),
  ];
  const series = async () => {
    const { text } = await guarded.sidecar.admin('/metrics');
    return text
      .split('\n')
      .filter((line) => line.startsWith('holdfast_'))
      .map((line) => line.split(' ')[0]);
  };
  const wires = await Promise.all(kinds.map(() => Wire.open({ port: guarded.sidecar.port })));
  let pending = 0;
  const run = (from: number, to: number) =>
    Promise.all(
      wires.map(async (wire, kind) => {
        for (let i = from; i < to; i++) {
          wire.send(kinds[kind]?.(i) ?? '');
          const { status } = await wire.response();
          // Made-up keys: the issuer is asked once in 5 s, and until then nobody can tell.
          if (kind === 1 && status === 503) pending++;
          else assert.equal(status, 401);
        }
      }),
    );
  await run(0, 2);
  const before = await series();
  await run(2, 2000);
  assert.deepEqual(await series(), before);
  const total = await guarded.sidecar.metric(
    'holdfast_requests_total{route="/**",outcome="refused",proof="none",reason="token_key_unknown"}',
  );
  assert.equal(total + pending, 2000, 'they were counted, as one');
  assert.ok(pending > 0 && total > 0);
  for (const wire of wires) wire.close();
  assert.equal(guarded.service.bytes, 0);
});

test('S01: what is refused for its form is logged with method and path, and no more of its target', async (t) => {
  const guarded = await Checkpoint.start();
  t.after(() => guarded.stop());
  const secret = uniqueText();
  guarded.keepSecret(secret);
  const cases: readonly [bytes: string, method: string, path: string | undefined][] = [
    [request({ target: `/a?code=${secret}`, headers: ['Expect: x'] }), 'GET', '/a'],
    [request({ target: `/a/../b#${secret}` }), 'GET', '/a/../b'],
    [request({ target: `http://user:${secret}@api.test/a` }), 'GET', undefined],
    [request({ method: 'POST', target: '/b', headers: ['Content-Length: 01'], body: 'x' }), 'POST', '/b'],
    [request({ target: `/${'c'.repeat(1000)}`, headers: ['Expect: x'] }), 'GET', `/${'c'.repeat(511)}`],
  ];
  for (const [bytes, method, path] of cases) {
    const response = await guarded.send(bytes);
    const event = await guarded.sidecar.logged(response);
    assert.deepEqual([event.outcome, event.method, event.path], ['refused', method, path]);
  }
});

test('S01: a token in a path, in a host, in htu or in an upgrade is masked, and the rest of the line stays', async (t) => {
  const guarded = await Checkpoint.start({
    config: { routes: [{ path: '/open/**', proof: 'none' }, { path: '/**' }] },
  });
  t.after(() => guarded.stop());
  await guarded.fetchNonce();
  const secret = guarded.token();
  const opaque = `aB3${randomBytes(48).toString('base64url')}`;
  guarded.keepSecret(opaque);
  const pathOf = async (target: string, call: object = {}) =>
    String((await guarded.sidecar.logged(await guarded.send({ target, ...call }))).path);

  for (const one of [secret, opaque]) {
    guarded.keepSecret(one);
    assert.equal(await pathOf(`/open/reset/${one}/now`, { token: null }), '/open/reset/…/now');
    assert.equal(await pathOf(`/reset/${one}`), '/reset/…');
    assert.equal(await pathOf(`/reset/${one}//../x`, { token: null }), '/reset/…//../x');
    await guarded.send({
      target: `/${one}`,
      token: guarded.token(),
      proof: guarded.proof({ token: secret, target: `/x/${one}` }),
    });
    await guarded.send(`GET / HTTP/1.1\r\nHost: ${one}\r\n\r\n`);
    await guarded.send(`GET / HTTP/1.1\r\nHost: api.test\r\nConnection: Upgrade\r\nUpgrade: ${one}\r\n\r\n`);
    await guarded.send(`GET / HTTP/1.1\r\nHost: api.test\r\n${one.replaceAll('.', '_')}_: x\r\n\r\n`);
    await guarded.send({
      method: 'GET',
      token: secret,
      proof: guarded.proof({ token: secret, method: one }),
    });
  }
  const id = '0b7f1d3e-6c52-4a52-9f5f-3e2f6f0f9c11';
  assert.equal(await pathOf(`/open/orders/${id}`, { token: null }), `/open/orders/${id}`);
  assert.ok(guarded.sidecar.child.events.some(({ reason }) => reason === 'dpop_htu_mismatch'));
});
