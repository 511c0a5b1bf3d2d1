import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Case } from './cases.js';

export interface Violation {
  readonly why: readonly string[];
  readonly case?: Case;
  /** what the service received */
  readonly atService?: string;
  /** what the client received */
  readonly atClient?: string;
  readonly event?: Readonly<Record<string, unknown>>;
}

/** What a run found, a file each with all that is needed to do it again. */
export class Violations {
  readonly #folder: string;
  readonly #seed: string;
  readonly found: Violation[] = [];

  /** @param folder - made when there is something to put into it */
  constructor(folder: string, seed: string) {
    this.#folder = folder;
    this.#seed = seed;
  }

  get count(): number {
    return this.found.length;
  }

  get folder(): string {
    return this.#folder;
  }

  add(violation: Violation): void {
    this.found.push(violation);
    const { case: one, atService, atClient, ...rest } = violation;
    const content = {
      seed: this.#seed,
      ...rest,
      ...(one && { case: { ...one, writes: undefined }, writes: one.writes, hex: toHex(one.bytes) }),
      atService,
      atClient: atClient?.slice(0, 20_000),
    };
    mkdirSync(this.#folder, { recursive: true });
    const file = join(this.#folder, `violation-${this.found.length}.json`);
    writeFileSync(file, `${JSON.stringify(content, undefined, 2)}\n`);
  }
}

function toHex(text: string): string {
  return Buffer.from(text, 'latin1').toString('hex');
}
