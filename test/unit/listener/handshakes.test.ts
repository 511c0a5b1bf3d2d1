import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { beforeEach, describe, test } from 'node:test';
import { HandshakeDebts } from '#holdfast/listener/handshake-debts.js';
import { Handshakes } from '#holdfast/listener/handshakes.js';
import { until } from '../../support/guarded.js';

/** A connection as far as handshakes look at it. */
class Peer extends EventEmitter {
  bytesRead = 0;
  destroyed = false;
  asked: boolean | undefined;
  isRefused = false;

  get socket(): Socket {
    return this as unknown as Socket;
  }
}

const network = '192.0.2.1';
const other = '192.0.2.2';

let overBudget: string[];
let handshakes: Handshakes;
beforeEach(() => {
  overBudget = [];
  handshakes = new Handshakes({
    begin: (socket, asks) => Object.assign(socket, { asked: asks }),
    refuse: (socket) => Object.assign(socket, { isRefused: true, destroyed: true }),
    notAsked: () => {},
    overBudget: (one) => overBudget.push(one),
  });
});

function start(from = network): Peer {
  const peer = new Peer();
  handshakes.start(peer.socket, from);
  return peer;
}

/**
 * Holds the event loop for so much processor time, as OpenSSL does. Resolves when the loop has been looked at behind it.
 * @param work - at the end of it, in the same turn
 */
async function hold(ms: number, work = () => {}): Promise<void> {
  // Behind a look, so that the next one is late by nearly all of it.
  await new Promise((resolve) => setTimeout(resolve, 10));
  const before = process.cpuUsage();
  const used = () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  while (used() < ms);
  work();
  await new Promise((resolve) => setTimeout(resolve, 15));
}

describe('J17: an address has its part of the processor for handshakes', () => {
  test('a dear handshake ends the asking, also one that never comes to its end', async () => {
    for (const ends of [true, false]) {
      const from = `${network} ${ends}`;
      const [dear, silent] = [start(from), start(from)];
      await hold(300, () => {
        dear.bytesRead = 80_000;
        if (ends) handshakes.end(dear.socket);
      });
      assert.deepEqual([dear.asked, dear.isRefused, silent.isRefused], [true, !ends, true]);
      assert.ok(overBudget.includes(from));
      assert.equal(start(from).asked, false);
      // Twin: others are asked.
      assert.equal(start(other).asked, true);
    }
  });

  test('a turn that is long for other reasons is charged to nobody', async () => {
    const common = start();
    await hold(300, () => {
      common.bytesRead = 1000;
      handshakes.end(common.socket);
    });
    assert.deepEqual(overBudget, []);
    assert.equal(start().asked, true);
  });

  test('a rush of common handshakes is charged to nobody', async () => {
    for (let round = 0; round < 10; round++) {
      const peers = Array.from({ length: 8 }, () => start());
      await hold(30, () => {
        for (const peer of peers) {
          peer.bytesRead = 3000;
          handshakes.end(peer.socket);
        }
      });
    }
    assert.deepEqual(overBudget, []);
    assert.equal(start().asked, true);
  });

  test('8 of one address are under way at a time, and one that ends or closes makes place', async () => {
    const peers = Array.from({ length: 8 }, () => start());
    const [ninth, tenth] = [start(), start()];
    assert.ok(peers.every(({ asked }) => asked === true));
    assert.deepEqual([ninth.asked, tenth.asked], [undefined, undefined]);
    assert.equal(start(other).asked, true);
    for (const peer of peers.slice(0, 1)) handshakes.end(peer.socket);
    await until(() => ninth.asked === true, 'the ninth has its turn');
    assert.equal(tenth.asked, undefined);
    for (const peer of peers.slice(1, 2)) peer.emit('close');
    await until(() => tenth.asked === true, 'the tenth has its turn');
  });

  test('who waits behind silent ones is let in without being asked', async () => {
    for (let i = 0; i < 8; i++) start();
    const ninth = start();
    await until(() => ninth.asked === false, 'it has waited for long enough');
  });

  test('what an address owes wears off, and is bounded', () => {
    const debts = new HandshakeDebts();
    debts.charge(network, 1_000_000, 0);
    assert.ok(debts.isOver(network, 119_000) && !debts.isOver(network, 120_001));
    assert.ok(debts.isKnown(network, 149_000) && !debts.isKnown(network, 150_001));
    for (let i = 0; i < 10_000; i++) debts.charge(`n${i}`, 160, 0);
    assert.ok(!debts.isOver(network, 0) && debts.isOver('n0', 0));
  });
});
