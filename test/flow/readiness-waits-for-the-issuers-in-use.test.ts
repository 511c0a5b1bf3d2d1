import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { TestIssuer } from '../support/issuer.js';
import { Sidecar } from '../support/sidecar.js';

/** Two issuers, of which the second cannot be reached, and a sidecar with these routes that has asked both. */
async function startBesideSilent(
  t: TestContext,
  routesFor: (serving: string, silent: string) => readonly object[],
): Promise<{ sidecar: Sidecar; silent: TestIssuer }> {
  const [serving, silent] = await Promise.all([TestIssuer.start(), TestIssuer.start()]);
  t.after(() => Promise.all([serving.stop(), silent.stop()]));
  silent.switchOff();
  const issuers = [serving, silent].map(({ issuer, audience }) => ({ issuer, audience }));
  const routes = routesFor(serving.issuer, silent.issuer);
  const sidecar = await Sidecar.start({ config: { upstream: 'http://127.0.0.1:9', issuers, routes } });
  t.after(() => sidecar.stop());
  await sidecar.child.event(
    ({ event, issuer }) => event === 'issuer_keys_not_refreshed' && issuer === silent.issuer,
  );
  return { sidecar, silent };
}

test('P05: an issuer without keys that no guarded route accepts does not keep a replica from being ready', async (t) => {
  const { sidecar, silent } = await startBesideSilent(t, (serving) => [
    { path: '/public/**', proof: 'none' },
    { path: '/**', issuers: [serving] },
  ]);
  await sidecar.ready();
  const status = JSON.parse((await sidecar.admin('/status')).text);
  const told = status.issuers.find(({ issuer }: { issuer: string }) => issuer === silent.issuer);
  assert.equal(told.ready, false, 'it still has no keys');
  const warning = await sidecar.child.event(({ event }) => event === 'config_warning');
  assert.deepEqual([warning.path, warning.detail], ['issuers[1]', 'no route takes its tokens']);
});

for (const [what, routesFor] of [
  ['by name', (serving: string, silent: string) => [{ issuers: [silent] }, { issuers: [serving] }]],
  ['as any other', (serving: string) => [{ issuers: [serving] }, {}]],
] as const) {
  test(`P05: an issuer without keys that one guarded route accepts ${what} keeps it from being ready`, async (t) => {
    const { sidecar, silent } = await startBesideSilent(t, (...names) =>
      routesFor(...names).map((route, index) => ({ path: index === 0 ? '/first/**' : '/**', ...route })),
    );
    const { status, text } = await sidecar.admin('/readyz');
    assert.equal(status, 503);
    assert.ok(text.includes(`no keys of ${silent.issuer}`), text);
    silent.switchOn();
    await sidecar.ready();
  });
}
