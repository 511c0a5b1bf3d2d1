import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MemoryReplayStore } from '#holdfast/proof/replay/memory.js';
import type { ClaimResult } from '#holdfast/proof/replay/store.js';
import { ManualClock } from '../../../support/manual-clock.js';
import {
  claimUse,
  type ReplayLimits,
  testReplayStore,
  type Use,
} from '../../../support/replay-store-contract.js';
import { ShiftedReadings } from '../../../support/shifted-readings.js';

function open(limits: ReplayLimits, clock = new ManualClock()) {
  const store = new MemoryReplayStore({ perClient: limits.capacity + 1, ...limits }, clock);
  return { store, nowMs: () => clock.nowMs(), advance: (ms: number) => clock.advance(ms) };
}

testReplayStore('memory', open);

test('I03: a proof is remembered to the last millisecond and not one longer', (t) => {
  const { store, nowMs, advance } = open({ capacity: 10, perKey: 10 });
  t.after(() => store.close());
  const entry = { jkt: 'key', owner: 'client', jti: 'a', expiresAtMs: nowMs() + 60_000 };
  assert.equal(claimUse(store, entry), 'claimed');
  advance(60_000);
  assert.equal(claimUse(store, entry), 'replayed');
  advance(1);
  const later = { ...entry, expiresAtMs: nowMs() + 60_000 };
  assert.equal(claimUse(store, later), 'claimed');
  assert.equal(store.size, 1);
  advance(60_000);
  assert.equal(claimUse(store, later), 'replayed');
});

test('I03: a proof of the near future is remembered for as long as it stays acceptable', (t) => {
  const { store, nowMs, advance } = open({ capacity: 10, perKey: 10 });
  t.after(() => store.close());
  const entry = { jkt: 'key', owner: 'client', jti: 'a', expiresAtMs: nowMs() + (10 + 60) * 1000 };
  assert.equal(claimUse(store, entry), 'claimed');
  for (let second = 1; second <= 70; second++) {
    advance(1000);
    claimUse(store, { jkt: 'other', owner: 'client', jti: String(second % 3), expiresAtMs: nowMs() });
    assert.equal(claimUse(store, entry), 'replayed', `after ${second} s`);
  }
});

test('I03: entries that live longer than a turn of the wheel, or for ever, are remembered and released', (t) => {
  const { store, nowMs, advance } = open({ capacity: 4, perKey: 4 });
  t.after(() => store.close());
  const lifetimesMs = [1023_000, 1024_000, 5_000_000, Number.POSITIVE_INFINITY];
  const entries = lifetimesMs.map((ms, i) => ({
    jkt: 'key',
    owner: 'client',
    jti: String(i),
    expiresAtMs: nowMs() + ms,
  }));
  for (const entry of entries) assert.equal(claimUse(store, entry), 'claimed');
  for (let passedMs = 0; passedMs < 4_900_000; passedMs += 100_000) {
    advance(100_000);
    const live = entries.filter(({ expiresAtMs }) => expiresAtMs >= nowMs());
    for (const entry of live) assert.equal(claimUse(store, entry), 'replayed');
  }
  assert.equal(store.size, 2);
  advance(200_000);
  assert.equal(
    claimUse(store, { jkt: 'key', owner: 'client', jti: 'new', expiresAtMs: nowMs() + 1000 }),
    'claimed',
  );
  assert.equal(store.size, 2);
  advance(40_000_000_000);
  for (const entry of entries.slice(3)) assert.equal(claimUse(store, entry), 'replayed');
  assert.equal(store.size, 1);
});

test('I12: after a jump ahead that is taken back, what was claimed stays claimed', (t) => {
  const time = new ShiftedReadings();
  const store = new MemoryReplayStore({ capacity: 10, perKey: 10, perClient: 10 }, time.clock);
  t.after(() => store.close());
  const entry = { jkt: 'key', owner: 'client', jti: 'a', expiresAtMs: time.clock.nowMs() + 60_000 };
  assert.equal(claimUse(store, entry), 'claimed');
  time.step(3_600_000);
  const ahead = { ...entry, jti: 'b', expiresAtMs: time.clock.nowMs() + 60_000 };
  assert.equal(claimUse(store, ahead), 'claimed');
  time.step(-3_600_000);
  assert.equal(claimUse(store, entry), 'replayed');
  time.pass(3_600_000);
  assert.equal(claimUse(store, ahead), 'replayed', 'its time has come again');
});

test('I12: after the clock was set back for good, room is given back in time', (t) => {
  const time = new ShiftedReadings();
  const store = new MemoryReplayStore({ capacity: 2, perKey: 2, perClient: 2 }, time.clock);
  t.after(() => store.close());
  time.step(-3_600_000);
  time.pass(300_000);
  assert.equal(time.clock.offsetMs, 0, 'adopted');
  for (let round = 0; round < 20; round++) {
    const expiresAtMs = time.clock.nowMs() + 60_000;
    for (const jti of ['a', 'b'])
      assert.equal(
        claimUse(store, { jkt: 'key', owner: 'client', jti: `${jti} ${round}`, expiresAtMs }),
        'claimed',
      );
    time.pass(62_000);
  }
});

test('I04: a capacity of one, two or three serves any number of proofs, one after the other', (t) => {
  for (const capacity of [1, 2, 3]) {
    const { store, nowMs, advance } = open({ capacity, perKey: capacity });
    t.after(() => store.close());
    for (let round = 0; round < 3000; round++) {
      const expiresAtMs = nowMs() + 900;
      for (let i = 0; i < capacity; i++) {
        assert.equal(
          claimUse(store, { jkt: `k${round % 5}`, owner: 'client', jti: `${round}.${i}`, expiresAtMs }),
          'claimed',
        );
      }
      assert.equal(claimUse(store, { jkt: 'x', owner: 'client', jti: 'more', expiresAtMs }), 'store-full');
      advance(1000);
    }
  }
});

test('I04: the timer alone empties a store whose entries have expired', { timeout: 60_000 }, async (t) => {
  const { store, nowMs, advance } = open({ capacity: 200_000, perKey: 200_000 });
  t.after(() => store.close());
  for (let i = 0; i < 200_000; i++)
    claimUse(store, { jkt: `k${i % 7}`, owner: 'client', jti: String(i), expiresAtMs: nowMs() + 1 });
  assert.equal(store.size, 200_000);
  advance(2000);
  while (store.size > 0 && !t.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(claimUse(store, { jkt: 'k1', owner: 'client', jti: '1', expiresAtMs: nowMs() }), 'claimed');
});

test('I04: limits that are no whole number from 1 are refused', () => {
  const clock = new ManualClock();
  for (const limit of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(
      () => new MemoryReplayStore({ capacity: limit, perKey: 1, perClient: 1 }, clock),
      RangeError,
    );
    assert.throws(
      () => new MemoryReplayStore({ capacity: 1, perKey: limit, perClient: 1 }, clock),
      RangeError,
    );
  }
});

test('I14: one token counts for its client with every key that comes with it, and for each key alone', (t) => {
  const { store, nowMs } = open({ capacity: 20, perKey: 2, perClient: 3 });
  t.after(() => store.close());
  const owner = { issuer: 'https://as.test', clientId: 'client' };
  const expiresAtMs = nowMs() + 1000;
  const answers = ['k1 a', 'k2 a', 'k1 b', 'k1 c', 'k2 b'].map((use) => {
    const [jkt = '', jti = ''] = use.split(' ');
    return store.claim({ proof: store.nameOf(jkt, jti), owner, expiresAtMs });
  });
  assert.deepEqual(answers, ['claimed', 'claimed', 'claimed', 'key-full', 'client-full']);
  const other = { issuer: 'https://as.test', clientId: 'other' };
  assert.equal(store.claim({ proof: store.nameOf('k2', 'b'), owner: other, expiresAtMs }), 'claimed');
});

/** The promises kept in the plainest way: all entries in a Map, searched through on each claim. */
class ReplayModel {
  readonly #limits: ReplayLimits;
  readonly #entries = new Map<string, Use>();

  constructor(limits: ReplayLimits) {
    this.#limits = limits;
  }

  /** The answers that the promises leave open: the room of an expired entry is free when its second is over, or earlier. */
  allowed(entry: Use, nowMs: number): ClaimResult[] {
    const { capacity, perKey } = this.#limits;
    if (entry.expiresAtMs < nowMs) return ['replayed'];
    const known = this.#entries.get(idOf(entry));
    if (known !== undefined && known.expiresAtMs >= nowMs) return ['replayed'];
    this.#entries.delete(idOf(entry));
    const live = this.#remembered(nowMs);
    const holding = this.#remembered(Math.floor(nowMs / 1000) * 1000);
    const answers: ClaimResult[] = [];
    if (ofKey(holding, entry) >= perKey) answers.push('key-full');
    if (ofKey(live, entry) >= perKey) return answers;
    if (holding.length >= capacity) answers.push('store-full');
    if (live.length < capacity) answers.push('claimed');
    return answers;
  }

  add(entry: Use): void {
    this.#entries.set(idOf(entry), entry);
  }

  #remembered(sinceMs: number): Use[] {
    return [...this.#entries.values()].filter(({ expiresAtMs }) => expiresAtMs >= sinceMs);
  }
}

function idOf({ jkt, jti }: Use): string {
  return JSON.stringify([jkt, jti]);
}

function ofKey(entries: Use[], { jkt }: Use): number {
  return entries.filter((entry) => entry.jkt === jkt).length;
}

const steps = fc.array(
  fc.record({
    jkt: fc.constantFrom('k1', 'k2', 'k3'),
    jti: fc.constantFrom('a', 'b', 'c', 'd'),
    passedMs: fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 0, max: 900 }) },
      { weight: 1, arbitrary: fc.integer({ min: 1000, max: 3_000_000 }) },
    ),
    lifetimeMs: fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 0, max: 4000 }) },
      { weight: 1, arbitrary: fc.integer({ min: -5, max: 3_000_000 }) },
    ),
  }),
  { minLength: 20, maxLength: 200 },
);

test('I01, I03, I04: any sequence of claims is answered as by a plain model', () => {
  const limits = fc.record({
    capacity: fc.integer({ min: 1, max: 6 }),
    perKey: fc.integer({ min: 1, max: 4 }),
  });
  const property = fc.property(limits, steps, (chosen, sequence) => {
    const { store, nowMs, advance } = open(chosen);
    const model = new ReplayModel(chosen);
    try {
      for (const { jkt, jti, passedMs, lifetimeMs } of sequence) {
        advance(passedMs);
        const entry = { jkt, owner: jkt, jti, expiresAtMs: nowMs() + lifetimeMs };
        const allowed = model.allowed(entry, nowMs());
        const answer = claimUse(store, entry);
        assert.ok(allowed.includes(answer), `${answer} is none of ${allowed}`);
        if (answer === 'claimed') model.add(entry);
      }
    } finally {
      store.close();
    }
  });
  fc.assert(property, { numRuns: 2000 });
});
