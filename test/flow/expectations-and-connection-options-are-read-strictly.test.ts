import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Guarded } from '../support/guarded.js';
import { request } from '../support/sidecar.js';

let guarded: Guarded;
before(async () => {
  guarded = await Guarded.start();
});
after(() => guarded.stop());
beforeEach(() => guarded.service.reset());

describe('A24: every expectation but exactly 100-continue is refused', () => {
  const bad: Readonly<Record<string, readonly string[]>> = {
    '100-continue, x': ['Expect: 100-continue, x'],
    'x, 100-continue': ['Expect: x, 100-continue'],
    'foo=100-continue': ['Expect: foo=100-continue'],
    '100-continue;q=1': ['Expect: 100-continue;q=1'],
    'two lines': ['Expect: 100-continue', 'Expect: 100-continue'],
    'two lines, one empty': ['Expect: 100-continue', 'Expect:'],
    'two lines, the other first': ['Expect: x', 'Expect: 100-continue'],
    empty: ['Expect:'],
  };
  for (const [title, expect] of Object.entries(bad)) {
    for (const [what, rest] of Object.entries({
      'no body': { method: 'GET', headers: expect },
      'a body that came along': { method: 'POST', headers: [...expect, 'Content-Length: 2'], body: 'hi' },
      'a body to come': { method: 'POST', headers: [...expect, 'Content-Length: 2'] },
    })) {
      test(`${title}: ${what}`, async () => {
        const bytes = guarded.proven({ target: '/a', ...rest });
        await guarded.refuses({ bytes, status: 417, reason: 'expectation_failed', closes: true });
      });
    }
  }

  test('twin: 100-Continue is accepted', async () => {
    const headers = ['Expect: 100-Continue', 'Content-Length: 2'];
    const wire = await guarded.open();
    wire.send(guarded.proven({ method: 'POST', target: '/a', headers }));
    assert.equal((await wire.response()).status, 100);
    wire.send('hi');
    assert.equal((await wire.response()).status, 200);
    assert.equal(guarded.service.last.rawBody, 'hi');
    assert.deepEqual(guarded.service.last.all('expect'), []);
    wire.close();
  });
});

describe('B01: a Connection field that is no list of tokens is refused', () => {
  const bad: Readonly<Record<string, readonly string[]>> = {
    'a parameter': ['Connection: x-foo;q=1'],
    'a quoted name': ['Connection: "x-foo"'],
    'a good option before': ['Connection: close, x-foo=1'],
    'a good line before': ['Connection: close', 'Connection: "x-foo"'],
    '2000 characters': [`Connection: ${'a'.repeat(2000)}`],
    '2000 characters of separators': [`Connection: close${','.repeat(2000)}`],
    '2000 characters in two lines': [`Connection: ${'a'.repeat(1000)}`, `Connection: ${'b'.repeat(1000)}`],
  };
  for (const [title, headers] of Object.entries(bad)) {
    test(title, async () => {
      const bytes = guarded.proven({ target: '/a', headers: [...headers, 'X-Foo: 1'] });
      await guarded.refuses({ bytes, status: 400, reason: 'request_malformed', closes: true });
    });
  }

  const good: Readonly<Record<string, readonly string[]>> = {
    'close, x-foo': ['Connection: close, x-foo'],
    'empty elements': ['Connection: , close ,,x-foo,'],
    'two lines': ['Connection: close', 'Connection: X-FOO'],
    '1000 characters': [`Connection: close, x-foo, ${'a'.repeat(975)}`],
  };
  for (const [title, headers] of Object.entries(good)) {
    test(`twin: ${title}: x-foo is stripped`, async () => {
      const response = await guarded.send({ target: '/a', headers: [...headers, 'X-Foo: 1', 'X-Bar: 2'] });
      assert.equal(response.status, 200, response.body);
      assert.equal(response.one('connection'), 'close');
      assert.deepEqual(guarded.service.last.all('x-foo'), []);
      assert.deepEqual(guarded.service.last.all('x-bar'), ['2']);
    });
  }
});

describe('C05: a query of separators costs no more than another', () => {
  const refused = [
    'access_token=x',
    'access%5Ftoken=x',
    'access%5ftoken=x',
    '%61ccess_token=x',
    '%61%63%63%65%73%73%5F%74%6F%6B%65%6E=x',
    'a=1&access_token=x',
    'a;access_token=x',
    '&&access_token',
    `${'&'.repeat(8000)}access_token=x`,
  ];
  const passed = [
    'access_tokens=x',
    'xaccess_token=x',
    'ACCESS_TOKEN=x',
    'a=access_token',
    'access%255Ftoken=x',
    '&'.repeat(8000),
    ';'.repeat(8000),
    '%'.repeat(8000),
  ];
  const reasonFor = async (query: string) => {
    const response = await guarded.sidecar.send(request({ target: `/?${query}` }));
    const { reason } = await guarded.sidecar.logged(response);
    return { status: response.status, reason };
  };
  for (const query of refused) {
    test(`${query.slice(0, 40)} is refused`, async () => {
      assert.deepEqual(await reasonFor(query), { status: 400, reason: 'token_in_query' });
      assert.equal(guarded.service.bytes, 0);
    });
  }
  for (const query of passed) {
    test(`twin: ${query.slice(0, 40)} is none`, async () => {
      assert.deepEqual(await reasonFor(query), { status: 401, reason: 'credentials_missing' });
    });
  }
});
