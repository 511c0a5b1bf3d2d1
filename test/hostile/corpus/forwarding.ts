import { forwarded, type HostileCase, lines, refused } from '../case.js';
import { nameOf, own, verified } from '../fields.js';

const withFields = (...fields: readonly string[]) =>
  lines('GET /public/a HTTP/1.1', 'Host: api.test', ...fields, '', '');
const withProof = (...fields: readonly string[]) =>
  lines('GET /protected/a HTTP/1.1', 'Host: api.test', '{{proof}}', ...fields, '', '');

/** What only a front proxy may say, and what method or path a service may take from a field. */
const spoken: readonly HostileCase[] = [
  'Forwarded: for=6.6.6.6;host=other.test;proto=https',
  'X-Forwarded: for=6.6.6.6',
  'Forwarded-For: 6.6.6.6',
  'X-Forward-For: 6.6.6.6',
  'X-Forwarded-Port: 443',
  'X-Forwarded-Uri: /protected',
  'X-Forwarded-Path: /protected',
  'X-Forwarded-Prefix: /protected',
  'X-Forwarded-Method: DELETE',
  'X-Forwarded-Server: other.test',
  'X-Forwarded-Ssl: on',
  'X-Forwarded-Scheme: https',
  'X-Forwarded-User: root',
  'X-Forwarded-Email: root@other.test',
  'X-Forwarded-Groups: admin',
  'X-Forwarded-Access-Token: x',
  'X-Forwarded-Client-Cert: Hash=a',
  'X-Forwarded-Never-Thought-Of: 1',
  'X-Real-IP: 6.6.6.6',
  'X-Client-IP: 6.6.6.6',
  'X-Cluster-Client-IP: 6.6.6.6',
  'True-Client-IP: 6.6.6.6',
  'CF-Connecting-IP: 6.6.6.6',
  'Fastly-Client-IP: 6.6.6.6',
  'Client-IP: 6.6.6.6',
  'X-Originating-IP: 6.6.6.6',
  'X-Original-URL: /protected',
  'X-Original-URI: /protected',
  'X-Original-Host: other.test',
  'X-Original-Method: DELETE',
  'X-Original-Never-Thought-Of: 1',
  'X-Rewrite-URL: /protected',
  'X-Host: other.test',
  'X-HTTP-Host-Override: other.test',
  'X-Scheme: https',
  'Front-End-Https: on',
  'Proxy: http://other.test',
  'Client-Cert: :AAAA:',
  'Client-Cert-Chain: :AAAA:',
  'X-Client-Cert: a',
  'X-SSL-Client-Cert: a',
  'X-SSL-Client-Verify: SUCCESS',
  'SSL-Client-Verify: SUCCESS',
  'X-Amzn-Mtls-Clientcert: a',
  'X-ARR-ClientCert: a',
  'X-Envoy-Original-Path: /protected',
].map((field) =>
  forwarded(`B08, trap H13: ${field}`, withFields(field, field.toLowerCase()), {
    line: 'GET /public/a HTTP/1.1',
    lacks: [nameOf(field)],
    fields: own,
  }),
);

const overwritten: readonly HostileCase[] = [
  'X-Forwarded-For: 6.6.6.6',
  'X-Forwarded-For: 127.0.0.1, 6.6.6.6',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Host: other.test',
  'X-Request-Id: mine',
  'x-forwarded-for: 6.6.6.6\r\nX-Forwarded-For: 7.7.7.7',
].map((field) =>
  forwarded(`B08, trap H13: ${JSON.stringify(field)} is written anew`, withFields(field), {
    line: 'GET /public/a HTTP/1.1',
    fields: own,
  }),
);

const overrides: readonly HostileCase[] = [
  'X-HTTP-Method: DELETE',
  'X-HTTP-Method-Override: DELETE',
  'X-Method-Override: DELETE',
  'x-http-method-override: PUT',
].map((field) =>
  forwarded(
    `A21: ${field}`,
    lines('POST /public/a HTTP/1.1', 'Host: api.test', field, 'Content-Length: 5', '', 'hello'),
    { line: 'POST /public/a HTTP/1.1', body: 'hello', lacks: [nameOf(field)] },
  ),
);

const identity: readonly HostileCase[] = [
  'X-Auth-Subject: root',
  'x-auth-subject: root',
  'X-AUTH-SUBJECT: root\r\nX-Auth-Proof: mtls',
].flatMap((field) => [
  forwarded(`B01, L01, trap H1: ${JSON.stringify(field)} is ours to write`, withProof(field), {
    line: 'GET /protected/a HTTP/1.1',
    fields: verified,
  }),
  forwarded(`B01, L01: ${JSON.stringify(field)} on a public route`, withFields(field), {
    line: 'GET /public/a HTTP/1.1',
    lacks: ['x-auth-subject'],
  }),
]);

const via: readonly HostileCase[] = [
  ...[
    'Via: 1.1 {{via}}',
    'Via: 1.0 fred, 1.1 {{via}}',
    'Via: HTTP/1.1 {{via}} (x), 1.1 b',
    'via: 1.1 a\r\nVia: 1.1 {{via}}',
  ].map((field) =>
    refused(
      `B04: a loop: ${JSON.stringify(field)}`,
      withFields(field),
      { status: [508, 400], reason: 'loop_detected' },
      { closes: false },
    ),
  ),
  ...[
    'Via: 1.0 fred',
    'Via: 1.1 holdfast-00000000',
    'Via: 1.1 x{{via}}',
    'Via: 1.0 fred\r\nVia: 1.1 wilma',
  ].map((field) =>
    forwarded(`B04: twin: ${JSON.stringify(field)}`, withFields(field), {
      line: 'GET /public/a HTTP/1.1',
      fields: { via: /^1\.[01] \S+, (?:.*, )?1\.1 holdfast-[0-9a-f]{8}$/ },
    }),
  ),
];

const hops: readonly HostileCase[] = [
  {
    title: 'B05: Max-Forwards: 0 on OPTIONS is answered here',
    bytes: lines('OPTIONS /public/a HTTP/1.1', 'Host: api.test', 'Max-Forwards: 0', '', ''),
    answers: [{ status: [200, 204] }],
    saw: [],
    closes: false,
  },
  refused(
    'B05: and only behind the gate',
    lines('OPTIONS /protected/a HTTP/1.1', 'Host: api.test', 'Max-Forwards: 0', '', ''),
    { status: 401 },
    { closes: false },
  ),
  ...[
    { method: 'OPTIONS', value: '5', left: ['4'] },
    { method: 'OPTIONS', value: '1', left: ['0'] },
    { method: 'OPTIONS', value: '-1', left: [] },
    { method: 'OPTIONS', value: '99999999999', left: [] },
    { method: 'OPTIONS', value: 'x', left: [] },
    { method: 'GET', value: '0', left: [] },
    { method: 'POST', value: '0', left: [] },
  ].map(({ method, value, left }) =>
    forwarded(
      `B05: ${method} with Max-Forwards: ${value}`,
      lines(`${method} /public/a HTTP/1.1`, 'Host: api.test', `Max-Forwards: ${value}`, '', ''),
      { line: `${method} /public/a HTTP/1.1`, fields: { 'max-forwards': left } },
    ),
  ),
];

/** A21, B04, B05, B08: which fields the service gets, and from whom. */
export const forwardingCases: readonly HostileCase[] = [
  ...spoken,
  ...overwritten,
  ...overrides,
  ...identity,
  ...via,
  ...hops,
];
