/**
 * Fills the memory store of a process of its own with a million live proofs of ten thousand keys, lets them all expire
 * in one second, and prints what that took as one line of JSON. Run by replay-memory-is-bounded.test.ts, and by hand:
 * `node .build/test/support/replay-load.js`.
 */
import { MemoryReplayStore } from '#holdfast/proof/replay/memory.js';
import { ManualClock } from './manual-clock.js';

/** What the child process reports. */
export interface ReplayLoadReport {
  readonly entries: number;
  readonly claimed: number;
  /** resident memory taken by an empty store of that capacity, bytes */
  readonly emptyBytes: number;
  /** resident memory taken once it is full, bytes */
  readonly fullBytes: number;
  /** processor time of one claim, ns */
  readonly claimNs: number;
  /** the longest turn of the event loop while claims were made, ms */
  readonly claimPauseMs: number;
  /** the longest turn of the event loop while all entries were released, ms */
  readonly releasePauseMs: number;
  /** processor time from the expiry of all entries to an empty store, per entry, ns */
  readonly releaseNs: number;
}

const entries = 1_000_000;
const tokens = Array.from({ length: 10_000 }, (_, i) => ({
  jkt: `key-${i}`.padEnd(43, '-'),
  owner: { issuer: 'https://as.test', clientId: `client-${i}` },
}));
const claimsPerTurn = 200;
const lifetimeMs = 60_000;

/**
 * The longest turn so far. A turn counts with its wall time or its processor time, whichever is less: a busy machine
 * takes the processor away and lengthens the first, the collector's other threads lengthen the second, and the time for
 * which this process really held up its event loop is never more than either.
 */
class TurnWatch {
  #longestMs = 0;
  #wallMs = performance.now();
  #processor = process.cpuUsage();

  endTurn(): void {
    const wallMs = performance.now() - this.#wallMs;
    this.#longestMs = Math.max(this.#longestMs, Math.min(wallMs, processorMs(this.#processor)));
    this.#wallMs = performance.now();
    this.#processor = process.cpuUsage();
  }

  get longestMs(): number {
    return this.#longestMs;
  }
}

function processorMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The compiler's pauses in the first thousands of calls are the process's, and come with or without a store. */
function warmUp(clock: ManualClock): void {
  const store = new MemoryReplayStore({ capacity: 1000, perKey: 1000, perClient: 1000 }, clock);
  const owner = { issuer: 'https://as.test', clientId: 'client' };
  for (let i = 0; i < 50_000; i++) {
    if (i % 500 === 0) clock.advance(1000);
    const proof = store.nameOf('key', String(i));
    store.claim({ proof, owner, expiresAtMs: clock.nowMs() + 500 });
  }
  store.close();
}

async function measure(): Promise<ReplayLoadReport> {
  const clock = new ManualClock();
  warmUp(clock);
  const before = process.memoryUsage.rss();
  const store = new MemoryReplayStore({ capacity: entries, perKey: entries / 10, perClient: entries }, clock);
  const emptyBytes = process.memoryUsage.rss() - before;

  const start = process.cpuUsage();
  const claiming = new TurnWatch();
  const expiresAtMs = clock.nowMs() + lifetimeMs;
  let claimed = 0;
  for (let i = 0; i < entries; i++) {
    const token = tokens[i % tokens.length];
    if (token === undefined) continue;
    const proof = store.nameOf(token.jkt, `5f1c0d2e-6b1a-4a55-${i}`);
    if (store.claim({ proof, owner: token.owner, expiresAtMs }) === 'claimed') claimed++;
    if (i % claimsPerTurn === 0) {
      await nextTurn();
      claiming.endTurn();
    }
  }
  const claimNs = (processorMs(start) * 1e6) / entries;
  const fullBytes = process.memoryUsage.rss() - before;

  clock.advance(lifetimeMs + 1001);
  const expired = process.cpuUsage();
  const releasing = new TurnWatch();
  while (store.size > 0) {
    // A pause that lets the loop wait, so that the store's own timer does the work.
    await new Promise((resolve) => setTimeout(resolve, 1));
    releasing.endTurn();
  }
  const releaseNs = (processorMs(expired) * 1e6) / entries;
  store.close();
  const [claimPauseMs, releasePauseMs] = [claiming.longestMs, releasing.longestMs];
  return { entries, claimed, emptyBytes, fullBytes, claimNs, claimPauseMs, releasePauseMs, releaseNs };
}

process.stdout.write(`${JSON.stringify(await measure())}\n`);
