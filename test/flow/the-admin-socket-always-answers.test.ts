import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Guarded } from '../support/guarded.js';
import { exchange, Wire } from '../support/wire.js';

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: admin\r\n\r\n`;

describe('S04: the admin socket answers, whoever else is connected to it', () => {
  let guarded: Guarded;
  let silent: Wire[] = [];
  before(async () => {
    guarded = await Guarded.start();
  });
  after(async () => {
    for (const wire of silent) wire.close();
    await guarded.stop();
  });

  test('S04: with 1,050 connections that say nothing each /livez is answered', async () => {
    const port = guarded.sidecar.adminPort;
    const kept = await Wire.open({ port });
    silent = await Promise.all(Array.from({ length: 1050 }, () => Wire.open({ port })));
    for (let i = 0; i < 20; i++) assert.equal((await exchange({ port }, get('/livez'))).status, 200);
    // Twin: those that did say something first were not the ones that made room.
    const talking = await Wire.open({ port });
    talking.send(get('/livez'));
    assert.equal((await talking.response()).status, 200);
    talking.send(get('/livez'));
    assert.equal((await talking.response()).status, 200);
    talking.close();
    assert.equal(await kept.closed(), '', 'the oldest one made room');
    await guarded.serves();
  });

  test('S04: with 1,050 connections of heads that never end, and metrics that nobody reads, too', async () => {
    const port = guarded.sidecar.adminPort;
    for (const text of ['GET /livez HTTP/1.1\r\nX-A: ', get('/metrics').repeat(200)]) {
      const wires = await Promise.all(
        Array.from({ length: text.startsWith('GET /livez') ? 1050 : 20 }, () => Wire.open({ port })),
      );
      for (const wire of wires) {
        wire.socket.pause();
        wire.send(text);
      }
      for (let i = 0; i < 20; i++) assert.equal((await exchange({ port }, get('/livez'))).status, 200);
      for (const wire of wires) wire.close();
    }
  });
});
