import { forwarded, type HostileCase, lines, malformed, refused } from '../case.js';
import { nameOf, own, verified } from '../fields.js';

const withFields = (...fields: readonly string[]) =>
  lines('GET /public/a HTTP/1.1', 'Host: api.test', ...fields, '', '');
const withProof = (...fields: readonly string[]) =>
  lines('GET /protected/a HTTP/1.1', 'Host: api.test', '{{proof}}', ...fields, '', '');

/** What a client may nominate for removal, and what it may not. */
const nominations: readonly HostileCase[] = [
  ...[
    ['Connection: keep-alive, X-Gone', 'X-Gone: 1'],
    ['Connection: X-GONE', 'x-gone: 1'],
    ['Connection: , ,x-gone,, ', 'X-Gone: 1'],
    ['Connection: keep-alive', 'connection: x-gone', 'X-Gone: 1'],
    ['X-Gone: 1', 'Connection: x-gone'],
    ['Connection: \tx-gone\t', 'X-Gone: 1', 'X-Gone: 2'],
  ].map((fields) =>
    forwarded(`B01, trap H8: ${JSON.stringify(fields.join('; '))}`, withFields(...fields, 'X-Kept: 3'), {
      line: 'GET /public/a HTTP/1.1',
      lacks: ['x-gone'],
      fields: { ...own, 'x-kept': ['3'] },
    }),
  ),
  ...[
    'X-Auth-Subject, X-Auth-Proof',
    'Client-Cert, X-Auth-Client, X-Auth-Issuer, X-Auth-Key, X-Auth-Scope, X-Auth-Type',
    'Host',
    'Via, X-Request-Id',
    'X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host',
    'Authorization, DPoP',
    'Content-Length, Transfer-Encoding',
    'keep-alive, x-auth-subject, connection',
  ].map((options) =>
    forwarded(
      `B01, L01: CVE-2022-31813: what we write cannot be nominated away: ${options}`,
      withProof(`Connection: ${options}`, 'X-Auth-Subject: root'),
      { line: 'GET /protected/a HTTP/1.1', fields: verified },
    ),
  ),
  forwarded(
    'B01, A12: framing cannot be nominated away',
    lines(
      'POST /public/a HTTP/1.1',
      'Host: api.test',
      'Connection: Content-Length',
      'Content-Length: 5',
      '',
      'hello',
    ),
    { line: 'POST /public/a HTTP/1.1', body: 'hello', fields: { 'content-length': ['5'] } },
  ),
  forwarded(
    'B01, A12: nor can that of chunks',
    lines(
      'POST /public/a HTTP/1.1',
      'Host: api.test',
      'Connection: Transfer-Encoding',
      'Transfer-Encoding: chunked',
      '',
      '5',
      'hello',
      '0',
      '',
      '',
    ),
    { line: 'POST /public/a HTTP/1.1', body: 'hello', fields: { 'transfer-encoding': ['chunked'] } },
  ),
  forwarded(
    'B01: Connection: close is for us alone',
    withFields('Connection: close, X-Gone', 'X-Gone: 1'),
    { line: 'GET /public/a HTTP/1.1', lacks: ['x-gone'], fields: own },
    { closes: true },
  ),
  ...[
    'x-gone;q=1',
    '"x-gone"',
    'x-gone=1',
    'x gone/1',
    'close, (x-gone)',
    'x-gone\xa0',
    'a'.repeat(2000),
    `close${','.repeat(2000)}`,
  ].map((options) =>
    refused(
      `B01: no list of tokens: ${JSON.stringify(options.slice(0, 40))}`,
      withFields(`Connection: ${options}`, 'X-Gone: 1'),
      malformed,
    ),
  ),
];

/** What is meant for one connection only. */
const hopByHop: readonly HostileCase[] = [
  'Keep-Alive: timeout=5, max=1000',
  'Proxy-Connection: keep-alive',
  'TE: trailers',
  'TE: trailers, chunked',
  'Trailer: X-Auth-Subject',
  'Trailer: Content-Length',
  'Upgrade: h2c',
  'Proxy-Authorization: Basic YTpi',
  'Proxy-Authenticate: Basic',
  'Proxy-Authentication-Info: a',
  'HTTP2-Settings: AAMAAABkAAQAAP__',
].map((field) =>
  forwarded(`B02, trap H8, trap H3: ${field}`, withProof(field), {
    line: 'GET /protected/a HTTP/1.1',
    lacks: [nameOf(field)],
    fields: verified,
  }),
);

const proxyConnection: readonly HostileCase[] = [
  forwarded(
    'B02: Proxy-Connection: close',
    withProof('Proxy-Connection: close'),
    { line: 'GET /protected/a HTTP/1.1', lacks: ['proxy-connection'], fields: verified },
    { closes: true, because: 'the parser reads it as Connection, which does no harm' },
  ),
];

/** B01, B02: what is meant for one connection, and what a client may say that is. */
export const connectionFieldCases: readonly HostileCase[] = [...nominations, ...hopByHop, ...proxyConnection];
