// Fills a replay store and writes what it took, as one line of JSON. Argument: number of entries.
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MemoryReplayStore } from '#holdfast/proof/replay/memory.js';

const entries = Number(process.argv[2]);
const claimsPerTurn = 50;
const lifetimeMs = 600_000;
const tokens = Array.from({ length: 64 }, (_, index) => ({
  jkt: String(index).padEnd(43, 'k'),
  owner: { issuer: 'https://as.test', clientId: String(index) },
}));

const store = new MemoryReplayStore(
  { capacity: entries, perKey: entries, perClient: entries },
  { steadyMs: Date.now },
);
globalThis.gc?.();
const before = process.memoryUsage.rss();
let longestTurnMs = 0;
for (let done = 0; done < entries; ) {
  const start = performance.now();
  const cpuAtStart = process.cpuUsage();
  for (let i = 0; i < claimsPerTurn && done < entries; i++, done++) claim(done);
  const { user, system } = process.cpuUsage(cpuAtStart);
  // The lesser of the two: waiting for a processor that others hold is no pause of ours.
  longestTurnMs = Math.max(longestTurnMs, Math.min(performance.now() - start, (user + system) / 1000));
  await nextTurn();
}
globalThis.gc?.();
const bytes = process.memoryUsage.rss() - before;
process.stdout.write(`${JSON.stringify({ entries: store.size, bytes, longestTurnMs })}\n`);
store.close();

function claim(index: number): void {
  const token = tokens[index % tokens.length];
  if (token === undefined) return;
  const proof = store.nameOf(token.jkt, randomUUID());
  const result = store.claim({ proof, owner: token.owner, expiresAtMs: Date.now() + lifetimeMs });
  if (result !== 'claimed') throw new Error(`entry ${index}: ${result}`);
}
