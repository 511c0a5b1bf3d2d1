import type { Sidecar } from './sidecar.js';

/**
 * Options of Node under which a process shifts its wall clock on each SIGUSR2, by the next of these steps.
 * @param stepsMs - ms; negative: backwards
 */
export function shiftableClock(stepsMs: readonly number[]): string[] {
  const script = `
    import { writeSync } from 'node:fs';
    const steps = ${JSON.stringify(stepsMs)};
    const wall = Date.now;
    let shift = 0;
    let taken = 0;
    Date.now = () => wall() + shift;
    process.on('SIGUSR2', () => {
      shift += steps[taken++] ?? 0;
      writeSync(1, JSON.stringify({ event: 'clock_shifted', taken }) + '\\n');
    });`;
  return ['--import', `data:text/javascript,${encodeURIComponent(script)}`];
}

/** Takes one step. Holds when the process has it. @param step - which one, from 1 */
export async function shiftClock({ child }: Sidecar, step: number): Promise<void> {
  child.signal('SIGUSR2');
  await child.event(({ event, taken }) => event === 'clock_shifted' && taken === step);
}
