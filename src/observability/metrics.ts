import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { Denial } from '../denial/denial.js';
import type { RequestRecord } from './request-record.js';

/** Values that are read when somebody asks, rather than kept up to date. */
export interface MetricSources {
  readonly configHash: string;
  readonly replay: { readonly size: number; readonly capacity: number };
  readonly issuers: () => readonly { readonly issuer: string; readonly ageSeconds: number | undefined }[];
  readonly connections: () => readonly { readonly listener: string; readonly count: number }[];
  readonly exceptions: readonly {
    readonly id: string;
    readonly owner: string;
    readonly expiresAtMs: number;
  }[];
  readonly certificates: readonly { readonly name: string; readonly expiresAtMs: number }[];
}

const secondsBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const gateBuckets = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 1];

/** prom-client's own gauges that end in `_total`, which `promtool check metrics` refuses. */
const misnamed = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/**
 * The metrics of DESIGN section 6. Label values come from closed sets only: routes and exceptions of the
 * configuration, keys of the catalogue; nothing that a caller can choose (S03).
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests = this.#counter('requests_total', 'Requests by what became of them', [
    'route',
    'outcome',
    'proof',
    'reason',
  ]);
  readonly #duration = this.#histogram(
    'request_duration_seconds',
    'From the head of the request to the end of the answer',
    secondsBuckets,
    ['route'],
  );
  readonly #gate = this.#histogram(
    'gate_duration_seconds',
    'From the head of the request to the verdict',
    gateBuckets,
    [],
  );
  readonly #upstream = this.#histogram(
    'upstream_duration_seconds',
    'From sending the request to the head of the answer',
    secondsBuckets,
    ['route'],
  );
  readonly #replayRefused = this.#counter('replay_refused_total', 'Proofs that the replay store refused', [
    'cause',
  ]);
  readonly #tokenCache = this.#counter('token_cache_total', 'Look-ups of verified tokens', ['result']);
  readonly #keysRefresh = this.#counter('issuer_keys_refresh_total', 'Fetches of key sets', [
    'issuer',
    'result',
  ]);
  readonly #exceptions = this.#counter(
    'exception_requests_total',
    'Requests that passed under an exception',
    ['exception'],
  );
  readonly #clockStepBack = this.#counter(
    'clock_step_back_total',
    'Readings of a wall clock that lay behind an earlier one',
    [],
  );
  /** Children by label values, found by one string: prom-client hashes the labels anew at each call. */
  readonly #requestChildren = new Map<string, ReturnType<Counter['labels']>>();
  readonly #cacheChildren = new Map<string, ReturnType<Counter['labels']>>();
  readonly #durationChildren = new Map<string, ReturnType<Histogram['labels']>>();
  readonly #upstreamChildren = new Map<string, ReturnType<Histogram['labels']>>();

  constructor(sources: MetricSources) {
    collectDefaultMetrics({ register: this.#registry });
    for (const name of misnamed) this.#registry.removeSingleMetric(name);
    this.#registerGauges(sources);
    // Series exist from the start, so that a rate over the first event is a rate and not an absence.
    for (const { id } of sources.exceptions) this.#exceptions.labels(id);
    for (const cause of ['replayed', 'key_full', 'store_full']) this.#replayRefused.labels(cause);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The text exposition format of Prometheus. */
  render(): Promise<string> {
    return this.#registry.metrics();
  }

  request(record: RequestRecord): void {
    const route = record.route?.path ?? 'none';
    const reason =
      record.cause === undefined
        ? 'none'
        : record.cause instanceof Denial
          ? record.cause.reason
          : record.cause.code;
    const proof = record.proof ?? 'none';
    const labels = `${route} ${record.outcome} ${proof} ${reason}`;
    child(this.#requestChildren, labels, () =>
      this.#requests.labels(route, record.outcome, proof, reason),
    ).inc();
    child(this.#durationChildren, route, () => this.#duration.labels(route)).observe(
      record.durationMs / 1000,
    );
    if (record.gateMs !== undefined) this.#gate.observe(record.gateMs / 1000);
    if (record.upstreamMs !== undefined) {
      child(this.#upstreamChildren, route, () => this.#upstream.labels(route)).observe(
        record.upstreamMs / 1000,
      );
    }
    if (record.exception !== undefined && record.outcome !== 'refused')
      this.#exceptions.labels(record.exception).inc();
    this.#countReplay(reason);
  }

  tokenCache(result: 'hit' | 'miss' | 'stale'): void {
    child(this.#cacheChildren, result, () => this.#tokenCache.labels(result)).inc();
  }

  keysRefreshed(issuer: string, result: 'ok' | 'error'): void {
    this.#keysRefresh.labels(issuer, result).inc();
  }

  clockSteppedBack(): void {
    this.#clockStepBack.inc();
  }

  #countReplay(reason: string): void {
    if (reason === 'proof_replayed') this.#replayRefused.labels('replayed').inc();
    if (reason === 'proof_quota_exceeded') this.#replayRefused.labels('key_full').inc();
    if (reason === 'ERR_REPLAY_STORE_FULL') this.#replayRefused.labels('store_full').inc();
  }

  #registerGauges(sources: MetricSources): void {
    const { replay, configHash } = sources;
    this.#gauge('replay_entries', 'Live proofs in the replay store', [], (gauge) => gauge.set(replay.size));
    this.#gauge('replay_capacity', 'Live proofs that the replay store can hold', [], (gauge) =>
      gauge.set(replay.capacity),
    );
    this.#gauge(
      'issuer_keys_age_seconds',
      'Since the last good fetch of the key set',
      ['issuer'],
      (gauge) => {
        for (const { issuer, ageSeconds } of sources.issuers())
          if (ageSeconds !== undefined) gauge.labels(issuer).set(ageSeconds);
      },
    );
    this.#gauge('connections', 'Open connections', ['listener'], (gauge) => {
      for (const { listener, count } of sources.connections()) gauge.labels(listener).set(count);
    });
    this.#gauge(
      'exception_expiry_timestamp_seconds',
      'When an exception ends',
      ['exception', 'owner'],
      (gauge) => {
        for (const { id, owner, expiresAtMs } of sources.exceptions)
          gauge.labels(id, owner).set(expiresAtMs / 1000);
      },
    );
    this.#gauge(
      'certificate_expiry_timestamp_seconds',
      'When a certificate ends',
      ['certificate'],
      (gauge) => {
        for (const { name, expiresAtMs } of sources.certificates) gauge.labels(name).set(expiresAtMs / 1000);
      },
    );
    this.#gauge('config_info', 'The configuration in force', ['hash'], (gauge) =>
      gauge.labels(configHash).set(1),
    );
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name: `holdfast_${name}`, help, labelNames, registers: [this.#registry] });
  }

  #histogram(name: string, help: string, buckets: number[], labelNames: string[]): Histogram {
    return new Histogram({
      name: `holdfast_${name}`,
      help,
      buckets,
      labelNames,
      registers: [this.#registry],
    });
  }

  #gauge(name: string, help: string, labelNames: string[], read: (gauge: Gauge) => void): void {
    const gauge: Gauge = new Gauge({
      name: `holdfast_${name}`,
      help,
      labelNames,
      registers: [this.#registry],
      collect: () => read(gauge),
    });
  }
}

function child<T>(children: Map<string, T>, key: string, create: () => T): T {
  const known = children.get(key);
  if (known !== undefined) return known;
  const created = create();
  children.set(key, created);
  return created;
}
