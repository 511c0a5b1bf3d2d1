import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import * as https from 'node:https';
import { after, before, test } from 'node:test';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { makeCa } from '../support/certificates.js';
import { Checkpoint } from '../support/checkpoint.js';
import { boundTo, showing } from '../support/mtls.js';
import { authority } from '../support/sidecar.js';

let server: Server;
let sockets: WebSocketServer;
let guarded: Checkpoint;
/** the opening handshakes that the service got */
const handshakes: IncomingMessage[] = [];

before(async () => {
  server = createServer();
  sockets = new WebSocketServer({
    server,
    perMessageDeflate: true,
    handleProtocols: (offered) => (offered.has('echo') ? 'echo' : false),
    verifyClient: ({ req }: { req: IncomingMessage }) => req.url !== '/refused',
  });
  sockets.on('connection', (socket, request) => {
    handshakes.push(request);
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening');
  guarded = await Checkpoint.start({
    upstream: { url: `http://127.0.0.1:${address.port}` },
    config: { routes: [{ path: '/**', websocket: true }] },
  });
  await guarded.fetchNonce();
});
after(async () => {
  await guarded.stop();
  sockets.close();
  server.close();
});

function connect(target: string): WebSocket {
  const token = guarded.token();
  const proof = guarded.proof({ token, target });
  return new WebSocket(`ws://127.0.0.1:${guarded.sidecar.port}${target}`, ['other', 'echo'], {
    headers: { Host: authority, Authorization: `DPoP ${token}`, DPoP: proof },
    perMessageDeflate: true,
  });
}

async function echo(client: WebSocket, data: string | Buffer): Promise<{ data: RawData; isBinary: boolean }> {
  client.send(data);
  const [got, isBinary]: [RawData, boolean] = await new Promise((resolve) =>
    client.once('message', (...args) => resolve(args)),
  );
  return { data: got, isBinary };
}

test('A23: text, binary, long messages, pings and the close code go through', async () => {
  const client = connect('/chat?room=1');
  await once(client, 'open');
  assert.equal(client.protocol, 'echo');
  assert.match(client.extensions, /permessage-deflate/);
  assert.equal(String((await echo(client, 'hello')).data), 'hello');
  const long = Buffer.alloc(4 * 1024 * 1024, 'holdfast ');
  const { data, isBinary } = await echo(client, long);
  assert.ok(isBinary && Buffer.isBuffer(data) && data.equals(long));
  client.ping('are you there');
  const [pong] = await once(client, 'pong');
  assert.equal(String(pong), 'are you there');
  const [seen] = handshakes;
  assert.equal(seen?.url, '/chat?room=1');
  assert.equal(seen?.headers['x-auth-subject'], 'alice');
  assert.equal(seen?.headers.authorization, undefined);
  for (const socket of sockets.clients) socket.close(4001, 'enough');
  const [code, reason] = await once(client, 'close');
  assert.deepEqual([code, String(reason)], [4001, 'enough']);
});

test('A23: a service that refuses is understood as that', async () => {
  const client = connect('/refused');
  const [, response]: [unknown, IncomingMessage] = await new Promise((resolve) =>
    client.once('unexpected-response', (...args) => resolve(args)),
  );
  assert.equal(response.statusCode, 401);
  response.destroy();
});

test('C01: a client without credentials is refused before the service hears of it', async () => {
  const before = handshakes.length;
  const client = new WebSocket(`ws://127.0.0.1:${guarded.sidecar.port}/chat`, {
    headers: { Host: authority },
  });
  const [, response]: [unknown, IncomingMessage] = await new Promise((resolve) =>
    client.once('unexpected-response', (...args) => resolve(args)),
  );
  assert.equal(response.statusCode, 401);
  assert.match(String(response.headers['www-authenticate']), /DPoP/);
  assert.equal(handshakes.length, before);
  response.destroy();
});

test('A23, B16: over TLS on both sides, with a client certificate', async (t) => {
  const ca = await makeCa();
  const { certPem, keyPem } = await ca.issue({ cn: 'service', usage: 'server', san: ['svc.test'] });
  const secure = https.createServer({ cert: certPem, key: keyPem });
  const wss = new WebSocketServer({ server: secure });
  wss.on('connection', (socket) => socket.on('message', (data) => socket.send(String(data).toUpperCase())));
  secure.listen(0, '127.0.0.1');
  await once(secure, 'listening');
  const address = secure.address();
  if (address === null || typeof address === 'string') throw new Error('not listening');
  const url = `https://127.0.0.1:${address.port}`;
  const encrypted = await Checkpoint.start({
    tls: {},
    upstream: { url, tls: { ca: 'service-ca.pem', serverName: 'svc.test' } },
    files: { 'service-ca.pem': ca.certPem },
    config: { routes: [{ path: '/**', websocket: true, proof: 'mtls' }] },
  });
  t.after(async () => {
    await encrypted.stop();
    wss.close();
    secure.close();
  });
  const shop = await ca.issue({ cn: 'shop', usage: 'client' });
  const { token } = boundTo(encrypted, shop);
  const client = new WebSocket(`wss://127.0.0.1:${encrypted.sidecar.port}/chat`, {
    ...showing(shop),
    rejectUnauthorized: false,
    headers: { Host: authority, Authorization: `Bearer ${token}` },
  });
  await once(client, 'open');
  assert.equal(String((await echo(client, 'hello')).data), 'HELLO');
  client.close(1000);
  const [code] = await once(client, 'close');
  assert.equal(code, 1000);
});
