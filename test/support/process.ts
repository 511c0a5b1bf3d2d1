import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

/** One line of a child's standard output that is a JSON object. */
export type Event = Readonly<Record<string, unknown>>;

export interface ChildOptions {
  /** how the child is called in the messages of a failure */
  readonly name: string;
  /** script of this Node, and its arguments; of `command` where that is given */
  readonly args: readonly string[];
  /** another program */
  readonly command?: string;
  /** the folder it works in; default: that of this process */
  readonly cwd?: string;
  /** added to this process's own environment */
  readonly env?: Readonly<Record<string, string>>;
  /** how long it may take to say what is expected of it; default: 20 s */
  readonly patienceMs?: number;
  /** gets every event; of requests none is kept: for runs that log more than fits in memory */
  readonly onEvent?: ((event: Event) => void) | undefined;
}

/** Generous: a busy machine is not a failure. */
const defaultPatienceMs = 20_000;
/** How long a child may take to end by itself after SIGTERM, ms. */
const graceMs = 5_000;

/**
 * A program, of Node unless the test says otherwise, as its own process, whose standard output is read as JSON lines. Lines that are no JSON object are
 * kept as text beside standard error, for the message of a failure.
 */
export class Child {
  readonly #name: string;
  readonly #process: ChildProcess;
  readonly #patienceMs: number;
  readonly #events: Event[] = [];
  readonly #text: string[] = [];
  readonly #ended: Promise<unknown>;
  #hasEnded = false;
  /** called on every new event and when the process ends */
  readonly #wake = new Set<() => void>();
  readonly #onEvent: ((event: Event) => void) | undefined;

  private constructor({
    name,
    args,
    command = process.execPath,
    cwd,
    env,
    patienceMs,
    onEvent,
  }: ChildOptions) {
    this.#name = name;
    this.#patienceMs = patienceMs ?? defaultPatienceMs;
    this.#onEvent = onEvent;
    this.#process = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    // `close` and not `exit`: by then everything it wrote has been read.
    this.#ended = once(this.#process, 'close')
      .catch((error: unknown) => this.#text.push(String(error)))
      .finally(() => this.#leave());
    const { stdout, stderr } = this.#process;
    if (stdout !== null) createInterface(stdout).on('line', (line) => this.#read(line));
    if (stderr !== null) createInterface(stderr).on('line', (line) => this.#text.push(line));
  }

  static start(options: ChildOptions): Child {
    return new Child(options);
  }

  /** undefined when it could not be started */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** What it wrote to standard error, and to standard output outside of events. */
  get text(): string {
    return this.#text.join('\n');
  }

  /** All events so far, oldest first. */
  get events(): readonly Event[] {
    return this.#events;
  }

  /** Whether it is gone and everything that it wrote has been read. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Exit code; null while it runs, or when a signal ended it. */
  get exitCode(): number | null {
    return this.#process.exitCode;
  }

  /**
   * Waits for the first event, past or future, that fits.
   * @throws Error with everything the child wrote, when it ends or stays silent for too long
   */
  async event(fits: (event: Event) => boolean): Promise<Event> {
    const deadline = AbortSignal.timeout(this.#patienceMs);
    for (;;) {
      const found = this.#events.find(fits);
      if (found !== undefined) return found;
      if (this.#hasEnded) throw this.#failure('ended before it said what was awaited');
      if (deadline.aborted) throw this.#failure('did not say what was awaited');
      await this.#news(deadline);
    }
  }

  /** Waits until it has ended by itself. @returns its exit code, null when a signal ended it */
  async end(): Promise<number | null> {
    await this.#ended;
    return this.#process.exitCode;
  }

  /** Ends it: SIGTERM, and SIGKILL to one that does not listen. Holds when it is gone. */
  async stop(): Promise<void> {
    this.#process.kill('SIGTERM');
    const timer = new AbortController();
    const killing = delay(graceMs, undefined, { signal: timer.signal, ref: false }).then(
      () => this.#process.kill('SIGKILL'),
      () => undefined,
    );
    await this.end();
    timer.abort();
    await killing;
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  #read(line: string): void {
    const event = parseEvent(line);
    if (event === undefined) this.#text.push(line);
    else if (this.#onEvent === undefined || event.event !== 'request') this.#events.push(event);
    if (event !== undefined) this.#onEvent?.(event);
    this.#notify();
  }

  #news(deadline: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#wake.delete(wake);
        deadline.removeEventListener('abort', wake);
        resolve();
      };
      this.#wake.add(wake);
      deadline.addEventListener('abort', wake);
    });
  }

  #notify(): void {
    for (const wake of [...this.#wake]) wake();
  }

  #leave(): void {
    this.#hasEnded = true;
    this.#notify();
  }

  #failure(what: string): Error {
    const { exitCode, signalCode } = this.#process;
    const state = this.#hasEnded ? `exit ${exitCode ?? signalCode ?? 'without start'}` : 'still running';
    return new Error(`${this.#name} ${what} (${state})\n${this.text}`);
  }
}

function parseEvent(line: string): Event | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
