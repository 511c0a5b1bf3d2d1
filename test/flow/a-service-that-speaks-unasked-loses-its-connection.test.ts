import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { Guarded, until } from '../support/guarded.js';

let guarded: Guarded;
let connections: Set<Socket>;
before(async () => {
  guarded = await Guarded.start({ config: { upstream: { poolIdleTimeout: '30s' } } });
});
after(() => guarded.stop());
beforeEach(() => {
  connections = new Set();
  guarded.service.reset();
});

const answerWith = (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const call = async () => (await guarded.send({ target: '/a' })).body;

test('its idle connection is not used again, and nobody gets what it said', async () => {
  guarded.service.script = (_, socket) => {
    connections.add(socket);
    return answerWith('mine');
  };
  assert.equal(await call(), 'mine');
  const [first] = connections;
  assert.ok(first);
  first.write(answerWith('for somebody else'));
  await until(() => first.writableLength === 0, 'the unasked answer is out');
  for (let i = 0; i < 3; i++) assert.equal(await call(), 'mine');
  await until(() => first.destroyed, 'the connection is closed from our side');
  assert.equal(connections.size, 2);
});

test('twin: a service that is silent in between keeps its connection', async () => {
  guarded.service.script = (_, socket) => {
    connections.add(socket);
    return answerWith('mine');
  };
  for (let i = 0; i < 4; i++) assert.equal(await call(), 'mine');
  assert.equal(connections.size, 1);
});

for (const [title, method, head] of [
  ['to HEAD', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 63\r\n\r\n'],
  ['behind a 304', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 63\r\n\r\n'],
  ['behind a 204', 'GET', 'HTTP/1.1 204 No Content\r\nContent-Length: 63\r\n\r\n'],
] as const) {
  test(`B13: a body that the service sends late, ${title}, answers nobody else`, async () => {
    guarded.service.script = ({ line }, socket) => {
      connections.add(socket);
      if (!line.includes('/late')) return answerWith('mine');
      // The body that should not be, once the head has been read.
      setTimeout(() => socket.write(answerWith('for somebody else')), 5);
      return head;
    };
    for (let i = 0; i < 5; i++) {
      await guarded.send({ target: '/late', method });
      for (let j = 0; j < 3; j++) assert.equal(await call(), 'mine');
    }
  });
}
