import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Contestant } from './contestants.js';
import type { Generator, SliceResult } from './load/generator.js';
import { processorTimeUs } from './processor-time.js';

/** One slice of one contestant. */
export interface Sample {
  readonly requests: number;
  /** processor time of the contestant, user and system, all threads */
  readonly cpuUsPerRequest: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** the same time of the load generator */
  readonly generatorUsPerRequest: number;
}

export interface MeasureOptions {
  readonly plainGenerator: Generator;
  readonly tlsGenerator: Generator;
  readonly connections: number;
  readonly seconds: number;
  /** for the files of requests */
  readonly folder: string;
}

const firstGuessPerSecond = 8000;
const reserve = 1.4;

/** Measures slice by slice, and learns how many requests a slice of each contestant takes. */
export class Meter {
  readonly #options: MeasureOptions;
  readonly #perSecond = new Map<string, number>();

  constructor(options: MeasureOptions) {
    this.#options = options;
  }

  /** @throws Error when one request was not answered with 200 */
  async measure(contestant: Contestant): Promise<Sample> {
    for (;;) {
      const { result, cpuUs } = await this.#run(contestant);
      if (result.failures > 0)
        throw new Error(`${contestant.name}: ${result.failures} requests were not answered with 200`);
      const known = this.#perSecond.get(contestant.name) ?? 0;
      const seen = result.requests / this.#options.seconds;
      this.#perSecond.set(contestant.name, Math.max(known, result.ranOut ? seen * 2 : seen));
      if (!result.ranOut) return summarise(result, cpuUs);
    }
  }

  async #run({ name, target, supply, program }: Contestant): Promise<{ result: SliceResult; cpuUs: number }> {
    const { seconds, connections, folder, plainGenerator, tlsGenerator } = this.#options;
    const count = (this.#perSecond.get(name) ?? firstGuessPerSecond) * reserve * seconds;
    const requestsFile = join(folder, `requests-${name}`);
    const requests = Array.from({ length: supply.repeat ? 1 : Math.ceil(count) }, () => supply.next());
    writeFileSync(requestsFile, requests.join(''), 'latin1');
    const generator = target.tls === undefined ? plainGenerator : tlsGenerator;
    const slice = { target, requestsFile, repeat: supply.repeat, connections, seconds };
    let before = 0;
    const result = await generator.run(slice, () => {
      before = processorTimeUs(program.pid);
    });
    return { result, cpuUs: processorTimeUs(program.pid) - before };
  }
}

function summarise(result: SliceResult, cpuUs: number): Sample {
  const { requests, seconds, p50Us, p99Us, generatorUs } = result;
  return {
    requests,
    cpuUsPerRequest: cpuUs / requests,
    requestsPerSecond: requests / seconds,
    p50Ms: p50Us / 1000,
    p99Ms: p99Us / 1000,
    generatorUsPerRequest: generatorUs / requests,
  };
}
