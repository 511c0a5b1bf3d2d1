import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeRuntimeRisk, findUnsafeOption } from '#holdfast/cli/runtime.js';

const day = Date.parse('2026-11-24T00:00:00Z');

describe('S10: what is said about the release of Node', () => {
  const rows: readonly (readonly [version: string, today: number, said: RegExp | undefined])[] = [
    ['20.20.2', day, /no security fixes since 2026-04-30/],
    ['20.19.0', Date.parse('2026-04-30T12:00:00Z'), undefined],
    ['20.19.0', Date.parse('2026-05-01T00:00:00Z'), /since 2026-04-30/],
    ['21.7.3', day, /without long-term support/],
    ['22.22.9', day, /lacks security fixes of 22\.23\.0/],
    ['22.23.0', day, undefined],
    ['23.1.0', day, /without long-term support/],
    ['24.16.9', day, /lacks security fixes of 24\.17\.0/],
    ['24.17.0', day, undefined],
    ['24.18.0', day, undefined],
    ['24.20.0', day, undefined],
    ['24.21.0', day, /intermediate of a client certificate/],
    ['24.21.1', day, undefined],
    ['26.0.0', day, undefined],
    ['26.8.2', day, /intermediate of a client certificate/],
    ['26.9.0', day, undefined],
    ['28.0.0', day, undefined],
  ];
  for (const [version, today, said] of rows) {
    test(`${version} on ${new Date(today).toISOString().slice(0, 10)}: ${said ?? 'nothing'}`, () => {
      const risk = describeRuntimeRisk(version, today);
      if (said === undefined) assert.equal(risk, undefined);
      else assert.match(risk ?? '', said);
    });
  }
});

describe('A13: options of Node under which nothing is served', () => {
  for (const option of ['--insecure-http-parser', '--insecure_http_parser', '--insecure-http-parser=true']) {
    test(option, () => assert.match(findUnsafeOption(['--no-deprecation', option]) ?? '', /malformed HTTP/));
  }
  for (const option of [
    '--insecure-http-parser=false',
    '--no-insecure-http-parser',
    '--max-http-header-size=1',
    '',
  ]) {
    test(`twin: ${option}`, () => assert.equal(findUnsafeOption([option]), undefined));
  }
});
