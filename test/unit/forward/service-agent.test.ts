import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as http from 'node:http';
import * as net from 'node:net';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { forOneService, noteEnd } from '../../../src/forward/service-agent.js';

const bytes = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
let service: net.Server;
let sockets: net.Socket[];
let agent: http.Agent;
before(async () => {
  service = net.createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', () => socket.write(bytes));
  });
  service.listen(0, '127.0.0.1');
  await once(service, 'listening');
});
after(() => service.close());
beforeEach(() => {
  sockets = [];
  agent = forOneService(new http.Agent({ keepAlive: true }));
});
afterEach(() => agent.destroy());

/** @returns the answer, its body unread, and its connection, which the answer forgets with its end */
async function send(): Promise<{ answer: http.IncomingMessage; socket: net.Socket }> {
  const { port } = service.address() as net.AddressInfo;
  const request = http.request({ agent, host: '127.0.0.1', port });
  request.on('response', noteEnd);
  request.end();
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return { answer: response, socket: response.socket };
}

async function finish({ answer }: { answer: http.IncomingMessage }): Promise<void> {
  answer.resume();
  await once(answer, 'end');
}

async function turnsUntil(holds: () => boolean): Promise<void> {
  for (let turns = 0; !holds(); turns++) {
    assert.ok(turns < 100_000, 'not reached');
    await nextTurn();
  }
}

test('B19: what comes while the answer is still being read by somebody slow is unasked', async () => {
  const slow = await send();
  const { socket } = slow;
  const [first] = sockets;
  await turnsUntil(() => slow.answer.complete);
  const { bytesRead } = socket;
  first?.write('HTTP/1.1 200');
  await turnsUntil(() => socket.bytesRead > bytesRead);
  await finish(slow);
  const next = await send();
  assert.notEqual(next.socket, socket);
  assert.equal(socket.destroyed, true);
  await finish(next);
});

test('B19: twin: the connection of an answer that was read slowly is used again', async () => {
  const slow = await send();
  await turnsUntil(() => slow.answer.complete);
  await finish(slow);
  const next = await send();
  assert.equal(next.socket, slow.socket);
  await finish(next);
});

test('B19: requests that come in the turn in which an answer ends wait for it, and use its connection', async () => {
  const first = await send();
  await finish(first);
  for (let i = 0; i < 20; i++) {
    const next = await send();
    assert.equal(next.socket, first.socket);
    await finish(next);
  }
  assert.equal(sockets.length, 1);
});

test('B19: a request that is given up while it waits for its connection ends, and harms nobody', async () => {
  await finish(await send());
  const { port } = service.address() as net.AddressInfo;
  const given = http.request({ agent, host: '127.0.0.1', port });
  given.end();
  given.on('error', () => {});
  given.destroy();
  await new Promise((resolve) => given.once('close', resolve));
  await finish(await send());
});

test('B19: a connection that ends while a request waits for it is replaced', async () => {
  const first = await send();
  await finish(first);
  const pending = send();
  first.socket.destroy();
  const next = await pending;
  assert.notEqual(next.socket, first.socket);
  await finish(next);
});

test('B19: what the service says on an idle connection ends it at once', async () => {
  const first = await send();
  await finish(first);
  await turnsUntil(() => (agent.freeSockets.service?.length ?? 0) === 1);
  sockets[0]?.write('HTTP/1.1 200');
  await turnsUntil(() => first.socket.destroyed);
});
