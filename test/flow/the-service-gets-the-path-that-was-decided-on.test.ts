import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { Guarded } from '../support/guarded.js';
import { request } from '../support/sidecar.js';

let guarded: Guarded;
before(async () => {
  const routes = [
    { path: '/' },
    { path: '/orders/**' },
    { path: '/files/**', encodedSlashes: 'pass' },
    { path: '/~user' },
    { path: '/a/**' },
    { path: '/open/**', proof: 'none' },
  ];
  guarded = await Guarded.start({ config: { routes } });
});
after(() => guarded.stop());

describe('S06: nothing is open by omission', () => {
  test('a path without a route: 404, not forwarded, also with a proof', async () => {
    for (const target of [
      '/other',
      '/order',
      '/ordersx',
      '/metrics',
      '/livez',
      '/readyz',
      '/status',
      '/.well-known/jwks.json',
    ]) {
      await refused(guarded.proven({ target }), 404, 'route_not_found');
    }
  });
  test('a route without `proof` and a request without a token: 401', () =>
    refused(request({ target: '/orders/7' }), 401, 'credentials_missing'));
  test('twins: with a proof, and on a public route without', async () => {
    assert.equal((await guarded.send({ target: '/orders/7' })).status, 200);
    assert.equal((await guarded.sidecar.send(request({ target: '/open/7' }))).status, 200);
  });
});

/** As `Guarded.refuses`, where the route of a good request is not `/`. */
async function refused(bytes: string, status: number, reason: string): Promise<void> {
  const before = guarded.service.bytes;
  const response = await guarded.sidecar.send(bytes);
  assert.equal(response.status, status, response.body);
  assert.match(response.one('x-request-id') ?? '', /^[0-9a-f-]{36}$/);
  assert.equal((await guarded.sidecar.logged(response)).reason, reason);
  assert.equal(guarded.service.bytes, before, 'the service saw no byte');
}

describe('N: the proof is for the path as normalised, the service gets it as sent', () => {
  const same: readonly (readonly [title: string, target: string, htu: string])[] = [
    ['N02: %7e and ~', '/~user', '/%7euser'],
    ['N02: ~ and %7E', '/orders/%7Eu', '/orders/~u'],
    ['N02: %41 and A', '/orders/%41', '/orders/A'],
    ['N02: hex digits in either case', '/orders/%c3%a4', '/orders/%C3%A4'],
    ['N02: %2F stays a character', '/files/a%2fb', '/files/a%2Fb'],
    ['N07: the query is cut at the first ?', '/orders/7?a=/b?c', '/orders/7'],
    ['N07: an empty query', '/orders/7?', '/orders/7'],
    ['N07, trap H10: a URL in the path', '/orders/http:/x', '/orders/http:/x'],
    ['N04: parameters', '/orders/7;v=1', '/orders/7;v=1'],
  ];
  for (const [title, target, path] of same) {
    test(`${title}: ${target}`, async () => {
      const response = await guarded.send({ target, path });
      assert.equal(response.status, 200, response.body);
      assert.equal(guarded.service.last.line, `GET ${target} HTTP/1.1`);
    });
  }

  const different: readonly (readonly [title: string, target: string, htu: string])[] = [
    ['N02: %2F is no slash', '/files/a%2fb', '/files/a/b'],
    ['N02: and no %252F', '/files/a%2Fb', '/files/a%252Fb'],
    ['N04: a slash at the end', '/a/', '/a'],
    ['N04: none at the end', '/a', '/a/'],
    ['N04: the case of the path', '/orders/A', '/orders/a'],
    ['N04: parameters', '/orders/7;v=1', '/orders/7'],
    ['N04: two slashes', '/orders//7', '/orders/7'],
    ['N02: a reserved character that is encoded', '/orders/a%3Ab', '/orders/a:b'],
  ];
  for (const [title, target, path] of different) {
    test(`${title}: ${target} is not ${path}`, () =>
      refused(guarded.proven({ target, path }), 401, 'dpop_htu_mismatch'));
  }
});

test('N09, N07, trap H10: a target that begins with two slashes is refused before anything else', async () => {
  await refused(guarded.proven({ target: '//evil.test/x' }), 400, 'path_ambiguous');
});

describe('B06, trap H10', () => {
  const character = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...'abcAB/.%~;:@?&=') },
    {
      weight: 2,
      arbitrary: fc.constantFrom('%2F', '%2e', '%5C', '//', '/../', 'http:/', '%25', '%c3%a4', '%00', '..;'),
    },
    { weight: 1, arbitrary: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)) },
  );
  const targets = fc.array(character, { maxLength: 20 }).map((parts) => `/open/${parts.join('')}`);

  test('whatever is forwarded is forwarded byte for byte, and what is not was refused', async () => {
    let forwarded = 0;
    await fc.assert(
      fc.asyncProperty(targets, async (target) => {
        guarded.service.reset();
        const response = await guarded.sidecar.send(request({ target }));
        if (response.status !== 200) {
          assert.ok([400, 404].includes(response.status), `${response.status} ${target}`);
          assert.equal(guarded.service.bytes, 0);
          return;
        }
        forwarded++;
        assert.equal(guarded.service.last.line, `GET ${target} HTTP/1.1`);
      }),
      { numRuns: 500 },
    );
    assert.ok(forwarded > 50, `${forwarded} of 500 were forwarded`);
  });
});

describe('S02: what the caller wrote cannot break the log', () => {
  for (const target of [
    '/open/"},{"event":"x',
    "/open/'%22%1",
    '/open/%1b[31m',
    '/open/%0d%0aX',
    '/open/\u007b}',
    `/open/${'a'.repeat(4000)}`,
  ]) {
    test(`one line of JSON for ${target.slice(0, 30)}`, async () => {
      const response = await guarded.sidecar.send(request({ target }));
      const event = await guarded.sidecar.logged(response);
      if (response.status === 200) assert.equal(event.path, target.slice(0, 512));
      assert.ok(JSON.stringify(event).length < 2500, 'bounded');
      assert.equal(guarded.sidecar.child.text, '');
    });
  }
  test('and none was taken for an event of our own', () => {
    assert.deepEqual(
      guarded.sidecar.child.events.filter(({ event }) => event === 'x'),
      [],
    );
  });
});

describe('S04: the admin socket is apart', () => {
  test('its paths are ordinary paths on the public listener', async () => {
    const other = await Guarded.start();
    try {
      for (const target of ['/metrics', '/status', '/readyz', '/livez']) {
        await other.refuses({
          bytes: request({ target }),
          status: 401,
          reason: 'credentials_missing',
          closes: false,
        });
        assert.equal((await other.send({ target })).body, 'ok', 'answered by the service');
        assert.equal(other.service.last.line, `GET ${target} HTTP/1.1`);
        assert.equal((await other.sidecar.admin(target)).status, 200);
      }
      const { text } = await other.sidecar.admin('/orders/7');
      assert.notEqual(text, 'ok');
    } finally {
      await other.stop();
    }
  });
});
