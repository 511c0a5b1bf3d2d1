import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { Denial } from '../denial/denial.js';
import { BoundsMetrics } from './bounds-metrics.js';
import type { RequestRecord } from './request-record.js';
import { type Count, Distribution, type Observations, Tally } from './series.js';

/** Values that are read when somebody asks, rather than kept up to date. */
export interface MetricSources {
  readonly configHash: string;
  readonly replay: { readonly size: number; readonly capacity: number };
  readonly issuers: () => readonly { readonly issuer: string; readonly ageSeconds: number | undefined }[];
  readonly connections: () => readonly { readonly listener: string; readonly count: number }[];
  /** requests at the service and waiting for a place there, of those whom a token names and of everybody else */
  readonly places: (caller: 'client' | 'stranger') => { readonly inFlight: number; readonly waiting: number };
  readonly exceptions: readonly {
    readonly id: string;
    readonly owner: string;
    readonly expiresAtMs: number;
  }[];
  readonly certificates: () => readonly { readonly name: string; readonly expiresAtMs: number }[];
  /** by which the wall clock is ahead of the time that is reckoned with */
  readonly clockOffsetSeconds: () => number;
  /** of the last reload; undefined: none yet */
  readonly reload: () => 'ok' | 'error' | undefined;
  /** that could not be written, since the start */
  readonly lostLogLines: () => number;
}

const secondsBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const gateBounds = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 1];

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
  readonly bounds = new BoundsMetrics(this.#registry);
  readonly #requests = this.#tally('requests_total', 'Requests by what became of them', [
    'route',
    'outcome',
    'proof',
    'reason',
  ]);
  readonly #duration = this.#distribution(
    'request_duration_seconds',
    'From the head of the request to the end of the answer',
    { bounds: secondsBounds, labelNames: ['route'] },
  );
  readonly #gate = this.#distribution(
    'gate_duration_seconds',
    'From the head of the request to the verdict',
    { bounds: gateBounds, labelNames: [] },
  ).series({});
  readonly #upstream = this.#distribution(
    'upstream_duration_seconds',
    'From sending the request to the head of the answer',
    { bounds: secondsBounds, labelNames: ['route'] },
  );
  readonly #replayRefused = this.#tally('replay_refused_total', 'Proofs that the replay store refused', [
    'cause',
  ]);
  readonly #tokenCache = this.#tally('token_cache_total', 'Look-ups of verified tokens', ['result']);
  readonly #keysRefresh = this.#tally('issuer_keys_refresh_total', 'Fetches of key sets', [
    'issuer',
    'result',
  ]);
  readonly #exceptions = this.#tally('exception_requests_total', 'Requests that passed under an exception', [
    'exception',
  ]);
  readonly #configReload = this.#tally('config_reload_total', 'Times that changed files were read again', [
    'result',
  ]);
  readonly #clockSteps = {
    back: this.#tally('clock_step_back_total', 'Times that the wall clock was set back', []).series({}),
    forward: this.#tally('clock_step_forward_total', 'Times that the wall clock jumped ahead', []).series({}),
  };
  readonly #streamsEnded = this.#tally(
    'streams_ended_total',
    'Answers and WebSockets that were ended because of their age or silence',
    ['route', 'reason'],
  );
  /** the series that exist, by their label values; as many as routes, reasons, issuers and exceptions allow */
  readonly #counts = new Map<string, Count>();
  readonly #routes = new Map<string, { readonly duration: Observations; readonly upstream: Observations }>();

  constructor(sources: MetricSources) {
    collectDefaultMetrics({ register: this.#registry });
    for (const name of misnamed) this.#registry.removeSingleMetric(name);
    this.#registerGauges(sources);
    this.#registerLostLines(sources);
    // Series exist from the start, so that a rate over the first event is a rate and not an absence.
    for (const { id } of sources.exceptions) this.#countException(id, 0);
    for (const cause of Object.values(replayCauses)) this.#countReplay(cause, 0);
    this.configReloaded('ok', 0);
    this.configReloaded('error', 0);
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
    const { outcome, proof = 'none', cause } = record;
    const reason = reasonOf(record);
    this.#count(`r ${outcome} ${proof} ${reason} ${route}`, () =>
      this.#requests.series({ route, outcome, proof, reason }),
    );
    const { duration, upstream } = this.#route(route);
    // How long a WebSocket was open says nothing about how fast anything is.
    if (record.status !== 101) duration.observe(record.durationMs / 1000);
    if (record.gateMs !== undefined) this.#gate.observe(record.gateMs / 1000);
    if (record.upstreamMs !== undefined) upstream.observe(record.upstreamMs / 1000);
    if (record.exception !== undefined && outcome !== 'refused') this.#countException(record.exception);
    if (cause instanceof Denial && cause.entry.endsStream)
      this.#count(`s ${reason} ${route}`, () => this.#streamsEnded.series({ route, reason }));
    const refused = replayCauses[reason];
    if (refused !== undefined) this.#countReplay(refused);
  }

  tokenCache(result: 'hit' | 'miss' | 'stale'): void {
    this.#count(result, () => this.#tokenCache.series({ result }));
  }

  keysRefreshed(issuer: string, result: 'ok' | 'error'): void {
    this.#count(`k ${result} ${issuer}`, () => this.#keysRefresh.series({ issuer, result }));
  }

  configReloaded(result: 'ok' | 'error', by = 1): void {
    this.#count(`c ${result}`, () => this.#configReload.series({ result }), by);
  }

  clockStepped(direction: 'back' | 'forward'): void {
    this.#clockSteps[direction].value++;
  }

  #countException(exception: string, by = 1): void {
    this.#count(`e ${exception}`, () => this.#exceptions.series({ exception }), by);
  }

  #countReplay(cause: string, by = 1): void {
    this.#count(`p ${cause}`, () => this.#replayRefused.series({ cause }), by);
  }

  #count(key: string, create: () => Count, by = 1): void {
    let count = this.#counts.get(key);
    if (count === undefined) {
      count = create();
      this.#counts.set(key, count);
    }
    count.value += by;
  }

  #route(route: string): { readonly duration: Observations; readonly upstream: Observations } {
    let series = this.#routes.get(route);
    if (series === undefined) {
      series = { duration: this.#duration.series({ route }), upstream: this.#upstream.series({ route }) };
      this.#routes.set(route, series);
    }
    return series;
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
    this.#gauge('requests_in_flight', 'Requests at the service', ['caller'], (gauge) => {
      for (const caller of callers) gauge.labels(caller).set(sources.places(caller).inFlight);
    });
    this.#gauge('requests_waiting', 'Requests that wait for a place there', ['caller'], (gauge) => {
      for (const caller of callers) gauge.labels(caller).set(sources.places(caller).waiting);
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
      'When a certificate, or a list of revoked ones, ends',
      ['certificate'],
      (gauge) => {
        gauge.reset(); // lists come and go
        for (const { name, expiresAtMs } of sources.certificates())
          gauge.labels(name).set(expiresAtMs / 1000);
      },
    );
    this.#gauge(
      'config_last_reload_successful',
      'Whether the files that were read last are in force',
      [],
      (gauge) => gauge.set(sources.reload() === 'error' ? 0 : 1),
    );
    this.#gauge(
      'clock_offset_seconds',
      'How far the wall clock is ahead of the time that begins and remembers',
      [],
      (gauge) => gauge.set(sources.clockOffsetSeconds()),
    );
    this.#gauge('config_info', 'The configuration in force', ['hash'], (gauge) =>
      gauge.labels(configHash).set(1),
    );
  }

  #registerLostLines({ lostLogLines }: MetricSources): void {
    const counter = new Counter({
      name: 'holdfast_log_lines_lost_total',
      help: 'Lines of the log that could not be written',
      registers: [this.#registry],
      collect: () => {
        counter.reset();
        counter.inc(lostLogLines());
      },
    });
  }

  #tally(name: string, help: string, labelNames: string[]): Tally {
    return new Tally({ name: `holdfast_${name}`, help, labelNames, registry: this.#registry });
  }

  #distribution(
    name: string,
    help: string,
    { bounds, labelNames }: { bounds: readonly number[]; labelNames: string[] },
  ): Distribution {
    return new Distribution({ name: `holdfast_${name}`, help, labelNames, registry: this.#registry }, bounds);
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

const callers = ['client', 'stranger'] as const;

const replayCauses: Readonly<Record<string, string>> = {
  proof_replayed: 'replayed',
  proof_quota_exceeded: 'key_full',
  proof_client_quota_exceeded: 'client_full',
  ERR_REPLAY_STORE_FULL: 'store_full',
};

function reasonOf({ cause }: RequestRecord): string {
  if (cause === undefined) return 'none';
  return cause instanceof Denial ? cause.reason : cause.code;
}
