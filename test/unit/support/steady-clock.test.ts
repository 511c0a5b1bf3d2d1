import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SteadyClock } from '#holdfast/support/steady-clock.js';
import { ShiftedReadings } from '../../support/shifted-readings.js';

const hourMs = 3_600_000;
const minuteMs = 60_000;
const start = ShiftedReadings.startMs;

test('I12: without steps both readings are the wall clock', () => {
  const time = new ShiftedReadings();
  const { clock } = time;
  for (const ms of [1, 1000, hourMs, 40 * 24 * hourMs]) {
    time.pass(ms);
    assert.equal(clock.nowMs(), time.wallMs());
    assert.equal(clock.steadyMs(), time.wallMs());
  }
  assert.equal(clock.startedAtMs, start);
  assert.equal(clock.unbrokenSinceMs, start);
  assert.equal(clock.relived, undefined);
  assert.equal(clock.forgottenBeforeMs, 0);
  assert.deepEqual([time.steps, time.adoptions], [[], []]);
});

test('I12: after a step back time goes on, and does not stand still', () => {
  const time = new ShiftedReadings();
  const { clock } = time;
  time.step(-hourMs);
  assert.equal(clock.nowMs(), start);
  time.pass(2 * minuteMs);
  assert.equal(clock.nowMs(), start + 2 * minuteMs);
  assert.equal(clock.steadyMs(), start + 2 * minuteMs);
  assert.equal(clock.offsetMs, -hourMs);
  assert.deepEqual(time.steps, [-hourMs], 'told once');
});

test('I12: the wall clock is adopted after five stable minutes, and not before', () => {
  const time = new ShiftedReadings();
  const { clock } = time;
  time.step(-hourMs);
  time.pass(5 * minuteMs - 1);
  assert.equal(clock.nowMs(), start + 5 * minuteMs - 1);
  time.step(-1000);
  time.pass(5 * minuteMs - 1);
  assert.equal(clock.offsetMs, -hourMs - 1000, 'it was not stable');
  time.pass(1);
  assert.equal(clock.offsetMs, 0);
  assert.equal(clock.nowMs(), time.wallMs());
  assert.equal(clock.steadyMs(), time.wallMs());
  assert.deepEqual(time.adoptions, [-hourMs - 1000]);
});

test('I12: a step forward counts at once for what ends, and not for what begins', () => {
  const time = new ShiftedReadings();
  const { clock } = time;
  time.step(hourMs);
  assert.equal(clock.nowMs(), start + hourMs);
  assert.equal(clock.steadyMs(), start);
  assert.equal(clock.unbrokenSinceMs, start + hourMs);
  time.pass(5 * minuteMs);
  assert.equal(clock.steadyMs(), start + hourMs + 5 * minuteMs);
  assert.equal(clock.forgottenBeforeMs, 0);
  assert.equal(clock.relived, undefined);
});

test('I12: a step forward that is taken back is over when both clocks agree again', () => {
  const time = new ShiftedReadings();
  const { clock } = time;
  time.step(hourMs);
  time.pass(minuteMs);
  time.step(-hourMs);
  assert.equal(clock.nowMs(), start + minuteMs);
  assert.equal(clock.offsetMs, 0);
  assert.deepEqual(clock.relived, { fromMs: start + minuteMs, untilMs: start + minuteMs + hourMs });
  assert.equal(clock.startedAtMs, start);
});

test('I12: a step back from a step forward reopens nothing while the clocks do not agree', () => {
  const time = new ShiftedReadings();
  const { clock } = time;
  for (const back of [-1000, -hourMs / 2, -hourMs]) {
    time.step(hourMs);
    const before = clock.nowMs();
    time.step(back === -hourMs ? -2 * hourMs : back);
    assert.ok(clock.nowMs() >= before);
    time.step(back === -hourMs ? hourMs : -hourMs - back);
    assert.equal(clock.offsetMs, 0);
  }
});

test('I12: who set timers hears of a jump ahead, and of nothing else', () => {
  const time = new ShiftedReadings();
  let jumps = 0;
  const end = time.clock.onStepForward(() => jumps++);
  time.step(-hourMs);
  time.step(hourMs);
  time.pass(hourMs);
  assert.equal(jumps, 0);
  time.step(minuteMs);
  assert.equal(jumps, 1);
  end();
  time.step(minuteMs);
  assert.equal(jumps, 1);
});

test('I12: what ended before a clock was set back for good may be forgotten', () => {
  const time = new ShiftedReadings();
  time.step(-hourMs);
  assert.equal(time.clock.forgottenBeforeMs, 0);
  time.pass(5 * minuteMs);
  assert.equal(time.clock.forgottenBeforeMs, start + 5 * minuteMs);
  assert.equal(time.clock.unbrokenSinceMs, start + 5 * minuteMs - hourMs);
});

test('I13: the start is dated by the later of both readings', () => {
  const time = new ShiftedReadings();
  time.pass(5000);
  time.step(30_000);
  assert.equal(time.clock.startedAtMs, start + 30_000);
  const clock = new SteadyClock({}, { wallMs: () => start, monotonicMs: () => 0 }, start + 7000);
  assert.equal(clock.startedAtMs, start + 7000);
});

test('I12: a process that was stopped between two readings has seen no step', () => {
  let monotonicMs = 0;
  let stopMs = 0;
  let steps = 0;
  const clock = new SteadyClock(
    { stepped: () => steps++ },
    {
      monotonicMs: () => monotonicMs,
      wallMs() {
        monotonicMs += stopMs;
        stopMs = 0;
        return start + monotonicMs;
      },
    },
    start,
  );
  stopMs = hourMs;
  clock.nowMs();
  assert.equal(clock.nowMs(), start + hourMs);
  assert.equal(steps, 0);
});

test('I12: up to half a second, either way, is no step', () => {
  const time = new ShiftedReadings();
  for (const ms of [500, -1000, 1000, -500]) time.step(ms);
  assert.deepEqual(time.steps, []);
  time.step(501);
  time.step(-501);
  assert.deepEqual(time.steps, [501, -501]);
});
