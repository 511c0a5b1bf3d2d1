import { after, before, test } from 'node:test';
import { Workspace, withOption } from './workspace.js';

let workspace: Workspace;
before(async () => {
  workspace = await Workspace.create();
});
after(() => workspace.remove());

/** Both ends of every range, and the nearest value outside. */
const ranges: readonly (readonly [
  path: string,
  accepted: readonly unknown[],
  refused: readonly unknown[],
])[] = [
  [
    'listen.limits.headerBytes',
    ['8KiB', '1MiB'],
    ['1023B', '1025KiB', 16_384, '16KB', '16kib', '016KiB', 'unlimited'],
  ],
  ['listen.limits.headerCount', [10, 1000], [9, 1001, '100', 10.5]],
  ['listen.limits.targetBytes', ['128B', '16KiB'], ['127B', '65KiB']],
  ['listen.limits.bodyBytes', ['0B', '1024GiB', 'unlimited'], ['1025GiB', '-1B', 'Infinity', '1.5MiB']],
  ['listen.limits.headersTimeout', ['10ms', '5m'], ['9ms', '301s', 'unlimited']],
  ['listen.limits.requestTimeout', ['10s', '24h', 'unlimited'], ['9ms', '25h']],
  ['listen.limits.idleTimeout', ['10ms', '1h'], ['9ms', '61m']],
  ['listen.limits.connections', [1, 1_000_000], [0, 1_000_001]],
  ['listen.limits.connectionsPerAddress', [1, 1_000_000], [0, 1_000_001]],
  ['upstream.connectTimeout', ['10ms', '5m'], ['9ms', '301s', 5000]],
  ['upstream.responseTimeout', ['10ms', '24h'], ['9ms', '25h']],
  ['upstream.idleTimeout', ['10ms', '24h'], ['9ms', '25h']],
  ['upstream.streamIdleTimeout', ['10ms', '24h'], ['9ms', '25h']],
  ['upstream.expiryGrace', ['0s', '24h', 'unlimited'], ['25h', '-1s', 'never']],
  ['upstream.poolIdleTimeout', ['10ms', '1h'], ['9ms', '61m']],
  ['upstream.connections', [1, 65_535], [0, 65_536]],
  ['upstream.queue.length', [0, 1_000_000], [-1, 1_000_001]],
  ['upstream.queue.wait', ['0s', '5m'], ['0', '301s']],
  ['dpop.maxAge', ['5s', '300s', '5m'], ['4s', '301s', '5001ms', '5 s', '60', 60]],
  ['dpop.clockSkew', ['0s', '60s', '1m'], ['61s', '-1s', '1500ms']],
  ['dpop.nonceLifetime', ['10s', '1h'], ['9s', '3601s']],
  ['replay.capacity', [100_000, 10_000_000], [0, 10_000_001]],
  ['replay.perKey', [1, 1_000_000], [0, 1_000_001]],
  ['shutdown.grace', ['0s', '10m'], ['601s', 'never']],
  ['log.level', ['debug', 'info', 'warn', 'error'], ['trace', 'INFO', '']],
];

for (const [path, accepted, refused] of ranges) {
  for (const value of accepted) {
    test(`DESIGN 2: ${path} may be ${value}`, () => {
      workspace.load(withOption(path, value));
    });
  }
  for (const value of refused) {
    test(`DESIGN 2: ${path} may not be ${JSON.stringify(value)}`, () => {
      workspace.refuseAt(path, withOption(path, value));
    });
  }
}
