import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Guarded } from '../support/guarded.js';
import { describeWith } from '../support/needed.js';
import { request } from '../support/sidecar.js';
import { aliases, isProtected, open, routes, spellings } from './attacks.js';
import { type LegacyKind, LegacyService, legacyKinds, missing, readServed } from './legacy-service.js';
import { Relay } from './relay.js';

for (const kind of legacyKinds) describeWith(missing(kind), kind.name, () => behind(kind));

function behind(kind: LegacyKind): void {
  let service: LegacyService;
  let relay: Relay;
  let guarded: Guarded;
  before(async () => {
    service = await LegacyService.start(kind);
    relay = await Relay.start(service.port);
    guarded = await Guarded.start({ config: { routes, upstream: { url: relay.url } } });
  });
  after(async () => {
    await guarded?.stop();
    await relay?.stop();
    await service?.stop();
  });

  /** @returns whether it was refused without a byte at the service. What was not was dispatched to nothing protected. */
  async function isRefused(target: string): Promise<boolean> {
    const before = relay.bytes;
    const { status, body } = await guarded.sidecar.send(request({ target }));
    if (relay.bytes === before) {
      assert.ok([400, 401, 404].includes(status), `${target}: ${status} ${body}`);
      return true;
    }
    if (status === 200) {
      const served = readServed(JSON.parse(body));
      assert.equal(served.handler, 'open', `${target} was served as ${served.path}`);
      assert.ok(!isProtected(served.path), `${target} is ${served.path}`);
    } else {
      assert.ok([400, 404, 405].includes(status), `${target}: ${status} ${body}`);
    }
    return false;
  }

  test('N08: what some service takes for a protected path is refused', async () => {
    const passed: string[] = [];
    for (const target of aliases) if (!(await isRefused(target))) passed.push(target);
    assert.deepEqual(passed, []);
  });

  test('N03, N08: no spelling reaches what its own path would not', async () => {
    let refused = 0;
    for (const target of spellings) if (await isRefused(target)) refused++;
    assert.ok(refused > 300 && refused < spellings.length, `${refused} of ${spellings.length}`);
  });

  test('N08: what is open stays so', async () => {
    for (const target of open) {
      // A service of PHP has no file for it: that is its own answer.
      if (kind.command === 'php' && target.includes('.')) continue;
      const response = await guarded.sidecar.send(request({ target }));
      assert.equal(response.status, 200, `${target}: ${response.body}`);
      assert.equal(readServed(JSON.parse(response.body)).handler, 'open', target);
    }
  });

  test('N08: with a proof the protected paths are served', async () => {
    const expected = {
      '/admin/export': 'admin',
      '/bank/1': 'bank',
      '/transfers': 'transfers',
      '/reports/export': 'report',
    };
    for (const [target, handler] of Object.entries(expected)) {
      const response = await guarded.send({ target });
      assert.equal(response.status, 200, response.body);
      const served = readServed(JSON.parse(response.body));
      assert.deepEqual([served.handler, served.path], [handler, target]);
      assert.ok(isProtected(served.path));
    }
  });

  test('N08: nothing protected was served but what was proven', () => {
    const unproven = service.served.filter(({ subject }) => subject === null);
    assert.ok(unproven.length > 0);
    assert.deepEqual(
      unproven.filter(({ handler }) => handler !== 'open'),
      [],
    );
  });
}
