import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { Distribution, Tally } from '#holdfast/observability/series.js';

test('DESIGN 6: a tally is a counter with the series that were made, from zero', async () => {
  const registry = new Registry();
  const tally = new Tally({ name: 'things_total', help: 'Things', labelNames: ['kind'], registry });
  const odd = tally.series({ kind: 'o"dd' });
  tally.series({ kind: 'even' });
  odd.value += 3;
  assert.equal(
    (await registry.metrics()).trim(),
    [
      '# HELP things_total Things',
      '# TYPE things_total counter',
      'things_total{kind="o\\"dd"} 3',
      'things_total{kind="even"} 0',
    ].join('\n'),
  );
});

test('DESIGN 6: a distribution is a histogram with cumulative buckets, bounds included', async () => {
  const registry = new Registry();
  const options = { name: 'wait_seconds', help: 'Waits', labelNames: ['route'], registry };
  const series = new Distribution(options, [0.1, 1]).series({ route: '/a' });
  for (const seconds of [0.1, 0.5, 1, 7]) series.observe(seconds);
  const expected = [
    '# HELP wait_seconds Waits',
    '# TYPE wait_seconds histogram',
    'wait_seconds_bucket{le="0.1",route="/a"} 1',
    'wait_seconds_bucket{le="1",route="/a"} 3',
    'wait_seconds_bucket{le="+Inf",route="/a"} 4',
    'wait_seconds_sum{route="/a"} 8.6',
    'wait_seconds_count{route="/a"} 4',
  ];
  assert.deepEqual((await registry.metrics()).trim().split('\n'), expected);
  const [json] = await registry.getMetricsAsJSON();
  assert.equal(json?.values.length, 5);
});
