import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { tenLines, Workspace, withOption } from './workspace.js';

let workspace: Workspace;
before(async () => {
  workspace = await Workspace.create();
});
after(() => workspace.remove());

test('DESIGN 2: a reference to the environment is replaced, and keeps the type of what was written', () => {
  const text = `${tenLines}replay:\n  capacity: \${CAPACITY}\n  perKey: 5\n`;
  assert.equal(workspace.load(text, { CAPACITY: '500' }).config.replay.capacity, 500);
  const host = workspace.load(
    tenLines.replace('https://orders.example.com]', `"https://\${HOST}.example"]`),
    {
      HOST: 'shop',
    },
  );
  assert.deepEqual(host.config.listen.origins, ['https://shop.example']);
});

test('DESIGN 2: a reference that YAML cannot read without quotes is explained', () => {
  const [problem] = workspace.refuse(tenLines.replace('orders.example.com]', `\${HOST}]`), { HOST: 'shop' });
  assert.equal(problem?.line, 2);
  assert.match(problem?.message ?? '', /needs quotes$/);
});

test('DESIGN 2: the environment adds values, never structure', () => {
  const problems = workspace.refuse(`${tenLines}log: \${LOG}\n`, { LOG: '{ level: debug }' });
  assert.deepEqual(
    problems.map(({ path }) => path),
    ['log'],
  );
});

test('DESIGN 2: a variable that is not set is a problem, once', () => {
  const problems = workspace.refuse(`${tenLines}log:\n  level: \${LEVEL}\n`);
  assert.deepEqual(problems, [
    { path: 'log.level', line: 9, message: 'the environment variable LEVEL is not set' },
  ]);
});

test('DESIGN 2: identity sources are not references', () => {
  const { config } = workspace.load(withOption('identity.headers', { 'X-Proof': '$proof' }));
  assert.deepEqual(config.identity.headers.at(-1), { name: 'X-Proof', source: { fact: 'proof' } });
});

test('S12: a value from the environment is not repeated in a problem', () => {
  const [problem] = workspace.refuse(`${tenLines}log:\n  level: \${LEVEL}\n`, { LEVEL: 'hunter2' });
  assert.match(problem?.message ?? '', /^"\$\{LEVEL\}" is not allowed; expected debug, info, warn or error$/);
});

test('S12: a value from the environment is not part of the effective policy', () => {
  const text = tenLines.replace('orders.example.com\n', `\${AUD}\n`);
  const { policy, config } = workspace.load(text, { AUD: 'hunter2' });
  assert.deepEqual(config.issuers[0]?.audience, ['https://hunter2']);
  assert.doesNotMatch(policy, /hunter2/);
  assert.match(policy, /\$\{AUD\}/);
});

test('S12: what was pasted in place of a file name is not repeated in a problem', () => {
  const key = '-----BEGIN PRIVATE KEY----- hunter2';
  for (const value of [key, `${key}\n`, '{"kty":"EC","d":"hunter2"}', `hunter2${'A'.repeat(200)}`]) {
    for (const path of ['listen.tls.key', 'dpop.nonceSecret', 'identity.authorization.basic']) {
      assert.doesNotMatch(workspace.refuseAt(path, withOption(path, value)), /hunter2/);
    }
  }
  assert.doesNotMatch(
    workspace.refuseAt('dpop.nonceSecret', withOption('dpop.nonceSecret', 'hunter2')),
    /hunter2/,
  );
  assert.match(
    workspace.refuseAt('listen.tls.key', withOption('listen.tls.key', 'absent.key')),
    /"absent\.key".*ENOENT/,
  );
});

test('S12: userinfo of a URL is not repeated in a problem', () => {
  assert.doesNotMatch(
    workspace.refuseAt('upstream.url', withOption('upstream.url', 'http://u:hunter2@127.0.0.1')),
    /hunter2/,
  );
});
