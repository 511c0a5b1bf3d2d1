import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as net from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Guarded, until } from '../support/guarded.js';
import { request, Sidecar } from '../support/sidecar.js';
import { TokenSigner } from '../support/token-signer.js';

const routes = [
  { path: '/public/**', proof: 'none' },
  { path: '/**', proof: 'any' },
];
const hidden =
  'GET /admin/users HTTP/1.1\r\nHost: api.test\r\nX-Auth-Subject: root\r\nX-Auth-Proof: dpop\r\n\r\n';
const framings: Readonly<Record<string, { fields: string[]; body: string }>> = {
  'with a length': { fields: [`Content-Length: ${hidden.length}`], body: hidden },
  chunked: {
    fields: ['Transfer-Encoding: chunked'],
    body: `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`,
  },
  'chunked and empty': { fields: ['Transfer-Encoding: chunked'], body: '0\r\n\r\n' },
};
const unexpected = [
  'GET',
  'HEAD',
  'DELETE',
  'OPTIONS',
  'COPY',
  'MOVE',
  'PURGE',
  'UNLOCK',
  'SUBSCRIBE',
  'LINK',
];
const expected = ['POST', 'PUT', 'PATCH', 'QUERY', 'PROPFIND', 'REPORT', 'SEARCH', 'LOCK'];

describe('B18: on which connection a body goes out', () => {
  let guarded: Guarded;
  let closed: Set<number>;
  before(async () => {
    guarded = await Guarded.start({ config: { routes, upstream: { poolIdleTimeout: '30s' } } });
  });
  after(() => guarded.stop());
  beforeEach(() => {
    guarded.service.reset();
    closed = new Set();
    guarded.service.script = ({ connection }, socket) => {
      socket.once('close', () => closed.add(connection));
      return 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
    };
  });

  /** @returns whether the request went out on the connection that others share, and was the last one on its own if not */
  async function isPooled(bytes: string): Promise<boolean> {
    const shared = await connectionOf(guarded.proven({ target: '/before' }));
    const own = await connectionOf(bytes);
    const said = guarded.service.last.all('connection');
    assert.equal(await connectionOf(guarded.proven({ target: '/after' })), shared);
    if (own === shared) return true;
    assert.deepEqual(said, ['close']);
    await until(() => closed.has(own), 'our side has closed the connection');
    return false;
  }

  async function connectionOf(bytes: string): Promise<number> {
    const wire = await guarded.open();
    wire.send(bytes);
    assert.equal((await wire.response({ head: bytes.startsWith('HEAD ') })).status, 200);
    wire.close();
    return guarded.service.last.connection;
  }

  for (const [framing, { fields, body }] of Object.entries(framings)) {
    test(`B18: ${framing}, on a method that gives it no meaning: on a connection of its own`, async () => {
      for (const method of unexpected)
        assert.equal(
          await isPooled(guarded.proven({ method, target: '/a', headers: fields, body })),
          false,
          method,
        );
    });
    test(`B18: twin: ${framing}, on a method that has bodies: on a shared one`, async () => {
      for (const method of expected)
        assert.equal(
          await isPooled(guarded.proven({ method, target: '/a', headers: fields, body })),
          true,
          method,
        );
    });
    test(`B18: ${framing}, on a public route: on a connection of its own, whatever the method`, async () => {
      for (const method of ['GET', 'POST', 'PUT', 'DELETE'])
        assert.equal(
          await isPooled(request({ method, target: '/public/a', headers: fields, body })),
          false,
          method,
        );
    });
  }

  test('B18: twin: a length of 0 is no body', async () => {
    for (const method of ['GET', 'DELETE'])
      assert.equal(
        await isPooled(guarded.proven({ method, target: '/a', headers: ['Content-Length: 0'] })),
        true,
      );
    assert.equal(
      await isPooled(request({ method: 'POST', target: '/public/a', headers: ['Content-Length: 0'] })),
      true,
    );
  });

  test('B18: an answer that begins before the body has come: the connection is not used again', async () => {
    const sockets: net.Socket[] = [];
    const early = new Set<net.Socket>();
    const service = net.createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      socket.on('data', (bytes: Buffer) => {
        const text = bytes.toString('latin1');
        if (text.startsWith('POST')) {
          early.add(socket);
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab');
        } else if (text.startsWith('GET')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        else if (text.endsWith('last')) socket.write('cd');
      });
    });
    service.listen(0, '127.0.0.1');
    await once(service, 'listening');
    const { port } = service.address() as net.AddressInfo;
    const behind = await Guarded.start({ config: { upstream: { url: `http://127.0.0.1:${port}` } } });
    try {
      const wire = await behind.open();
      wire.send(behind.proven({ method: 'POST', target: '/a', headers: ['Content-Length: 8'] }));
      wire.send('1234');
      await until(() => wire.unread.endsWith('ab'), 'the answer has begun');
      wire.send('last');
      assert.equal((await wire.response()).body, 'abcd');
      wire.send(behind.proven({ target: '/next' }));
      assert.equal((await wire.response()).body, 'ok');
      wire.close();
      assert.equal(early.has(sockets.at(-1) as net.Socket), false);
      await until(() => [...early].every((socket) => socket.destroyed), 'our side has closed it');
    } finally {
      await behind.stop();
      service.close();
    }
  });
});

test('B18: upstream.bodies separate: a proven POST goes alone as well', async () => {
  const guarded = await Guarded.start({ config: { upstream: { bodies: 'separate' } } });
  try {
    for (const body of ['', 'x', 'x', ''])
      await guarded.send({ method: 'POST', target: '/a', headers: [`Content-Length: ${body.length}`], body });
    const [first, second, third, last] = guarded.service.requests.map(({ connection }) => connection);
    assert.equal(first, last);
    assert.equal(new Set([first, second, third]).size, 3);
    assert.deepEqual(guarded.service.requests[1]?.all('connection'), ['close']);
  } finally {
    await guarded.stop();
  }
});

test('B18: upstream.bodyOnGet refuse: 400, and the service sees nothing', async () => {
  const guarded = await Guarded.start({ config: { routes, upstream: { bodyOnGet: 'refuse' } } });
  const refused = { status: 400, reason: 'body_unexpected', closes: true };
  try {
    for (const { fields: headers, body } of Object.values(framings)) {
      for (const method of unexpected) {
        await guarded.refuses({ ...refused, bytes: guarded.proven({ method, target: '/a', headers, body }) });
        await guarded.refuses({ ...refused, bytes: request({ method, target: '/public/a', headers, body }) });
      }
      for (const method of expected)
        assert.equal((await guarded.send({ method, target: '/a', headers, body })).status, 200, method);
    }
    assert.equal((await guarded.send({ target: '/a', headers: ['Content-Length: 0'] })).status, 200);
  } finally {
    await guarded.stop();
  }
});

/** Reads no body, of whatever method, and keeps its connections: what a hand-written service is like. */
const python = `
import socketserver, sys
from http.server import BaseHTTPRequestHandler
class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True
    def answer(self):
        body = (self.path + ' ' + self.headers.get('X-Auth-Subject', '-')).encode()
        sys.stderr.write(self.command + ' ' + self.path + '\\n')
        sys.stderr.flush()
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)
    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = answer
    def log_message(self, *args):
        pass
class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128
server = Server(('127.0.0.1', 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
`;
const hasPython = spawnSync('python3', ['--version']).status === 0;

describe('B18: a real service that reads no bodies', {
  skip: !hasPython && 'python3 is not installed',
}, () => {
  let service: ChildProcess;
  let sidecar: Sidecar;
  /** request lines that the service acted on */
  let seen: string;
  before(async () => {
    const signer = new TokenSigner();
    service = spawn('python3', ['-c', python], { stdio: ['ignore', 'pipe', 'pipe'] });
    service.stderr?.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
    });
    const [line] = await once(service.stdout as NodeJS.ReadableStream, 'data');
    const { issuer, audience } = signer;
    sidecar = await Sidecar.start({
      config: {
        routes,
        upstream: { url: `http://127.0.0.1:${Number(String(line))}`, connections: 4 },
        issuers: [{ issuer, audience, keys: { file: 'jwks.json' } }],
      },
      files: { 'jwks.json': signer.jwks },
    });
    await sidecar.ready();
  });
  after(async () => {
    await sidecar.stop();
    service.kill();
  });
  beforeEach(() => {
    seen = '';
  });

  for (const [framing, { fields, body }] of Object.entries(framings))
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS'])
      test(`B18: ${method} with a body ${framing}: the service sees one request`, async () => {
        const target = `/public/${method.toLowerCase()}`;
        const wire = await sidecar.send(request({ method: 'GET', target: '/public/before' }));
        assert.equal(wire.body, '/public/before -');
        await sidecar.send(request({ method, target, headers: fields, body }));
        const next = await sidecar.send(request({ target: '/public/after' }));
        assert.equal(next.body, '/public/after -');
        assert.doesNotMatch(seen, /admin/);
      });

  test('B18: 1,000 requests of mixed clients: everybody gets the answer to its own', async () => {
    let count = 0;
    const attack = framings['with a length'];
    assert.ok(attack);
    const client = async (isAttacker: boolean) => {
      for (let i = 0; i < 50; i++) {
        const target = `/public/${count++}`;
        const parts = isAttacker ? { headers: attack.fields, body: attack.body } : {};
        const response = await sidecar.send(request({ target, ...parts }));
        assert.equal(response.body, `${target} -`);
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, n) => client(n % 2 === 0)));
    assert.doesNotMatch(seen, /admin/);
    assert.equal(seen.trim().split('\n').length, 1000);
  });
});
