import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DigestTable, none, SaltedDigests } from '#holdfast/proof/replay/digest-table.js';

test('I05: what is kept is a digest with a salt of its own', () => {
  const [one, other] = [new SaltedDigests(), new SaltedDigests()];
  assert.equal(one.of('text'), one.of('text'));
  assert.notEqual(one.of('text'), one.of('texts'));
  assert.notEqual(one.of('text'), other.of('text'));
  assert.equal(one.of('text').length, 32);
});

test('I04: a table finds what it has, also when all digests share one chain', () => {
  const table = new DigestTable(8);
  const digests = Array.from({ length: 8 }, (_, i) => `\0\0\0\0${String.fromCharCode(200 + i).repeat(12)}`);
  const slots = digests.map((digest) => table.insert(digest));
  assert.deepEqual([...slots].sort(), [1, 2, 3, 4, 5, 6, 7, 8]);
  for (const removed of [3, 0, 7]) {
    table.remove(slots[removed] ?? none);
    assert.equal(table.find(digests[removed] ?? ''), none);
    slots[removed] = none;
    assert.deepEqual(
      digests.map((digest) => table.find(digest)),
      slots,
    );
  }
  assert.equal(table.size, 5);
});

test('I04: a full table takes nothing more', () => {
  const digests = new SaltedDigests();
  const table = new DigestTable(2);
  table.insert(digests.of('a'));
  assert.equal(table.isFull, false);
  table.insert(digests.of('b'));
  assert.equal(table.isFull, true);
  assert.throws(() => table.insert(digests.of('c')), RangeError);
  table.remove(table.find(digests.of('a')));
  table.insert(digests.of('c'));
  assert.notEqual(table.find(digests.of('c')), none);
});

test('I04: digests that differ only in their last kept byte are told apart', () => {
  const table = new DigestTable(4);
  const first = table.insert('abcdefghijklmnop');
  assert.equal(table.find('abcdefghijklmnoq'), none);
  assert.equal(table.find('abcdefghijklmnop'), first);
});

test('I04: a table answers as a Map does', () => {
  const operations = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 20 })), { maxLength: 200 });
  const property = fc.property(fc.integer({ min: 1, max: 16 }), operations, (capacity, sequence) => {
    const digests = new SaltedDigests();
    const table = new DigestTable(capacity);
    const model = new Map<number, number>();
    for (const [add, item] of sequence) {
      const digest = digests.of(String(item));
      assert.equal(table.find(digest), model.get(item) ?? none);
      if (add && !model.has(item) && model.size < capacity) model.set(item, table.insert(digest));
      if (!add && model.has(item)) {
        table.remove(model.get(item) ?? none);
        model.delete(item);
      }
      assert.equal(table.size, model.size);
    }
    assert.equal(new Set(model.values()).size, model.size);
  });
  fc.assert(property, { numRuns: 200 });
});
