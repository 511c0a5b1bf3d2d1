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
