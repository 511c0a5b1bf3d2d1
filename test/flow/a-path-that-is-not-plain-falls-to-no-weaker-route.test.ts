import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { bearerException } from '../support/exceptions.js';
import { Guarded } from '../support/guarded.js';
import { request } from '../support/sidecar.js';

describe('N08: the rest is public, and some paths are not', () => {
  let guarded: Guarded;
  before(async () => {
    guarded = await Guarded.start({
      config: {
        routes: [
          { path: '/' },
          { path: '/admin/export' },
          { path: '/admin/**' },
          { path: '/bank/**' },
          { path: '/export.php' },
          { path: '/transfers' },
          { path: '/caf%C3%A9/**' },
          { path: '/**', proof: 'none' },
        ],
      },
    });
  });
  after(() => guarded.stop());

  for (const target of [
    '//x/admin/export',
    '/https://x/admin/y',
    '/ban%E2%84%AA/x',
    '/adm%C4%B1n/x',
    '/CAF%C3%89/x',
    '/index.php/admin/users',
    '/export.php/x',
    '/Admin/export.json',
    '/admin%20/x',
    '/%20admin/x',
    '/transfers;/x',
    '/admin./x',
    '/admin::$INDEX_ALLOCATION/x',
    '/ADMIN~1/x',
    '/%25252561dmin/x',
  ])
    test(`N08: ${target} is refused, and the service sees no byte of it`, async () => {
      const seen = guarded.service.bytes;
      const response = await guarded.sidecar.send(request({ target }));
      assert.equal(response.status, 400, response.body);
      assert.equal((await guarded.sidecar.logged(response)).reason, 'path_ambiguous');
      assert.equal(guarded.service.bytes, seen);
    });

  for (const target of [
    '/files/caf%C3%A9',
    '/v1.2/x',
    '/x:batch',
    '/files/a%20b.pdf',
    '/index.php/news',
    '/~me/',
  ])
    test(`N08: twin: ${target} is served as it was sent`, async () => {
      const response = await guarded.sidecar.send(request({ target }));
      assert.equal(response.status, 200, response.body);
      assert.equal(guarded.service.last.line, `GET ${target} HTTP/1.1`);
    });

  test('N08: twin: the protected paths are served with a proof', async () => {
    for (const target of ['/', '/admin/export', '/bank/x', '/export.php', '/caf%C3%A9/x'])
      assert.equal((await guarded.send({ target })).status, 200, target);
  });

  test('N08: the log names both routes and what they differ in', async () => {
    const response = await guarded.sidecar.send(request({ target: '/%20admin/x' }));
    const { detail } = await guarded.sidecar.logged(response);
    assert.match(String(detail), /\/\*\* is weaker than \/admin\/\S+ \(proof\)/);
  });
});

describe('N08: routes of one proof that differ in what they ask of the token', () => {
  let guarded: Guarded;
  before(async () => {
    guarded = await Guarded.start({
      config: { routes: [{ path: '/' }, { path: '/admin/**', scopes: ['admin'] }, { path: '/**' }] },
    });
  });
  after(() => guarded.stop());

  test('N08: a proof for the weaker route does not carry to the stricter one', async () => {
    for (const target of ['/admin%20/x', '/index.php/admin/x']) {
      const seen = guarded.service.bytes;
      const response = await guarded.sidecar.send(guarded.proven({ target }));
      assert.equal(response.status, 400, response.body);
      assert.equal(guarded.service.bytes, seen);
    }
  });

  test('N08: twin: plain paths of the weaker route', async () => {
    assert.equal((await guarded.send({ target: '/files/a%20b' })).status, 200);
  });
});

describe('N08: an exception covers what its paths are however they are read', () => {
  let guarded: Guarded;
  before(async () => {
    guarded = await Guarded.start({
      config: {
        routes: [{ path: '/**' }],
        exceptions: [bearerException({ clients: ['shop'], routes: ['/legacy/*/rows', '/batch/**'] })],
      },
    });
  });
  after(() => guarded.stop());

  const bearer = (target: string) => {
    const token = guarded.mint(guarded.caller.key, { cnf: undefined, client_id: 'shop' });
    return request({ target, headers: [`Authorization: Bearer ${token}`] });
  };

  test('N08: the token alone does not pass where the depth may be another', async () => {
    for (const target of [
      '/legacy/a;b/rows',
      '/legacy/%20/rows',
      '/legacy/x.php/rows',
      '/legacy/a%253Fb/rows',
    ]) {
      const seen = guarded.service.bytes;
      const response = await guarded.sidecar.send(bearer(target));
      assert.ok([400, 401].includes(response.status), `${target}: ${response.status} ${response.body}`);
      assert.equal(guarded.service.bytes, seen, target);
    }
  });

  test('N08: twin: it passes on the paths of the exception, encodings included', async () => {
    for (const target of ['/legacy/7/rows', '/legacy/a%20b/rows', '/batch/a;b/c']) {
      const response = await guarded.sidecar.send(bearer(target));
      assert.equal(response.status, 200, `${target}: ${response.body}`);
      assert.equal(guarded.service.last.line, `GET ${target} HTTP/1.1`);
    }
  });
});
