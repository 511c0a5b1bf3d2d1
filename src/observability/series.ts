import { Counter, Histogram, type Registry } from 'prom-client';

export interface SeriesOptions {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly registry: Registry;
}

type Labels = Readonly<Record<string, string>>;

/** One series of a `Tally`. */
export interface Count {
  value: number;
}

/**
 * A counter whose series are added to where they are kept. prom-client builds and hashes the labels on every call, which
 * on the request path cost as much as the forwarding itself; here it sees them when somebody asks.
 */
export class Tally extends Counter {
  readonly #series: { readonly labels: Labels; readonly count: Count }[] = [];

  constructor({ name, help, labelNames, registry }: SeriesOptions) {
    super({ name, help, labelNames: [...labelNames], registers: [registry] });
  }

  /** A series with these labels, from zero. To be kept: each call makes one. */
  series(labels: Labels): Count {
    const count = { value: 0 };
    this.#series.push({ labels, count });
    return count;
  }

  override async get(): Promise<Awaited<ReturnType<Counter['get']>>> {
    const metric = await super.get();
    return { ...metric, values: this.#series.map(({ labels, count }) => ({ labels, value: count.value })) };
  }
}

/** One series of a `Distribution`. */
export interface Observations {
  observe(seconds: number): void;
}

interface RenderedValue {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  /** prom-client keeps labels that values have in common apart */
  readonly sharedLabels: Labels;
  readonly value: number;
}

interface RenderedHistogram {
  readonly name: string;
  readonly help: string;
  readonly type: 'histogram';
  readonly aggregator: 'sum';
  readonly values: readonly RenderedValue[];
}

interface Buckets {
  readonly labels: Labels;
  /** observations up to each bound and above the one before; the last beyond all bounds */
  readonly counts: number[];
  sum: number;
}

/** A histogram of which the same is true. */
export class Distribution extends Histogram {
  readonly #name: string;
  readonly #help: string;
  readonly #bounds: readonly number[];
  readonly #series: Buckets[] = [];

  constructor({ name, help, labelNames, registry }: SeriesOptions, bounds: readonly number[]) {
    super({ name, help, labelNames: [...labelNames], buckets: [...bounds], registers: [registry] });
    this.#name = name;
    this.#help = help;
    this.#bounds = bounds;
  }

  /** A series with these labels, empty. To be kept: each call makes one. */
  series(labels: Labels): Observations {
    const bounds = this.#bounds;
    const series: Buckets = { labels, counts: new Array(bounds.length + 1).fill(0), sum: 0 };
    this.#series.push(series);
    return {
      observe(seconds) {
        let at = 0;
        while (at < bounds.length && seconds > (bounds[at] ?? 0)) at++;
        series.counts[at] = (series.counts[at] ?? 0) + 1;
        series.sum += seconds;
      },
    };
  }

  /** What the registry and `get` of prom-client ask a histogram for. */
  async getForPromString(): Promise<RenderedHistogram> {
    return {
      name: this.#name,
      help: this.#help,
      type: 'histogram',
      aggregator: 'sum',
      values: this.#series.flatMap((series) => this.#render(series)),
    };
  }

  #render({ labels, counts, sum }: Buckets): RenderedValue[] {
    let total = 0;
    const buckets = counts.map((count, at) => {
      total += count;
      const le = this.#bounds[at] ?? '+Inf';
      return { metricName: `${this.#name}_bucket`, labels: { le }, sharedLabels: labels, value: total };
    });
    return [
      ...buckets,
      { metricName: `${this.#name}_sum`, labels: {}, sharedLabels: labels, value: sum },
      { metricName: `${this.#name}_count`, labels: {}, sharedLabels: labels, value: total },
    ];
  }
}
