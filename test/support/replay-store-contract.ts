import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClaimResult, ReplayStore } from '#holdfast/proof/replay/store.js';

/** A store under test, and the time that it goes by. */
export interface ReplayBench {
  readonly store: ReplayStore;
  nowMs(): number;
  /** lets time pass for the store; also stores that have no clock of ours must offer this, if need be by waiting */
  advance(ms: number): Promise<void> | void;
}

export interface ReplayLimits {
  readonly capacity: number;
  readonly perKey: number;
  /** more than the capacity when absent, so that it never counts */
  readonly perClient?: number;
}

type Open = (limits: ReplayLimits) => Promise<ReplayBench> | ReplayBench;

const ample = { capacity: 1000, perKey: 1000 };
const lifetimeMs = 2000;
// Stores give room back some time after an entry has expired, at latest after a second.
const untilRoomMs = lifetimeMs + 1001;

/** One use of one proof. */
export interface Use {
  readonly jkt: string;
  readonly jti: string;
  readonly expiresAtMs: number;
  /** issuer and client, with a space between; each key is another client's unless the test says whose it is */
  readonly owner?: string;
}

/** Claims as the gate does: names the proof first. */
export function claimUse<Store extends ReplayStore>(store: Store, use: Use): ReturnType<Store['claim']>;
export function claimUse(store: ReplayStore, use: Use): ReturnType<ReplayStore['claim']> {
  const { jkt, jti, expiresAtMs, owner = jkt } = use;
  const [issuer = '', clientId = ''] = owner.split(' ');
  return store.claim({ proof: store.nameOf(jkt, jti), owner: { issuer, clientId }, expiresAtMs });
}

function claim({ store }: ReplayBench, use: Use): ClaimResult | Promise<ClaimResult> {
  return claimUse(store, use);
}

/** What every replay store must hold, whatever it keeps its entries in. */
export function testReplayStore(name: string, open: Open): void {
  const rule = (title: string, limits: ReplayLimits, body: (bench: ReplayBench) => Promise<void>): void => {
    test(`${title} (${name})`, async (t) => {
      const bench = await open(limits);
      t.after(() => bench.store.close());
      await body(bench);
    });
  };

  rule('I01: the first claim passes, the second is a replay', ample, async (bench) => {
    const entry = { jkt: 'key', jti: 'a', expiresAtMs: bench.nowMs() + lifetimeMs };
    assert.equal(await claim(bench, entry), 'claimed');
    assert.equal(await claim(bench, entry), 'replayed');
    assert.equal(await claim(bench, { ...entry, expiresAtMs: entry.expiresAtMs + 500 }), 'replayed');
    assert.equal(bench.store.size, 1);
  });

  rule('I02: of 100 concurrent claims one passes', ample, async (bench) => {
    const entry = { jkt: 'key', jti: 'a', expiresAtMs: bench.nowMs() + lifetimeMs };
    const results = await Promise.all(Array.from({ length: 100 }, async () => claim(bench, entry)));
    assert.equal(results.filter((result) => result === 'claimed').length, 1);
    assert.equal(results.filter((result) => result === 'replayed').length, 99);
  });

  rule(
    'I01: another key, another jti and another split of the two are other proofs',
    ample,
    async (bench) => {
      const expiresAtMs = bench.nowMs() + lifetimeMs;
      for (const [jkt, jti] of [
        ['ab', 'c'],
        ['a', 'bc'],
        ['ab', 'C'],
        ['ab', 'c '],
        ['AB', 'c'],
        ['ab', '\u0000'],
      ] as const) {
        assert.equal(await claim(bench, { jkt, jti, expiresAtMs }), 'claimed', `${jkt}|${jti}`);
        assert.equal(await claim(bench, { jkt, jti, expiresAtMs }), 'replayed', `${jkt}|${jti}`);
      }
    },
  );

  rule('I05: the longest jti and the strangest characters are told apart', ample, async (bench) => {
    const expiresAtMs = bench.nowMs() + lifetimeMs;
    for (const jti of [`${'é'.repeat(255)}a`, `${'é'.repeat(255)}b`, 'a\r\nSET x y\r\n', '*', '{a}:b']) {
      assert.equal(await claim(bench, { jkt: 'key', jti, expiresAtMs }), 'claimed');
      assert.equal(await claim(bench, { jkt: 'key', jti, expiresAtMs }), 'replayed');
    }
  });

  rule('I03: a proof is remembered until its time is over, then it is forgotten', ample, async (bench) => {
    const jkt = 'key';
    const expiresAtMs = bench.nowMs() + lifetimeMs;
    assert.equal(await claim(bench, { jkt, jti: 'a', expiresAtMs }), 'claimed');
    await bench.advance(lifetimeMs - 500);
    assert.equal(await claim(bench, { jkt, jti: 'a', expiresAtMs }), 'replayed');
    await bench.advance(1501);
    assert.equal(await claim(bench, { jkt, jti: 'a', expiresAtMs: bench.nowMs() + lifetimeMs }), 'claimed');
    assert.equal(await claim(bench, { jkt, jti: 'a', expiresAtMs: bench.nowMs() + lifetimeMs }), 'replayed');
  });

  rule(
    'I03: a claim whose time is over is refused, for its second use could not be told',
    ample,
    async (bench) => {
      for (const expiresAtMs of [bench.nowMs() - 1, 0, Number.NaN]) {
        assert.equal(await claim(bench, { jkt: 'key', jti: 'a', expiresAtMs }), 'replayed');
      }
      assert.equal(bench.store.size, 0);
    },
  );

  rule('I04: a full store refuses and forgets nothing', { capacity: 3, perKey: 3 }, async (bench) => {
    const expiresAtMs = bench.nowMs() + lifetimeMs;
    const entries = ['k1', 'k2', 'k3'].map((jkt) => ({ jkt, jti: 'a', expiresAtMs }));
    for (const entry of entries) assert.equal(await claim(bench, entry), 'claimed');
    assert.equal(await claim(bench, { jkt: 'k4', jti: 'a', expiresAtMs }), 'store-full');
    assert.equal(await claim(bench, { jkt: 'k1', jti: 'b', expiresAtMs }), 'store-full');
    for (const entry of entries) assert.equal(await claim(bench, entry), 'replayed');
    assert.equal(bench.store.size, bench.store.capacity);
  });

  rule(
    'I04: a key at its quota is refused alone and forgets nothing',
    { capacity: 10, perKey: 2 },
    async (bench) => {
      const expiresAtMs = bench.nowMs() + lifetimeMs;
      const entries = ['a', 'b'].map((jti) => ({ jkt: 'greedy', jti, expiresAtMs }));
      for (const entry of entries) assert.equal(await claim(bench, entry), 'claimed');
      assert.equal(await claim(bench, { jkt: 'greedy', jti: 'c', expiresAtMs }), 'key-full');
      for (const entry of entries) assert.equal(await claim(bench, entry), 'replayed');
      assert.equal(await claim(bench, { jkt: 'modest', jti: 'c', expiresAtMs }), 'claimed');
    },
  );

  rule(
    'I04: a key that has filled the store alone hears that it is the one',
    { capacity: 2, perKey: 2 },
    async (bench) => {
      const expiresAtMs = bench.nowMs() + lifetimeMs;
      for (const jti of ['a', 'b']) await claim(bench, { jkt: 'greedy', jti, expiresAtMs });
      assert.equal(await claim(bench, { jkt: 'greedy', jti: 'c', expiresAtMs }), 'key-full');
      assert.equal(await claim(bench, { jkt: 'modest', jti: 'a', expiresAtMs }), 'store-full');
    },
  );

  rule(
    'I04: what has expired makes room in the store and for its key',
    { capacity: 3, perKey: 2 },
    async (bench) => {
      for (let round = 0; round < 2; round++) {
        const expiresAtMs = bench.nowMs() + lifetimeMs;
        assert.equal(await claim(bench, { jkt: 'k1', jti: `a${round}`, expiresAtMs }), 'claimed');
        assert.equal(await claim(bench, { jkt: 'k1', jti: `b${round}`, expiresAtMs }), 'claimed');
        assert.equal(await claim(bench, { jkt: 'k1', jti: `c${round}`, expiresAtMs }), 'key-full');
        assert.equal(await claim(bench, { jkt: 'k2', jti: `a${round}`, expiresAtMs }), 'claimed');
        assert.equal(await claim(bench, { jkt: 'k3', jti: `a${round}`, expiresAtMs }), 'store-full');
        await bench.advance(untilRoomMs);
      }
    },
  );

  rule(
    'I14: a client at its quota is refused alone, whatever key it makes, and forgets nothing',
    { capacity: 20, perKey: 2, perClient: 4 },
    async (bench) => {
      const expiresAtMs = bench.nowMs() + lifetimeMs;
      const greedy = (n: number) => ({ jkt: `key-${n}`, jti: 'a', owner: 'https://as greedy', expiresAtMs });
      for (let n = 0; n < 4; n++) assert.equal(await claim(bench, greedy(n)), 'claimed');
      assert.equal(await claim(bench, greedy(4)), 'client-full');
      for (let n = 0; n < 4; n++) assert.equal(await claim(bench, greedy(n)), 'replayed');
      for (const owner of ['https://as modest', 'https://other greedy']) {
        assert.equal(await claim(bench, { ...greedy(5), jti: owner, owner }), 'claimed');
      }
      await bench.advance(untilRoomMs);
      assert.equal(
        await claim(bench, { ...greedy(4), expiresAtMs: bench.nowMs() + lifetimeMs }),
        'claimed',
        'what has expired makes room',
      );
    },
  );
}
