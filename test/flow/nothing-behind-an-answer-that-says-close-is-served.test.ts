import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Guarded } from '../support/guarded.js';
import { request } from '../support/sidecar.js';

let guarded: Guarded;
before(async () => {
  guarded = await Guarded.start({
    config: {
      routes: [
        { path: '/public/**', proof: 'none' },
        { path: '/**', methods: ['GET'] },
      ],
    },
  });
});
after(() => guarded.stop());

const follower = request({ target: '/public/follower' });

/** One answer that is the last one, nothing behind it at the service, and the process goes on. */
async function endsWith(bytes: string, expected: { status: number; seen: readonly string[] }): Promise<void> {
  guarded.service.reset();
  // Answers without length: chunked for HTTP/1.1, until the end of the connection for HTTP/1.0.
  guarded.service.script = ({ line }) =>
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${line.length.toString(16)}\r\n${line}\r\n0\r\n\r\n`;
  const wire = await guarded.open();
  wire.send(bytes + follower);
  const response = await wire.response();
  assert.equal(response.status, expected.status, response.body);
  assert.equal(response.one('connection'), 'close');
  assert.equal(await wire.closed(), '', 'nothing follows');
  guarded.service.script = () => 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
  await guarded.serves();
  assert.deepEqual(
    guarded.service.requests.map(({ line }) => line.split(' ', 2).join(' ')).slice(0, -1),
    expected.seen,
  );
}

describe('A18: no request is served behind an answer after which the connection closes of its own', () => {
  test('a refusal of one that waits for 100 and has no body', async () => {
    const bytes = request({ method: 'PUT', target: '/x', headers: ['Expect: 100-continue'] });
    await endsWith(bytes, { status: 405, seen: [] });
  });

  test('a refusal of one that waits for 100 and has sent its body', async () => {
    const headers = ['Expect: 100-continue', 'Content-Length: 3'];
    const bytes = request({ method: 'PUT', target: '/x', headers, body: 'abc' });
    await endsWith(bytes, { status: 405, seen: [] });
  });

  test('an answer of unknown length to an HTTP/1.0 client that asked to keep the connection', async () => {
    const bytes = 'GET /public/old HTTP/1.0\r\nHost: api.test\r\nConnection: keep-alive\r\n\r\n';
    await endsWith(bytes, { status: 200, seen: ['GET /public/old'] });
  });

  test('twin: behind one that got its 100 the next request is served', async () => {
    guarded.service.reset();
    const wire = await guarded.open();
    const headers = ['Expect: 100-continue', 'Content-Length: 3'];
    wire.send(request({ method: 'PUT', target: '/public/x', headers, body: 'abc' }) + follower);
    assert.equal((await wire.response()).status, 100);
    assert.equal((await wire.response()).status, 200);
    assert.equal((await wire.response()).status, 200);
    wire.close();
    assert.equal(guarded.service.last.line, 'GET /public/follower HTTP/1.1');
  });
});

test('A18, S01: every request that was forwarded is logged', async () => {
  const { events } = guarded.sidecar.child;
  const ids = guarded.service.requests.map((seen) => seen.all('x-request-id')[0]);
  for (const id of ids)
    await guarded.sidecar.child.event(({ event, request_id }) => event === 'request' && request_id === id);
  assert.ok(events.length > ids.length);
});
