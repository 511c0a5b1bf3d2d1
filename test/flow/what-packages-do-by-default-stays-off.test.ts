import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { Guarded } from '../support/guarded.js';
import { spawnSidecar } from '../support/sidecar.js';

/** Options of http-proxy that a configuration file could be expected to pass on, each of which opens something. */
const unsafeOptions = {
  followRedirects: true,
  secure: false,
  auth: 'user:password',
  changeOrigin: true,
  ignorePath: true,
  toProxy: true,
  prependPath: false,
  xfwd: true,
};

describe('trap H21: the way to the service is fixed', () => {
  let guarded: Guarded;
  before(async () => {
    guarded = await Guarded.start();
  });
  after(() => guarded.stop());

  test('trap H21: no option of the client that forwards is an option of the configuration', async () => {
    const upstream = { url: 'http://127.0.0.1:9', ...unsafeOptions };
    const { child, folder } = spawnSidecar({ config: { upstream } });
    try {
      assert.equal(await child.end(), 2);
      for (const name of Object.keys(unsafeOptions)) assert.match(child.text, new RegExp(`\\b${name}\\b`));
    } finally {
      await child.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  for (const status of [301, 302, 303, 307, 308]) {
    test(`trap H21: ${status} is for the client, nobody follows it here`, async () => {
      const { service } = guarded;
      service.reset();
      const location = `${service.url}/elsewhere`;
      service.script = () => `HTTP/1.1 ${status} X\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`;
      const response = await guarded.send({ target: '/a' });
      assert.equal(response.status, status);
      assert.equal(response.one('location'), location);
      assert.deepEqual(
        service.requests.map(({ line }) => line),
        ['GET /a HTTP/1.1'],
      );
    });
  }

  test('trap H21: target and Host are those of the client, and the service gets no credentials', async () => {
    guarded.service.reset();
    assert.equal((await guarded.send({ target: '/a/b?c=/d' })).status, 200);
    const { line, all } = guarded.service.last;
    assert.equal(line, 'GET /a/b?c=/d HTTP/1.1');
    assert.deepEqual(all('host'), ['api.test']);
    assert.deepEqual(all('authorization'), []);
  });
});

test('trap prom-client: no gauge has a name that ends like that of a counter', async (t) => {
  const guarded = await Guarded.start();
  t.after(() => guarded.stop());
  const { text } = await guarded.sidecar.admin('/metrics');
  const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type]) => ({ name, type }));
  const misnamed = types.filter(({ name, type }) => name.endsWith('_total') !== (type === 'counter'));
  assert.deepEqual(misnamed, []);
  const names = types.map(({ name }) => name);
  for (const twin of ['nodejs_active_handles', 'nodejs_active_requests', 'nodejs_active_resources'])
    assert.ok(names.includes(twin), twin);
});
