import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import { mainScript } from '../../support/sidecar.js';
import { tenLines, Workspace, withOptions } from '../config/workspace.js';

let workspace: Workspace;
before(async () => {
  workspace = await Workspace.create();
});
after(() => workspace.remove());

async function run(
  text: string,
  env: Record<string, string> = {},
): Promise<{ code: number | null; out: string; err: string }> {
  workspace.write('holdfast.yaml', text);
  const args = [mainScript, 'check', '--config', workspace.configFile];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

test('DESIGN 5: check prints the effective policy with its defaults', async () => {
  const { code, out, err } = await run(tenLines);
  assert.deepEqual([code, err], [0, '']);
  const policy = parse(out);
  assert.equal(policy.dpop.maxAge, '60s');
  assert.equal(policy.listen.resource, 'https://orders.example.com');
  assert.deepEqual(
    policy.routes.map(({ path, proof }: { path: string; proof: string }) => [path, proof]),
    [['/**', 'any']],
  );
});

test('S06: check prints the warnings, and they are no failure', async () => {
  const routes = [
    { path: '/a/b', proof: 'both' },
    { path: '/a/**', proof: 'none' },
  ];
  const { code, out } = await run(withOptions({ routes }));
  assert.equal(code, 0);
  assert.match(out, /^# .*routes\[1\]: broader and weaker than routes\[0\] \(\/a\/b\)/m);
});

test('DESIGN 5: check prints every problem with its line and returns 2', async () => {
  const { code, out, err } = await run(`${tenLines}dpop:\n  maxAge: 4s\nlog:\n  levle: info\n`);
  assert.deepEqual([code, out], [2, '']);
  assert.deepEqual(
    err
      .trimEnd()
      .split('\n')
      .map((line) => line.slice(workspace.configFile.length).split(' ', 2).join(' ')),
    [':9: dpop.maxAge:', ':11: log.levle:'],
  );
});

test('S12: check prints no secret', async () => {
  workspace.write('basic.txt', 'legacy:hunter2');
  const text = withOptions({
    identity: {
      authorization: { basic: 'basic.txt' },
      assertion: { key: 'assertion.pem', audience: `\${NAME}` },
    },
    dpop: { nonceSecret: 'secret.bin' },
  });
  const { code, out } = await run(text, { NAME: 'swordfish' });
  assert.equal(code, 0);
  assert.doesNotMatch(out, /hunter2|swordfish|PRIVATE KEY|BEGIN/);
});
