import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { equalsHtu } from '#holdfast/proof/htu.js';
import { makeFacts } from '../../support/facts.js';

const uri = 'https://api.example/orders/~1';
const assertEquals = (...list: string[]) => {
  for (const htu of list) assert.ok(equalsHtu(htu, uri), htu);
};
const assertDiffers = (...list: string[]) => {
  for (const htu of list) assert.ok(!equalsHtu(htu, uri), htu);
};

test('G11: query and fragment of the claim are ignored', () => {
  assertEquals(uri, `${uri}?a=b`, `${uri}#c`, `${uri}?a=b#c`, `${uri}?`, `${uri}#?x`, `${uri}?/../x`);
});

test('G11: another path, host, scheme or port is another URI', () => {
  assertDiffers(
    'https://api.example/orders/~2',
    'https://api.example/orders',
    'https://api.example',
    'https://b.example/orders/~1',
    'http://api.example/orders/~1',
    'https://api.example:8443/orders/~1',
    'https://api.example.evil/orders/~1',
  );
});

test('G14: only an absolute http or https URI without userinfo counts', () => {
  assertDiffers(
    '/orders/~1',
    '//api.example/orders/~1',
    'api.example/orders/~1',
    'ftp://api.example/orders/~1',
    'https:/api.example/orders/~1',
    'https://u:p@api.example/orders/~1',
    'https://api.example@evil/orders/~1',
    'https:api.example/orders/~1',
    '',
  );
});

test('N01: scheme and host without case, default port removed, empty path is the root', () => {
  assertEquals(
    'HTTPS://API.Example/orders/~1',
    'https://api.example:443/orders/~1',
    'https://api.example:/orders/~1',
  );
  assertDiffers(
    'https://api.example:80/orders/~1',
    'https://api.example:0443/orders/~1',
    'https://api.example:443x/orders/~1',
  );
  for (const htu of [
    'https://api.example',
    'https://api.example:443',
    'https://api.example?q',
    'https://api.example/',
  ]) {
    assert.ok(equalsHtu(htu, 'https://api.example/'), htu);
  }
  assert.ok(equalsHtu('http://[::1]:80/x', 'http://[::1]/x'));
  assert.ok(equalsHtu('http://api.example:80/x', 'http://api.example/x'));
  assert.ok(!equalsHtu('https://api.example:80/x', 'https://api.example/x'));
});

test('N02: unreserved characters decoded, hex in any case, reserved ones never decoded', () => {
  assertEquals('https://api.example/orders/%7e1', 'https://api.example/%6frders/%7E1');
  assert.ok(equalsHtu('https://api.example/a%2fb', 'https://api.example/a%2Fb'));
  assert.ok(!equalsHtu('https://api.example/a%2fb', 'https://api.example/a/b'));
  assertDiffers(
    'https://api.example/orders/%257e1',
    'https://api.example/orders/~1%',
    'https://api.example%2Forders/~1',
  );
});

test('N03: dot segments of the claim are resolved as RFC 3986 §5.2.4 says', () => {
  assertEquals(
    'https://api.example/orders/./~1',
    'https://api.example/x/../orders/~1',
    'https://api.example/../orders/~1',
    'https://api.example/%2e%2e/orders/~1',
    'https://api.example/orders/x/%2E./~1',
  );
  assertDiffers('https://api.example/orders/~1/..', 'https://api.example/orders/~1/.');
  for (const [htu, path] of [
    ['/a/b/..', '/a/'],
    ['/a/b/.', '/a/b/'],
    ['/..', '/'],
    ['/a//../b', '/a/b'],
    ['/a/..b', '/a/..b'],
    ['/.a', '/.a'],
    ['/a/b/c/./../../g', '/a/g'],
  ] as const) {
    assert.ok(equalsHtu(`https://api.example${htu}`, `https://api.example${path}`), htu);
  }
});

test('N04: trailing slash, letter case of the path, empty segments and parameters are significant', () => {
  assertDiffers(
    `${uri}/`,
    'https://api.example/Orders/~1',
    'https://api.example//orders/~1',
    `${uri};x`,
    `${uri}//`,
  );
});

test('N05: what is not visible ASCII is never converted', () => {
  assertDiffers(
    'https://аpi.example/orders/~1',
    'https://api.example/orders/~1 ',
    ' https://api.example/orders/~1',
    'https://api.example/orders/~1\n',
    'https://api.example。/orders/~1',
    'https://api.example./orders/~1',
    'https://api.ex\tample/orders/~1',
  );
});

const piece = fc.constantFrom(...'/.;%2eE7fFaAzZ09~-_!$:@'.split(''), '%41', '%2F', '/../', '/./', '%7e');
const pathText = fc.array(piece, { maxLength: 12 }).map((parts) => `/${parts.join('')}`);

test('N02: a client that claims the target it sent is understood', () => {
  fc.assert(
    fc.property(pathText, (target) => {
      let facts: ReturnType<typeof makeFacts>;
      try {
        facts = makeFacts({ target });
      } catch {
        return; // refused as a target: there is nothing to claim
      }
      assert.ok(equalsHtu(facts.uri, facts.uri));
      assert.ok(equalsHtu(`https://API.example:443${target}?q=1#f`, facts.uri), target);
    }),
    { numRuns: 1000 },
  );
});

test('G11: a path that differs in what is significant is never equal', () => {
  const segments = fc.array(fc.stringMatching(/^[a-zA-Z0-9]{1,3}$/), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(segments, segments, (a, b) => {
      const [first, second] = [`https://api.example/${a.join('/')}`, `https://api.example/${b.join('/')}`];
      assert.equal(equalsHtu(first, second), first === second);
    }),
  );
});

test('G14: never throws, whatever the claim says', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary' }), fc.webUrl(), pathText),
      (htu) => void equalsHtu(htu, uri),
    ),
  );
  assert.ok(!equalsHtu(`https://api.example/${'/.'.repeat(1 << 20)}`, uri));
});
