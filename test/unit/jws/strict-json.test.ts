import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { parseStrictJsonObject } from '#holdfast/jws/strict-json.js';

const parse = (text: string) => parseStrictJsonObject(Buffer.from(text));

test('D07: a member name that appears twice is refused, at any depth', () => {
  for (const text of [
    '{"alg":"ES256","alg":"none"}',
    '{"a":{"b":1,"b":1}}',
    '{"a":[1,{"b":[],"c":{},"b":2}]}',
    '{"a":1,"b":{"a":2},"a":3}',
    '{"":1,"":2}',
    '{"a" :1,"a"\t\n:2}',
  ]) {
    assert.equal(parse(text), undefined, text);
  }
});

test('D07: one name in two spellings is one name', () => {
  assert.equal(parse('{"alg":1,"\\u0061lg":2}'), undefined);
  assert.equal(parse('{"\\"":1,"\\u0022":2}'), undefined);
  assert.equal(parse('{"/":1,"\\/":2}'), undefined);
  assert.deepEqual(parse('{"alg":1,"\\u0041lg":2}'), { alg: 1, Alg: 2 });
});

test('D07: the same name in different objects, and as a value, is no repetition', () => {
  assert.deepEqual(parse('{"a":{"a":{"a":"a"}},"b":["a","a",{"a":"b:"}]}'), {
    a: { a: { a: 'a' } },
    b: ['a', 'a', { a: 'b:' }],
  });
});

test('D01: anything but an object in UTF-8 without byte order mark is refused', () => {
  for (const text of [
    '',
    ' ',
    '[]',
    '"{}"',
    'null',
    '1',
    '{',
    '{}x',
    '{}{}',
    "{'a':1}",
    '{"a":1,}',
    '\ufeff{}',
    '\u00a0{}',
  ]) {
    assert.equal(parse(text), undefined, JSON.stringify(text));
  }
  assert.equal(parseStrictJsonObject(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), undefined);
  assert.equal(parseStrictJsonObject(Buffer.from('{}', 'utf16le')), undefined);
  assert.deepEqual(parse(' \t\r\n{} '), {});
});

test('D15: nesting is bounded at 32 levels, and a deep bomb is refused rather than thrown', () => {
  const nested = (levels: number) => `${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`;
  assert.notEqual(parse(nested(32)), undefined);
  assert.equal(parse(nested(33)), undefined);
  assert.equal(parse(`{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`), undefined);
});

test('D14: __proto__ is a member like any other and reaches no prototype', () => {
  const parsed = parse('{"__proto__":{"polluted":true},"constructor":1}');
  assert.ok(parsed !== undefined);
  assert.deepEqual(Object.keys(parsed), ['__proto__', 'constructor']);
  assert.equal(parsed.polluted, undefined);
  assert.equal(Object.getPrototypeOf(parsed), Object.prototype);
  assert.equal('polluted' in {}, false);
});

test('D07: agrees with JSON.parse on every object in which no name is repeated', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 6 })),
      fc.constantFrom(undefined, 1, '\t'),
      (value, space) => {
        const text = JSON.stringify(value, undefined, space);
        assert.deepEqual(parse(text), JSON.parse(text));
      },
    ),
  );
});

test('D07: refuses every object in which a name is repeated, wherever that is', () => {
  // The wrappers put the object with the repetition somewhere inside.
  const wrapper = fc.constantFrom(
    (inner: string) => `{"x":${inner}}`,
    (inner: string) => `{"x":[1,"}",${inner},[]],"y":{}}`,
    (inner: string) => `{"x":"\\\\","y":{"z":${inner}}}`,
  );
  const members = fc.array(fc.tuple(fc.string(), fc.jsonValue({ maxDepth: 2 })), { maxLength: 4 });
  fc.assert(
    fc.property(
      fc.string(),
      fc.jsonValue(),
      members,
      fc.array(wrapper, { maxLength: 5 }),
      (name, value, others, wrappers) => {
        const pairs = [[name, value], ...others, [name, 1]].map(
          ([key, one]) => `${JSON.stringify(key)}:${JSON.stringify(one)}`,
        );
        const text = wrappers.reduce((inner, wrap) => wrap(inner), `{${pairs.join(',')}}`);
        assert.doesNotThrow(() => JSON.parse(text));
        assert.equal(parse(text), undefined, text);
      },
    ),
  );
});

test('D15: never throws, whatever the bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void parseStrictJsonObject(Buffer.from(bytes))),
  );
  const jsonish = fc.string({ unit: fc.constantFrom(...'{}[]",:\\ua0 1\n'.split('')), maxLength: 40 });
  fc.assert(
    fc.property(jsonish, (text) => {
      const parsed = parse(text);
      if (parsed !== undefined) assert.deepEqual(parsed, JSON.parse(text));
    }),
    { numRuns: 2000 },
  );
});
