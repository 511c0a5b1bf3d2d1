import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Guarded } from '../support/guarded.js';
import { describeWith } from '../support/needed.js';
import { request } from '../support/sidecar.js';
import { exchange } from '../support/wire.js';
import { routes } from './attacks.js';
import { type LegacyKind, LegacyService, legacyKinds, missing, readServed } from './legacy-service.js';

/** A body that is a request for a service which does not read it: one that would be served as a verified caller's. */
const hidden =
  'GET /admin/users HTTP/1.1\r\nHost: api.test\r\nX-Auth-Subject: root\r\nX-Auth-Proof: dpop\r\n\r\n';

const framings: Readonly<Record<string, (method: string, target: string) => string>> = {
  'Content-Length': (method, target) =>
    request({ method, target, headers: [`Content-Length: ${hidden.length}`], body: hidden }),
  chunked: (method, target) =>
    request({
      method,
      target,
      headers: ['Transfer-Encoding: chunked'],
      body: `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`,
    }),
};

for (const kind of legacyKinds) describeWith(missing(kind), kind.name, () => behind(kind));

function behind(kind: LegacyKind): void {
  let service: LegacyService;
  let guarded: Guarded;
  before(async () => {
    service = await LegacyService.start(kind);
    guarded = await Guarded.start({
      config: { routes, upstream: { url: `http://127.0.0.1:${service.port}` } },
    });
  });
  after(async () => {
    await guarded?.stop();
    await service?.stop();
  });

  /** Holds when the answer is the one for this request and no other. */
  async function isAnswered(target: string): Promise<void> {
    const { status, body } = await guarded.sidecar.send(request({ target }));
    assert.equal(status, 200, body);
    assert.equal(readServed(JSON.parse(body)).target, target);
  }

  let count = 0;
  for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS']) {
    for (const [framing, write] of Object.entries(framings)) {
      test(`B18: a body of ${method}, ${framing}, is served as no request`, async () => {
        for (let turn = 0; turn < 5; turn++) {
          count++;
          const { status, body } = await guarded.sidecar.send(write(method, `/open/${method}-${count}`));
          // Whatever the service thinks of such a body, it says so once.
          assert.ok(status < 600 && !body.includes('/admin/users'), `${status} ${body}`);
          await isAnswered(`/open/next-${count}`);
        }
      });
    }
  }

  test('B18: nobody else gets the answer', async () => {
    const write = framings['Content-Length'];
    assert.ok(write !== undefined);
    const clients = Array.from({ length: 60 }, async (_, index) => {
      if (index % 3 === 0) await guarded.sidecar.send(write('GET', `/open/mixed-${index}`));
      else await isAnswered(`/open/mixed-${index}`);
    });
    await Promise.all(clients);
  });

  test('B18: a proven caller is served as itself', async () => {
    const response = await guarded.send({ target: '/admin/export' });
    assert.equal(response.status, 200, response.body);
    const { handler, subject } = readServed(JSON.parse(response.body));
    assert.equal(handler, 'admin');
    assert.notEqual(subject, null);
    assert.notEqual(subject, 'root');
  });

  test('B18: the service knows of no request that nobody sent', async () => {
    await guarded.sidecar.stop();
    // Answered behind everything that came over the connections of the sidecar, which are closed.
    await exchange({ port: service.port }, request({ target: '/open/last', headers: ['Connection: close'] }));
    await service.hasServed('/open/last');
    const { served } = service;
    assert.ok(served.length > 100, `${served.length} requests`);
    assert.deepEqual(
      served.filter(({ target, subject }) => !target.startsWith('/open/') && subject === null),
      [],
    );
    assert.deepEqual(
      served.filter(({ subject }) => subject === 'root'),
      [],
    );
    assert.equal(new Set(served.map(({ target }) => target)).size, served.length, 'each came once');
  });
}
