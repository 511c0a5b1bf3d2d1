import { setTimeout as delay } from 'node:timers/promises';
import { exchange } from '../../test/support/wire.js';
import type { Issuer } from '../fixture.js';
import { proven } from '../requests.js';
import { percentile } from '../statistics.js';
import { garbageRequests } from './garbage.js';

const newcomers = 100;
const perSecond = 45;

/** Garbage proofs at 45 a second from the address of 100 good clients that were never seen before. */
export async function newcomersAmongGarbage(port: number, issuer: Issuer): Promise<void> {
  const quiet = await comeAnew(port, issuer);
  const texts = garbageRequests(issuer, 500);
  let sent = 0;
  const timer = setInterval(() => {
    void exchange({ port }, texts[sent++ % texts.length] ?? '').catch(() => undefined);
  }, 1000 / perSecond);
  await delay(3000);
  const among = await comeAnew(port, issuer);
  clearInterval(timer);
  process.stdout.write(
    `100 new clients among ${sent} garbage proofs at ${perSecond} a second: ${among.served} of ${newcomers} served, ` +
      `p99 ${among.p99Ms.toFixed(2)} ms, ${(among.p99Ms / quiet.p99Ms).toFixed(2)} times its quiet value (${quiet.served} served)\n`,
  );
}

async function comeAnew(port: number, issuer: Issuer): Promise<{ served: number; p99Ms: number }> {
  const supply = proven(issuer, newcomers);
  const latencies: number[] = [];
  for (let i = 0; i < newcomers; i++) {
    const request = supply.next();
    const startMs = performance.now();
    const answer = await exchange({ port }, request).catch(() => undefined);
    if (answer?.status === 200) latencies.push(performance.now() - startMs);
    await delay(20);
  }
  return { served: latencies.length, p99Ms: percentile(Float64Array.from(latencies).sort(), 0.99) };
}
