/** Signals that ask for something else than the end. */
type Notice = 'SIGHUP' | 'SIGUSR1';

/**
 * What signals ask for, heard from the moment at which this is made: a process that has no listener yet is ended by them,
 * in the middle of whatever it does, and as PID 1 does not notice them. SIGUSR1 would open Node's debugger.
 * @see REQUIREMENTS S17
 */
export class Signals {
  /** holds from the first SIGTERM or SIGINT on */
  readonly stop: Promise<void>;
  /** holds from the second on */
  readonly stopAgain: Promise<void>;
  /** that came before there was somebody to attend to them */
  readonly #early = new Set<Notice>();
  #attend = (notice: Notice): void => {
    this.#early.add(notice);
  };

  constructor() {
    const told: (() => void)[] = [];
    this.stop = new Promise((resolve) => told.push(resolve));
    this.stopAgain = new Promise((resolve) => told.push(resolve));
    for (const name of ['SIGTERM', 'SIGINT']) process.on(name, () => told.shift()?.());
    for (const name of ['SIGHUP', 'SIGUSR1'] as const) process.on(name, () => this.#attend(name));
  }

  /** @param listener - is told of every notice from now on, and once of each that came before */
  attend(listener: (notice: Notice) => void): void {
    this.#attend = listener;
    for (const notice of this.#early) listener(notice);
    this.#early.clear();
  }
}
