import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SignatureBudget } from '#holdfast/jws/signature-budget.js';
import { denied } from '../../support/denied.js';
import { ManualClock } from '../../support/manual-clock.js';

const reason = 'too_many_failed_signatures';

function make({ failuresPerMinute = 10, maxPayers = 100 } = {}) {
  const clock = new ManualClock();
  return { clock, budget: new SignatureBudget({ failuresPerMinute, maxPayers, clock }) };
}

const at = (address: string, key?: string) => ({ address, key });

function charge(budget: SignatureBudget, payer: ReturnType<typeof at>, times: number): void {
  for (let i = 0; i < times; i++) budget.charge(payer);
}

test('G19: the last failure that is granted is granted, the next verification is not', () => {
  const { budget } = make();
  charge(budget, at('192.0.2.1'), 9);
  budget.check(at('192.0.2.1'));
  budget.charge(at('192.0.2.1'));
  denied(() => budget.check(at('192.0.2.1')), reason);
  budget.check(at('192.0.2.2'));
});

test('G19: debts melt steadily, and to nothing', () => {
  const { budget, clock } = make();
  charge(budget, at('192.0.2.1'), 10);
  clock.advance(5_999);
  denied(() => budget.check(at('192.0.2.1')), reason);
  clock.advance(1);
  budget.check(at('192.0.2.1'));
  budget.charge(at('192.0.2.1'));
  denied(() => budget.check(at('192.0.2.1')), reason);
  clock.advance(60_000);
  budget.check(at('192.0.2.1'));
  assert.equal(budget.size, 0);
});

test('G19: what failed beyond the limit, being under way, is owed as well', () => {
  const { budget, clock } = make();
  charge(budget, at('192.0.2.1'), 30);
  clock.advance(120_000);
  denied(() => budget.check(at('192.0.2.1')), reason);
  clock.advance(6_000);
  budget.check(at('192.0.2.1'));
});

test('G19: who is known by a key owes for that key alone', () => {
  const { budget } = make();
  charge(budget, at('192.0.2.1'), 10);
  budget.check(at('192.0.2.1', 'key-a'));
  charge(budget, at('192.0.2.1', 'key-a'), 10);
  denied(() => budget.check(at('192.0.2.1', 'key-a')), reason);
  budget.check(at('192.0.2.1', 'key-b'));
  budget.check(at('192.0.2.2', 'key-a'));
});

test('S09, G19: a /64 of IPv6 has one account', () => {
  const { budget } = make();
  for (let i = 0; i < 10; i++) budget.charge(at(`2001:db8::${i}`));
  denied(() => budget.check(at('2001:db8::abcd')), reason);
  budget.check(at('2001:db8:0:1::1'));
});

test('G19: a unix socket owes nothing', () => {
  const { budget } = make();
  charge(budget, at(''), 50);
  budget.check(at(''));
  assert.equal(budget.size, 0);
});

test('G19: the number of payers is bounded, and who owes much is not forgotten for those who owe little', () => {
  const { budget } = make({ maxPayers: 100 });
  charge(budget, at('192.0.2.1'), 10);
  for (let i = 0; i < 1000; i++) budget.charge(at(`10.0.${i >> 8}.${i & 255}`));
  assert.ok(budget.size <= 100, String(budget.size));
  denied(() => budget.check(at('192.0.2.1')), reason);
});

test('G19: debts that have melted make room first', () => {
  const { budget, clock } = make({ maxPayers: 100 });
  for (let i = 0; i < 100; i++) budget.charge(at(`10.0.0.${i}`));
  clock.advance(60_000);
  budget.charge(at('192.0.2.1'));
  assert.equal(budget.size, 1);
});
