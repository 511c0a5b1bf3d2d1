import type { Sidecar } from './sidecar.js';

/**
 * What happens to the clocks of a process, in ms. A number: its wall clock is set, by so much; negative: backwards. With
 * `pass`: time goes by, for its monotonic clock too.
 */
export type Shift = number | { readonly pass: number };

/**
 * Options of Node under which a process shifts its clocks on each SIGUSR2, by the next of these steps.
 * @param startMs - by how much its wall clock is off from the start
 */
export function shiftableClock(shifts: readonly Shift[], startMs = 0): string[] {
  const script = `
    import { writeSync } from 'node:fs';
    const shifts = ${JSON.stringify(shifts)};
    const wall = Date.now;
    const monotonic = performance.now.bind(performance);
    const origin = performance.timeOrigin;
    let step = ${startMs};
    let passed = 0;
    let taken = 0;
    Date.now = () => wall() + step + passed;
    performance.now = () => monotonic() + passed;
    Object.defineProperty(performance, 'timeOrigin', { get: () => origin + ${startMs} });
    process.on('SIGUSR2', () => {
      const next = shifts[taken++] ?? 0;
      if (typeof next === 'number') step += next;
      else passed += next.pass;
      writeSync(1, JSON.stringify({ event: 'clock_shifted', taken }) + '\\n');
    });`;
  return ['--import', `data:text/javascript,${encodeURIComponent(script)}`];
}

/** Takes one step. Holds when the process has it. @param step - which one, from 1 */
export async function shiftClock({ child }: Sidecar, step: number): Promise<void> {
  child.signal('SIGUSR2');
  await child.event(({ event, taken }) => event === 'clock_shifted' && taken === step);
}
