import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

export interface FileWatchOptions {
  /** absolute */
  readonly names: readonly string[];
  /** between two looks; default 5 s */
  readonly intervalMs?: number;
  /** until the second look at something that has changed; default 1 s */
  readonly settleMs?: number;
  readonly onChange: () => void;
}

/**
 * Notices that the content of files has changed. It looks at intervals, and at the content: notifications of the file
 * system do not come through every volume, miss files that are replaced through links (as Kubernetes does it), and times
 * of modification may be those of another machine. A file that is missing is one more content.
 *
 * What has changed counts when two looks in a row find the same, so that files which are being written are left alone.
 * The first look always reports: what happened between the reading of the files and that look would be lost else.
 */
export class FileWatch {
  readonly #options: FileWatchOptions;
  #known: string | undefined;
  #changed: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** looks come one after the other */
  #last: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(options: FileWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#schedule();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  /** One look. */
  look(): Promise<void> {
    return this.#next(() => this.#look());
  }

  /** Reports whatever there is now as a change, and takes it as known. */
  report(): Promise<void> {
    return this.#next(async () => this.#take(await this.#digest()));
  }

  #next(step: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(step);
    return this.#last;
  }

  async #look(): Promise<void> {
    const digest = await this.#digest();
    if (digest === this.#known) this.#changed = undefined;
    else if (digest === this.#changed || this.#known === undefined) this.#take(digest);
    else this.#changed = digest;
  }

  /** The digest was made before anybody reads the files: what changes in between is found by the next look. */
  #take(digest: string): void {
    this.#known = digest;
    this.#changed = undefined;
    if (!this.#isStopped) this.#options.onChange();
  }

  #schedule(): void {
    const { intervalMs = 5000, settleMs = 1000 } = this.#options;
    const waitMs = this.#changed === undefined ? intervalMs : settleMs;
    this.#timer = setTimeout(() => {
      void this.look().then(() => {
        if (!this.#isStopped) this.#schedule();
      });
    }, waitMs);
    this.#timer.unref();
  }

  async #digest(): Promise<string> {
    const hash = createHash('sha256');
    for (const name of this.#options.names) {
      const content = await readFile(name).catch((error: NodeJS.ErrnoException) => `${error.code}`);
      hash.update(`${content.length} ${typeof content} `).update(content);
    }
    return hash.digest('base64url');
  }
}
