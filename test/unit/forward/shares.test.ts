import assert from 'node:assert/strict';
import test from 'node:test';
import { type CallerKind, Shares } from '#holdfast/forward/shares.js';

/** The caller takes places until it may have no more. @returns how many it got */
function fill(shares: Shares, kind: CallerKind, most = Number.POSITIVE_INFINITY): number {
  let held = 0;
  for (; held < most && shares.hasRoomFor(kind, held); held++) shares.take(kind);
  return held;
}

/** The same for many callers, one after the other. */
function fillAll(shares: Shares, kind: CallerKind, callers: number): number[] {
  return Array.from({ length: callers }, () => fill(shares, kind));
}

test('S14: one address holds a quarter, all strangers together half', () => {
  const shares = new Shares(256);
  assert.deepEqual(fillAll(shares, 'stranger', 3), [64, 32, 16]);
  fillAll(shares, 'stranger', 200);
  assert.equal(shares.taken('stranger'), 128);
  assert.equal(shares.free, 128);
});

test('S14: a client alone holds three quarters, and the next ones find places', () => {
  const shares = new Shares(256);
  assert.equal(fill(shares, 'client'), 192);
  assert.equal(fill(shares, 'client'), 32);
  assert.deepEqual(fillAll(shares, 'client', 33), [...new Array<number>(32).fill(1), 0]);
});

test('S14: strangers leave an eighth to clients, also when a client holds all it may', () => {
  const shares = new Shares(256);
  assert.equal(fill(shares, 'client'), 192);
  fillAll(shares, 'stranger', 300);
  assert.equal(shares.free, 32);
  assert.equal(shares.hasRoomFor('client', 0), true);
});

test('S14: what is given back is given out again', () => {
  const shares = new Shares(16);
  const held = fill(shares, 'client');
  assert.equal(held, 12);
  for (let i = 0; i < held; i++) shares.giveBack('client');
  assert.equal(shares.free, 16);
  assert.equal(fill(shares, 'stranger'), 4);
});

test('S14: twin: clients that hold one each use every place', () => {
  const shares = new Shares(256);
  for (let i = 0; i < 256; i++) assert.equal(fill(shares, 'client', 1), 1);
  assert.equal(shares.free, 0);
  assert.equal(shares.hasRoomFor('client', 0), false);
});

for (let places = 0; places <= 64; places++) {
  test(`S14: of ${places} places none is given out twice, and a caller that comes alone gets one`, () => {
    for (const kind of ['client', 'stranger'] as const) {
      const shares = new Shares(places);
      const alone = fill(shares, kind);
      assert.ok(alone <= places && (places === 0 || alone >= 1), `${kind}: ${alone}`);
      if (places > 1) {
        fillAll(shares, 'stranger', 100);
        assert.ok(shares.hasRoomFor('client', 0), 'one is kept for clients');
        fillAll(shares, 'client', 100);
      }
      assert.ok(shares.free >= 0);
    }
  });
}
