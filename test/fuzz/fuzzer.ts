import type { JsonWebKey } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { request, type Sidecar } from '../support/sidecar.js';
import type { LoggedRequest } from './arrivals.js';
import { castCase, writeCase } from './cases.js';
import { type Played, play } from './client.js';
import { Cast, deploy, fetchNonce, type Listening, listenings, origins } from './deployment.js';
import { Epochs } from './epochs.js';
import type { Told } from './front-fields.js';
import type { Desk, GoodProof } from './requests.js';
import { describeSecret } from './secrets.js';
import { FuzzService } from './service.js';
import { Tally } from './tally.js';
import type { Violations } from './violations.js';

export interface FuzzOptions {
  readonly seed: string;
  /** ends after whichever comes first */
  readonly durationMs: number;
  readonly maxCases: number;
  /** number of the first case; later ones follow on it */
  readonly first: number;
  /** connections at one time */
  readonly jobs: number;
  readonly violations: Violations;
  /** whether what was found is enough for the run to end; default: 25 violations */
  readonly isEnough?: () => boolean;
  /** ends the run early, as if its time were over */
  readonly signal?: AbortSignal;
  /** for what has arrived to be logged; default: 20 s */
  readonly patienceMs?: number;
  /** for the test that the oracle can fail: what stands between Holdfast and the service, and what is configured */
  readonly leak?: {
    /** @returns the URL of something that passes on to the service what it gets, or not quite that */
    readonly upstream?: (serviceUrl: string) => Promise<string>;
    readonly config?: Readonly<Record<string, unknown>>;
    /** whose word counts like that of a front */
    readonly trusted?: readonly string[];
  };
}

export interface Summary {
  readonly seed: string;
  readonly seconds: number;
  readonly tally: Tally;
  readonly violations: number;
  /** resident memory of the processes after their first requests, and at the end */
  readonly residentBytes: readonly { readonly before: number; readonly after: number }[];
}

const epochCases = 256;
const patienceMs = 20_000;
/** what the processes may grow by: caches that fill, not leaks, which go on */
const maxGrowthBytes = 200 * 1024 * 1024;

interface Gateway {
  readonly listening: Listening;
  readonly sidecar: Sidecar;
  /** by origin; taken at the start, when proofs need one */
  readonly nonces: Map<string, string>;
  residentBefore: number;
}

/** One run: the service, a process for each kind of listening, and the clients that try them. */
export class Fuzzer {
  readonly #options: FuzzOptions;
  readonly #cast: Cast;
  readonly #service: FuzzService;
  readonly #gateways: Gateway[] = [];
  readonly #proofs = new Map<string, GoodProof>();
  readonly #told = new Map<string, Told>();
  readonly #tally = new Tally();
  readonly #epochs: Epochs;
  readonly #startedMs = performance.now();
  #next: number;

  private constructor(options: FuzzOptions, cast: Cast, service: FuzzService) {
    this.#options = options;
    this.#cast = cast;
    this.#service = service;
    this.#next = options.first;
    this.#epochs = new Epochs(service, {
      violations: options.violations,
      tally: this.#tally,
      patienceMs: options.patienceMs ?? patienceMs,
    });
  }

  /** Holds when everything that was started is gone again. */
  static async run(options: FuzzOptions): Promise<Summary> {
    const fuzzer = new Fuzzer(options, await Cast.create(), await FuzzService.start(options.seed));
    try {
      await fuzzer.#open();
      return await fuzzer.#run();
    } finally {
      await Promise.all(fuzzer.#gateways.map(({ sidecar }) => sidecar.stop()));
      await fuzzer.#service.stop();
    }
  }

  async #open(): Promise<void> {
    const { leak } = this.#options;
    const upstreamUrl = (await leak?.upstream?.(this.#service.url)) ?? this.#service.url;
    const keys = new Map<Listening, JsonWebKey>();
    for (const listening of listenings) {
      const sidecar = await deploy(listening, {
        cast: this.#cast,
        upstreamUrl,
        onEvent: (event) => this.#hear({ listening, fields: event }),
        changes: leak?.config ?? {},
        trusted: leak?.trusted ?? [],
      });
      const gateway: Gateway = { listening, sidecar, nonces: new Map(), residentBefore: 0 };
      this.#gateways.push(gateway);
      for (const origin of origins[listening]) {
        const nonce = await fetchNonce(sidecar, { listening, origin, cast: this.#cast });
        gateway.nonces.set(origin, nonce);
        this.#epochs.secrets.add(nonce);
      }
      const { text } = await sidecar.admin('/.well-known/jwks.json');
      keys.set(listening, JSON.parse(text).keys[0]);
    }
    this.#epochs.ground = {
      cast: this.#cast,
      proofs: this.#proofs,
      told: this.#told,
      assertionKeys: keys,
    };
  }

  async #run(): Promise<Summary> {
    const { durationMs, maxCases, first, violations, seed } = this.#options;
    const { isEnough = () => violations.count >= 25 } = this.#options;
    const end = new AbortController();
    const watching = this.#watch(end.signal);
    for (let epoch = 0; ; epoch++) {
      const left = Math.min(epochCases, first + maxCases - this.#next);
      const isOver = performance.now() - this.#startedMs > durationMs || left <= 0;
      if (isOver || this.#options.signal?.aborted || isEnough() || this.#hasLost()) break;
      await this.#playEpoch(left);
      if (epoch === 2) for (const gateway of this.#gateways) gateway.residentBefore = await resident(gateway);
    }
    end.abort();
    await watching;
    return {
      seed,
      seconds: Math.round((performance.now() - this.#startedMs) / 1000),
      tally: this.#tally,
      residentBytes: await this.#checkProcesses(),
      violations: violations.count,
    };
  }

  async #playEpoch(count: number): Promise<void> {
    const end = this.#next + count;
    const lanes = Array.from({ length: this.#options.jobs }, async () => {
      while (this.#next < end) {
        const number = this.#next++;
        this.#epochs.add(await this.#play(number));
      }
    });
    await Promise.all(lanes);
    await this.#epochs.close();
    // Replays come from the last few.
    for (const proof of [...this.#proofs.keys()].slice(0, -4000)) this.#proofs.delete(proof);
  }

  async #play(number: number): Promise<Played> {
    const { listening, peer, certificateOf } = castCase(this.#options.seed, number);
    const gateway = this.#gateways.find((one) => one.listening === listening);
    if (gateway === undefined) throw new Error(`nothing listens on ${listening}`);
    const holder = certificateOf === undefined ? undefined : this.#cast.callers[certificateOf];
    const desk: Desk = {
      ...{ cast: this.#cast, listening, peer, holder, proofs: this.#proofs, told: this.#told },
      nonces: gateway.nonces,
    };
    const one = writeCase(this.#options.seed, number, desk);
    const { certPem: cert, keyPem: key } = holder?.certificate ?? {};
    const shown = cert === undefined || key === undefined ? {} : { cert, key };
    const played = await play(one, {
      port: gateway.sidecar.port,
      from: peer,
      tls: listening === 'tls' ? shown : undefined,
    });
    this.#tally.cases++;
    this.#tally.requests += played.requests.length + (played.hasRest ? 1 : 0);
    return played;
  }

  #hear(event: LoggedRequest): void {
    const { fields } = event;
    const secret = describeSecret(fields, this.#epochs.secrets);
    if (secret !== undefined) this.#options.violations.add({ why: [`in the log: ${secret}`], event: fields });
    if (fields.level === 'error' || fields.level === 'fatal' || fields.reason === 'ERR_INTERNAL')
      this.#options.violations.add({ why: ['logged as an error'], event: fields });
    if (fields.event !== 'request') return;
    this.#epochs.hear(event);
  }

  /** A good request each second is served, whatever else goes on. */
  async #watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await delay(1000, undefined, { signal }).catch(() => {});
      for (const gateway of this.#gateways) {
        try {
          await this.#sendGood(gateway);
        } catch (error) {
          this.#complain(`a good request was not served (${gateway.listening}): ${String(error)}`);
          return;
        }
      }
    }
  }

  /** Tries again where somebody could have been too slow, on a machine that has other things to do. */
  async #sendGood({ listening, sidecar }: Gateway): Promise<void> {
    const bytes = request({ target: '/public/good' });
    for (let attempt = 1; ; attempt++) {
      const response = await sidecar.send(bytes, listening === 'tls' ? {} : undefined);
      const { status, body } = response;
      this.#tally.good++;
      if (status === 200) return;
      this.#tally.late++;
      if (attempt < 5 && [408, 503, 504].includes(status)) continue;
      await delay(1000); // the log is written in portions
      const logged = this.#epochs.loggedAs(response.one('x-request-id') ?? '');
      throw new Error(`${status} ${body} ${JSON.stringify(logged?.fields)}`);
    }
  }

  #hasLost(): boolean {
    return this.#gateways.some(({ sidecar }) => sidecar.child.hasEnded);
  }

  async #checkProcesses(): Promise<Summary['residentBytes']> {
    const found = [];
    for (const gateway of this.#gateways) {
      const { child } = gateway.sidecar;
      if (child.hasEnded) this.#complain(`the process ended (${gateway.listening})`);
      if (child.text !== '') this.#complain(`on standard error: ${child.text.slice(0, 4000)}`);
      if (child.hasEnded) continue;
      const after = await resident(gateway);
      const before = gateway.residentBefore === 0 ? after : gateway.residentBefore;
      if (after - before > maxGrowthBytes) this.#complain(`grew from ${before} to ${after} bytes`);
      found.push({ before, after });
    }
    return found;
  }

  #complain(why: string): void {
    this.#options.violations.add({ why: [why] });
  }
}

function resident({ sidecar }: Gateway): Promise<number> {
  return sidecar.metric('process_resident_memory_bytes');
}
