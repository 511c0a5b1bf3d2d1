import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Workspace, withOption, withOptions } from './workspace.js';

let workspace: Workspace;
before(async () => {
  workspace = await Workspace.create();
  workspace.write('short.bin', Buffer.alloc(31, 7));
  workspace.write('long.bin', Buffer.alloc(1024 ** 2 + 1));
});
after(() => workspace.remove());

test('H03: the nonce secret has at least 32 bytes', () => {
  assert.equal(
    workspace.load(withOption('dpop.nonceSecret', 'secret.bin')).config.dpop.nonceSecret?.length,
    32,
  );
  assert.match(
    workspace.refuseAt('dpop.nonceSecret', withOption('dpop.nonceSecret', 'short.bin')),
    /31 bytes/,
  );
  assert.match(
    workspace.refuseAt('dpop.nonceSecret', withOption('dpop.nonceSecret', 'absent.bin')),
    /ENOENT/,
  );
  assert.match(
    workspace.refuseAt('dpop.nonceSecret', withOption('dpop.nonceSecret', 'long.bin')),
    /longer than/,
  );
});

test('H03: without a secret there is none to share', () => {
  assert.equal(workspace.load(withOption('dpop.nonce', 'required')).config.dpop.nonceSecret, undefined);
});

test('I04: one key cannot have more than the whole memory', () => {
  workspace.refuseAt('replay.perKey', withOptions({ replay: { capacity: 10, perKey: 11 } }));
  workspace.load(withOptions({ replay: { capacity: 10, perKey: 10 } }));
  const text = withOption('replay.capacity', 10);
  assert.equal(
    workspace.refuseAt('replay.perKey', text),
    'the default is not allowed; expected at most replay.capacity',
  );
});

test('I14: one client has half of the memory, one key at least, and cannot have more than the whole', () => {
  const perClient = (replay: object) =>
    workspace.load(withOptions({ replay: { capacity: 11, perKey: 2, ...replay } })).config.replay.perClient;
  assert.equal(perClient({}), 6);
  assert.equal(perClient({ perKey: 9 }), 9);
  assert.equal(perClient({ perClient: 11 }), 11);
  workspace.refuseAt('replay.perClient', withOptions({ replay: { capacity: 11, perKey: 2, perClient: 12 } }));
});

test('H03: a constant or a repetition is no nonce secret', () => {
  const bad = {
    zero: Buffer.alloc(32),
    constant: Buffer.alloc(64, 0x61),
    two: Buffer.from('ab'.repeat(16)),
    word: Buffer.from('changeme-please!'.repeat(3)),
    line: Buffer.from(`${'0'.repeat(40)}\n`),
  };
  for (const [name, content] of Object.entries(bad)) {
    workspace.write(`${name}.bin`, content);
    const message = workspace.refuseAt('dpop.nonceSecret', withOption('dpop.nonceSecret', `${name}.bin`));
    assert.match(message, /constant or a repetition/);
  }
  workspace.write('hex.txt', `${randomBytes(32).toString('hex')}\n`);
  workspace.load(withOption('dpop.nonceSecret', 'hex.txt'));
});
