import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Guarded } from '../support/guarded.js';
import { request } from '../support/sidecar.js';

let guarded: Guarded;
before(async () => {
  guarded = await Guarded.start();
});
after(() => guarded.stop());

const host = 'Host: api.test';
const closing: readonly { title: string; bytes: string; status: number; reason: string }[] = [
  {
    title: 'trap Node: what the parser refuses',
    bytes: `GET /a HTTP/1.1\r\n${host}\r\nX-A : b\r\n\r\n`,
    ...{ status: 400, reason: 'request_malformed' },
  },
  {
    title: 'two Host lines',
    bytes: `GET /a HTTP/1.1\r\n${host}\r\n${host}\r\n\r\n`,
    ...{ status: 400, reason: 'host_invalid' },
  },
  { title: 'a bad target', bytes: request({ target: '/a#b' }), status: 400, reason: 'target_invalid' },
  {
    title: 'too many fields',
    bytes: request({ headers: Array.from({ length: 101 }, () => 'X-A: b') }),
    ...{ status: 431, reason: 'header_fields_too_large' },
  },
  {
    title: 'an unknown transfer coding',
    bytes: request({ method: 'POST', headers: ['Transfer-Encoding: gzip, chunked'], body: '0\r\n\r\n' }),
    ...{ status: 501, reason: 'transfer_coding_unsupported' },
  },
  {
    title: 'an upgrade',
    bytes: request({ headers: ['Connection: upgrade', 'Upgrade: h2c'] }),
    ...{ status: 501, reason: 'upgrade_unsupported' },
  },
  {
    title: 'an unknown expectation',
    bytes: request({ headers: ['Expect: x'] }),
    ...{ status: 417, reason: 'expectation_failed' },
  },
  {
    title: 'CONNECT',
    bytes: 'CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n\r\n',
    ...{ status: 405, reason: 'method_not_allowed' },
  },
];

describe('A18, trap Node: a good request in the same packet is not served behind', () => {
  for (const { title, bytes, ...expected } of closing) {
    test(title, async () => {
      const follower = guarded.proven({ target: '/smuggled' });
      await guarded.refuses({ bytes: bytes + follower, ...expected, closes: true });
    });
    test(`${title}, itself behind a good one`, async () => {
      guarded.service.reset();
      const wire = await guarded.open();
      wire.send(guarded.proven({ target: '/first' }) + bytes + guarded.proven({ target: '/smuggled' }));
      assert.equal((await wire.response()).status, 200);
      const refusal = await wire.response();
      assert.equal(refusal.status, expected.status);
      assert.equal(refusal.one('connection'), 'close');
      assert.equal(await wire.closed(), '');
      assert.deepEqual(
        guarded.service.requests.map(({ line }) => line),
        ['GET /first HTTP/1.1'],
      );
      await guarded.serves();
    });
  }

  test('twin: behind a refusal that closes nothing it is served, in order', async () => {
    guarded.service.reset();
    const wire = await guarded.open();
    wire.send(request({ target: '/unproven' }) + guarded.proven({ target: '/second' }));
    assert.equal((await wire.response()).status, 401);
    assert.equal((await wire.response()).status, 200);
    wire.close();
    assert.deepEqual(
      guarded.service.requests.map(({ line }) => line),
      ['GET /second HTTP/1.1'],
    );
  });

  test('twin: ten good requests in one packet are served in order', async () => {
    guarded.service.reset();
    guarded.service.script = ({ line }) => `HTTP/1.1 200 OK\r\nContent-Length: ${line.length}\r\n\r\n${line}`;
    const wire = await guarded.open();
    const targets = Array.from({ length: 10 }, (_, index) => `/ahead/${index}`);
    wire.send(targets.map((target) => guarded.proven({ target })).join(''));
    for (const target of targets) assert.equal((await wire.response()).body, `GET ${target} HTTP/1.1`);
    wire.close();
    guarded.service.reset();
  });
});

describe('A19: a refusal that leaves a body unread closes the connection', () => {
  const megabytes = 10 * 1024 * 1024;
  const unproven = { status: 401, reason: 'credentials_missing', closes: true };

  test('a body that was announced and does not come', () =>
    guarded.refusesAll([
      { bytes: request({ method: 'POST', headers: [`Content-Length: ${megabytes}`] }), ...unproven },
      {
        bytes: request({
          method: 'POST',
          headers: [`Content-Length: ${megabytes}`],
          body: 'x'.repeat(100_000),
        }),
        ...unproven,
      },
      {
        bytes: request({ method: 'POST', headers: ['Transfer-Encoding: chunked'], body: '5\r\nab' }),
        ...unproven,
      },
    ]));

  test('a client that sends all of it first still reads the refusal', async () => {
    const wire = await guarded.open();
    wire.send(request({ method: 'POST', headers: [`Content-Length: ${megabytes}`] }));
    for (let sent = 0; sent < megabytes; sent += 65_536) wire.send(Buffer.alloc(65_536));
    const response = await wire.response();
    assert.equal(response.status, 401);
    assert.equal(response.one('connection'), 'close');
    await wire.closed();
    await guarded.serves();
  });

  test('a body is no request, whatever it looks like', async () => {
    const body = guarded.proven({ target: '/smuggled' });
    await guarded.refuses({
      bytes: request({ method: 'POST', headers: [`Content-Length: ${body.length + 1}`], body }),
      ...unproven,
    });
  });

  test('twin: a body that has arrived whole leaves it open', () =>
    guarded.refusesAll([
      {
        bytes: request({ method: 'POST', headers: ['Content-Length: 2'], body: 'hi' }),
        ...unproven,
        closes: false,
      },
    ]));
});
