import assert from 'node:assert/strict';
import test from 'node:test';
import { Fault } from '#holdfast/denial/fault.js';
import { type Asker, type Standing, VerificationQueue } from '#holdfast/jws/verification-queue.js';

const client: Asker = { standing: 'bound', key: 'k', address: '192.0.2.1' };
const stranger = (address = '192.0.2.1'): Asker => ({ standing: 'stranger', key: undefined, address });
const known = (key: string, address = '192.0.2.1'): Asker => ({ standing: 'known', key, address });
const bound = (key: string, address = '192.0.2.1'): Asker => ({ ...client, key, address });

/** A queue whose clock moves only while a verification runs, and whose turns the test ends. */
class Loop {
  nowMs = 0;
  readonly done: string[] = [];
  readonly shed: string[] = [];
  readonly verified: string[] = [];
  #work: (() => void) | undefined;
  readonly queue = new VerificationQueue({
    observer: { shed: (standing) => this.shed.push(standing) },
    nowMs: () => this.nowMs,
    nextTurn: (work) => {
      assert.equal(this.#work, undefined, 'asked for one turn only');
      this.#work = work;
    },
  });

  /** Asks for verifications that take that long each. */
  ask(name: string, asker: Asker, { times = 1, ms = 0.125 } = {}): Promise<unknown> {
    const asked = Array.from({ length: times }, () =>
      this.queue.run(() => {
        this.nowMs += ms;
        this.done.push(name);
      }, asker),
    );
    return Promise.allSettled(asked);
  }

  /** @returns what was done in that turn, `name` or `name×times` in order */
  turn(): string {
    const before = this.done.length;
    const work = this.#work;
    this.#work = undefined;
    work?.();
    return summarize(this.done.slice(before));
  }

  get isIdle(): boolean {
    return this.#work === undefined;
  }

  /** Ends turns until a verification of this name was done. @returns how many it took */
  turnsUntil(name: string, most = 1000): number {
    for (let turns = 1; turns <= most; turns++)
      if (
        this.turn()
          .split(' ')
          .some((one) => one.startsWith(name))
      )
        return turns;
    return Number.POSITIVE_INFINITY;
  }
}

function summarize(names: readonly string[]): string {
  const runs: [string, number][] = [];
  for (const name of names) {
    const last = runs.at(-1);
    if (last?.[0] === name) last[1]++;
    else runs.push([name, 1]);
  }
  return runs.map(([name, times]) => (times === 1 ? name : `${name}×${times}`)).join(' ');
}

test('each task gets its own result, or its own error', async () => {
  const queue = new VerificationQueue();
  const [good, bad, other] = await Promise.allSettled([
    queue.run(() => true, client),
    queue.run(() => {
      throw new Error('openssl');
    }, stranger()),
    queue.run(() => false, known('k')),
  ]);
  assert.deepEqual(good, { status: 'fulfilled', value: true });
  assert.equal(bad.status, 'rejected');
  assert.deepEqual(other, { status: 'fulfilled', value: false });
});

test('nothing runs before the turn in which it came is over', async () => {
  const queue = new VerificationQueue();
  let ran = 0;
  const results = Promise.all([queue.run(() => ran++, client), queue.run(() => ran++, stranger())]);
  await Promise.resolve();
  assert.equal(ran, 0);
  assert.deepEqual(await results, [0, 1]);
});

test('S13: what there is time for is done in the turn in which it came, whoever asked', () => {
  const loop = new Loop();
  void loop.ask('stranger', stranger(), { times: 2 });
  void loop.ask('known', known('k'), { times: 2 });
  void loop.ask('bound', client, { times: 12 });
  assert.equal(loop.turn(), 'bound×12 known×2 stranger×2');
  assert.ok(loop.isIdle);
  assert.deepEqual(loop.shed, []);
});

test('S13: verifications do not hold up what else there is to do', () => {
  const loop = new Loop();
  void loop.ask('bound', client, { times: 50 });
  void loop.ask('stranger', stranger(), { times: 50 });
  for (let i = 0; i < 3; i++) assert.equal(loop.turn(), 'bound×16 stranger×16');
  assert.equal(loop.turn(), 'bound×2 stranger×2');
  assert.ok(loop.isIdle);
});

test('S13: one that takes longer than a turn ends its share of the turn', () => {
  const loop = new Loop();
  void loop.ask('bound', client, { times: 2, ms: 5 });
  assert.equal(loop.turn(), 'bound');
  assert.equal(loop.turn(), 'bound');
});

test('S13: strangers get a small share of each turn, and as much as bound callers where that is more', () => {
  const loop = new Loop();
  void loop.ask('stranger', stranger(), { times: 100 });
  assert.equal(loop.turn(), 'stranger×2', 'a quarter of a millisecond');
  void loop.ask('bound', client, { times: 8 });
  assert.equal(loop.turn(), 'bound×8 stranger×8');
  assert.equal(loop.turn(), 'stranger×2');
});

test('S13: a flood of strangers costs a bound caller no turn', () => {
  const loop = new Loop();
  void loop.ask('flood', stranger(), { times: 1000 });
  for (let i = 0; i < 20; i++) {
    loop.turn();
    void loop.ask('good', client);
    assert.match(loop.turn(), /^good /);
  }
});

test('S13: a stranger waits for nobody at another address', () => {
  const loop = new Loop();
  void loop.ask('flood', stranger('192.0.2.66'), { times: 900 });
  void loop.ask('flood', stranger('2001:db8::1'), { times: 900 });
  void loop.ask('flood', stranger('2001:db8::2'), { times: 900 });
  loop.turn();
  void loop.ask('good', stranger('192.0.2.7'));
  assert.ok(loop.turnsUntil('good') <= 2, 'one of three networks');
});

test('S13: a stranger at the address of a flood is served among the newest', () => {
  const loop = new Loop();
  void loop.ask('flood', stranger(), { times: 1000 });
  loop.turn();
  void loop.ask('good', stranger());
  assert.ok(loop.turnsUntil('good') <= 2);
});

test('S13: of strangers at one address the oldest is not forgotten either', () => {
  const loop = new Loop();
  void loop.ask('flood', stranger(), { times: 3 });
  void loop.ask('good', stranger());
  for (let i = 0; i < 10 && !loop.done.includes('good'); i++) {
    void loop.ask('flood', stranger(), { times: 5 });
    loop.turn();
  }
  assert.ok(loop.done.includes('good'));
});

test('S13: who knows the public key of a client cannot keep its renewed token out', () => {
  const loop = new Loop();
  void loop.ask('forged', known('victim', '198.51.100.66'), { times: 1000 });
  loop.turn();
  void loop.ask('renewed', known('victim', '192.0.2.1'));
  assert.ok(loop.turnsUntil('renewed') <= 1, 'from another address');
  void loop.ask('again', known('victim', '198.51.100.66'));
  assert.ok(loop.turnsUntil('again') <= 2, 'from the same address');
  void loop.ask('other', known('other', '198.51.100.66'));
  assert.ok(loop.turnsUntil('other') <= 1, 'of another key');
});

test('S13: forged proofs under one key cost other keys no turn, from wherever they come', () => {
  const loop = new Loop();
  for (let i = 0; i < 200; i++) void loop.ask('forged', bound('stolen', `203.0.113.${i}`), { times: 5 });
  loop.turn();
  void loop.ask('good', bound('good'));
  void loop.ask('victim', bound('stolen', '192.0.2.1'));
  assert.match(loop.turn(), /forged good/);
});

test('S13: strangers get on while known keys flood, and known keys while bound callers do', () => {
  const loop = new Loop();
  void loop.ask('bound', client, { times: 1000 });
  void loop.ask('known', known('k'), { times: 1000 });
  void loop.ask('stranger', stranger());
  assert.match(loop.turn(), /^bound×16 known×16 stranger$/);
});

test('S13: what has waited for a second is refused with 503, is counted, and nothing else is', async () => {
  const loop = new Loop();
  const flood = loop.ask('flood', stranger(), { times: 100, ms: 400 });
  for (let i = 0; i < 2; i++) loop.turn();
  const late = loop.queue.run(() => 'late', client);
  while (!loop.isIdle) loop.turn();
  assert.equal(await late, 'late');
  const results = (await flood) as PromiseSettledResult<void>[];
  const refused = results.filter(({ status }) => status === 'rejected');
  assert.ok(refused.length >= 90, `${refused.length} refused`);
  assert.deepEqual(new Set(loop.shed), new Set<Standing>(['stranger']));
  assert.equal(loop.shed.length, refused.length);
  for (const one of refused) {
    assert.ok(one.status === 'rejected' && one.reason instanceof Fault);
    assert.equal(one.reason.code, 'ERR_VERIFICATION_BUSY');
    assert.equal(one.reason.entry.status, 503);
    assert.equal(one.reason.retryAfterSeconds, 1);
  }
  const after = loop.queue.run(() => 'good', stranger());
  loop.turn();
  assert.equal(await after, 'good');
});
