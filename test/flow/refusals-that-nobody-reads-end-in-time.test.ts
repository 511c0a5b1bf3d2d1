import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Guarded, until } from '../support/guarded.js';
import { request } from '../support/sidecar.js';

// Fewer than may be sent ahead, or the connection would end for that.
const atATime = 50;
const mostTurns = 2000;
const patienceMs = 1000;
const open = 'holdfast_connections{listener="public"}';

const target = '/refused';

test('S08: a client that reads none of our own answers is cut off, and others are served', async () => {
  const guarded = await Guarded.start({ config: {} });
  try {
    const { events } = guarded.sidecar.child;
    let [seen, found] = [0, 0];
    const answered = () => {
      for (; seen < events.length; seen++) if (events[seen]?.path === target) found++;
      return found;
    };
    const wire = await guarded.open();
    wire.socket.pause();
    const bytes = request({ target }).repeat(atATime);
    let sent = 0;
    // Until the buffers of both sides are full and nothing moves any more.
    for (let turn = 0, stuck = false; !stuck; turn++) {
      assert.ok(turn < mostTurns, 'the buffers do not fill');
      wire.send(bytes);
      sent += atATime;
      stuck = !(await becomes(() => answered() === sent));
    }
    await guarded.serves();
    const hasEnded = async () => (await guarded.sidecar.metric(open)) === 0;
    for (let turn = 0; turn < 2 && !(await hasEnded()); turn++) {
      await until(hasEnded, 'its connection is gone').catch(() => undefined);
    }
    assert.ok(await hasEnded(), 'its connection is gone');
    wire.close();
  } finally {
    await guarded.stop();
  }
});

async function becomes(holds: () => boolean): Promise<boolean> {
  const deadline = performance.now() + patienceMs;
  while (!holds() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 2));
  return holds();
}
