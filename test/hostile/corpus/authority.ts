import {
  forwarded,
  type HostileCase,
  hostInvalid,
  hostNotServed,
  lines,
  malformed,
  refused,
} from '../case.js';

const withHost = (...fields: readonly string[]) => lines('GET /public/a HTTP/1.1', ...fields, '', '');

const several: readonly HostileCase[] = [
  refused('A01: no Host', withHost('X-A: b'), hostInvalid),
  refused('A01: no Host in HTTP/1.0', lines('GET /public/a HTTP/1.0', '', ''), hostInvalid),
  refused(
    'A01: no Host before a protected path and a proof',
    lines('GET /protected/a HTTP/1.1', '{{proof}}', '', ''),
    hostInvalid,
  ),
  ...[
    ['Host: api.test', 'Host: api.test'],
    ['Host: api.test', 'Host: other.test'],
    ['Host: other.test', 'Host: api.test'],
    ['Host: api.test', 'host: api.test'],
    ['Host: api.test', 'HOST:'],
    ['Host: api.test', 'X-A: b', 'Host: api.test'],
    ['Host: api.test', 'Host: api.test', 'Host: api.test'],
  ].map((fields) =>
    refused(
      `A01, trap H12, trap Node: two Host lines: ${fields.join(' and ')}`,
      withHost(...fields),
      hostInvalid,
    ),
  ),
  ...['Host : api.test', ' Host: api.test', 'Host\t: api.test', 'Host\0: api.test', 'Host'].map((line) =>
    refused(`A01, A13: ${JSON.stringify(line)}`, withHost(line), malformed),
  ),
  refused('A01, A13: a Host that is folded', withHost('Host: api.test', ' .other.test'), malformed),
  refused('A01, A14: the twin H_o_s_t of Host', withHost('Host: api.test', 'H_o_s_t: other.test'), {
    status: 400,
    reason: 'header_name_refused',
  }),
];

/** What Node takes, and parsers of URLs repair. */
const ungrammatical: readonly HostileCase[] = [
  '',
  'api.test/public',
  'api.test/',
  'api.test?',
  'api.test?a',
  'api.test#',
  'api.test#a',
  'api.test\\',
  'api.test\\@other.test',
  'other.test@api.test',
  '@api.test',
  'api.test@other.test',
  'api.test, other.test',
  'api.test,',
  'api.test other.test',
  'api.test\tother.test',
  'http://api.test',
  '//api.test',
  'api.test:',
  'api.test:0',
  'api.test:080',
  'api.test:00080',
  'api.test:65536',
  'api.test:99999',
  'api.test:+80',
  'api.test:80x',
  'api.test:80:80',
  'api.test: 80',
  '[::1',
  '::1',
  '[api.test]',
  '[::1]x',
  '[::1%25lo]',
  '%61pi.test',
  'api%2etest',
  'api.test%00',
  'api.test;x',
  '"api.test"',
  'api!test',
  '\xe4pi.test',
  'api\xad.test',
  'api.test\xa0',
].map((value) =>
  refused(`A02, N05, trap Node: Host: ${JSON.stringify(value)}`, withHost(`Host: ${value}`), hostInvalid),
);

const otherHosts: readonly HostileCase[] = [
  'other.test',
  'api.test.other.test',
  'xapi.test',
  'api.testx',
  'api.test.',
  'api.test..',
  '.api.test',
  'api.test:443',
  'api.test:8080',
  'api.test:8',
  'api_test',
  'api-test',
  'xn--pi-7fa.test',
  'localhost',
  '127.0.0.1',
  '127.1',
  '0x7f.1',
  '0177.0.0.1',
  '2130706433',
  '[::1]',
  '[::ffff:127.0.0.1]',
  '-',
].map((value) =>
  refused(`A03, N05, N06: Host: ${value} is not repaired`, withHost(`Host: ${value}`), hostNotServed, {
    closes: false,
  }),
);

const accepted: readonly HostileCase[] = [
  'api.test',
  'API.Test',
  'api.test:80',
  'Api.Test:80',
  ' api.test\t',
].map((value) =>
  forwarded(`A01, A02, N01, B07: twin: Host: ${JSON.stringify(value)}`, withHost(`Host: ${value}`), {
    line: 'GET /public/a HTTP/1.1',
    fields: { host: ['api.test'], 'x-forwarded-host': ['api.test'] },
  }),
);

const versions: readonly HostileCase[] = [
  forwarded(
    'A01, A22: twin: HTTP/1.0 with one Host',
    lines('GET /public/a HTTP/1.0', 'Host: api.test', '', ''),
    { line: 'GET /public/a HTTP/1.1', fields: { via: /^1\.0 / } },
    { closes: true },
  ),
];

/** A01-A03, N01, N05, N06: whom a request addresses. A04 has no case: one listener has one certificate and one trust. */
export const authorityCases: readonly HostileCase[] = [
  ...several,
  ...ungrammatical,
  ...otherHosts,
  ...accepted,
  ...versions,
];
