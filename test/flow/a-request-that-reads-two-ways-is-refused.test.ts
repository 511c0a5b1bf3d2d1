import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Guarded } from '../support/guarded.js';

let guarded: Guarded;
before(async () => {
  guarded = await Guarded.start({
    config: { listen: { origins: ['http://api.test', 'http://127.0.0.1:8080'] } },
  });
});
after(() => guarded.stop());

interface Case {
  readonly title: string;
  /** in place of `GET /a HTTP/1.1` */
  readonly line?: string;
  /** in place of the Host line */
  readonly host?: readonly string[];
  readonly headers?: readonly string[];
  readonly body?: string;
  readonly status: number;
  readonly reason: string;
  /** an answer to a well-formed message leaves the connection open */
  readonly open?: true;
}

/** A request with credentials that would pass: nothing but what is written in the case is wrong with it. */
function write({
  line = 'GET /a HTTP/1.1',
  host = ['Host: api.test'],
  headers = [],
  body = '',
}: Omit<Case, 'title' | 'status' | 'reason'>): string {
  const [method = '', target = ''] = line.split(' ');
  return [
    line,
    ...host,
    ...guarded.credentials(method, target.split('?')[0] ?? ''),
    ...headers,
    '',
    body,
  ].join('\r\n');
}

const host = { status: 400, reason: 'host_invalid' };
const target = { status: 400, reason: 'target_invalid' };
const framing = { status: 400, reason: 'framing_invalid' };
const malformed = { status: 400, reason: 'request_malformed' };
const post = 'POST /a HTTP/1.1';
const chunked = '2\r\nhi\r\n0\r\n\r\n';

const refused: readonly Case[] = [
  { title: 'A01, trap Node: two Host lines', host: ['Host: api.test', 'Host: api.test'], ...host },
  { title: 'A01: no Host', host: [], ...host },
  { title: 'A01: no Host in HTTP/1.0', line: 'GET /a HTTP/1.0', host: [], ...host },
  ...[
    'api.test/pay',
    'api.test?',
    'api.test#',
    'a@api.test',
    'a, b',
    '',
    'api.test:99999',
    'api.test:0',
    'api.test:',
    'api.test:080',
    'api test',
    'api.test\\',
    '[::1',
  ].map((value) => ({ title: `A02, trap Node: Host: ${value}`, host: [`Host: ${value}`], ...host })),
  {
    title: 'A03: a Host that is not served',
    host: ['Host: other.test'],
    status: 421,
    reason: 'host_not_served',
    open: true,
  },
  ...['127.1:8080', '0x7f.1:8080', '2130706433:8080', '127.0.0.1', 'api.test.', 'xn--pi-7fa.test'].map(
    (value): Case => ({
      title: `N06, trap Node: new URL() does not repair Host: ${value}`,
      host: [`Host: ${value}`],
      status: 421,
      reason: 'host_not_served',
      open: true,
    }),
  ),
  { title: 'N05: a Host outside ASCII', host: ['Host: \xe4pi.test'], ...host },
  { title: 'N06: a port with a leading zero', host: ['Host: 127.0.0.1:08080'], ...host },
  { title: 'A05: absolute-form, trap H11', line: 'GET http://evil.test/a HTTP/1.1', ...target },
  { title: 'A05: absolute-form for our own authority', line: 'GET http://api.test/a HTTP/1.1', ...target },
  {
    title: 'A06: OPTIONS *',
    line: 'OPTIONS * HTTP/1.1',
    status: 405,
    reason: 'method_not_allowed',
    open: true,
  },
  { title: 'A06: GET *', line: 'GET * HTTP/1.1', ...target },
  { title: 'A07, trap Node: # in the target', line: 'GET /a#b HTTP/1.1', ...target },
  { title: 'A07, trap Node: a backslash in the target', line: 'GET /a\\b HTTP/1.1', ...target },
  { title: 'A07: a control character', line: 'GET /a\x01b HTTP/1.1', ...malformed },
  { title: 'A07: DEL', line: 'GET /a\x7fb HTTP/1.1', ...malformed },
  { title: 'A07: a byte above 0x7f', line: 'GET /a\xe4 HTTP/1.1', ...malformed },
  { title: 'A07: a space in the target', line: 'GET /a b HTTP/1.1', ...malformed },
  { title: 'A07: a tab in the target', line: 'GET /a\tb HTTP/1.1', ...malformed },
  {
    title: 'A08: Transfer-Encoding and Content-Length',
    line: post,
    headers: ['Transfer-Encoding: chunked', 'Content-Length: 2'],
    body: chunked,
    ...malformed,
  },
  {
    title: 'A08: Content-Length and Transfer-Encoding',
    line: post,
    headers: ['Content-Length: 2', 'Transfer-Encoding: chunked'],
    body: chunked,
    ...malformed,
  },
  {
    title: 'A09, trap H14, trap Node: Transfer-Encoding in HTTP/1.0',
    line: 'POST /a HTTP/1.0',
    headers: ['Transfer-Encoding: chunked'],
    body: chunked,
    ...framing,
  },
  ...['gzip, chunked', 'x, chunked', ',chunked', 'chunked;q=1', 'xchunked', 'identity'].map(
    (coding): Case => ({
      title: `A10, trap H14, trap Node: Transfer-Encoding: ${coding}`,
      line: post,
      headers: [`Transfer-Encoding: ${coding}`],
      body: chunked,
      status: 501,
      reason: 'transfer_coding_unsupported',
    }),
  ),
  ...['chunked, chunked', 'chunked, identity'].map(
    (coding): Case => ({
      title: `A10: Transfer-Encoding: ${coding}`,
      line: post,
      headers: [`Transfer-Encoding: ${coding}`],
      body: chunked,
      ...malformed,
    }),
  ),
  {
    title: 'A10: two Transfer-Encoding lines',
    line: post,
    headers: ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
    body: chunked,
    ...malformed,
  },
  ...['+2', '1_0', '2, 2', '0x2', '-2', '2.0', '2 2', ''].map(
    (value): Case => ({
      title: `A11: Content-Length: ${value}`,
      line: post,
      headers: [`Content-Length: ${value}`],
      body: 'hi',
      ...malformed,
    }),
  ),
  {
    title: 'A11: two Content-Length lines',
    line: post,
    headers: ['Content-Length: 2', 'Content-Length: 2'],
    body: 'hi',
    ...malformed,
  },
  { title: 'A11, trap Node: Content-Length: 00', line: post, headers: ['Content-Length: 00'], ...framing },
  { title: 'A11: Content-Length: 02', line: post, headers: ['Content-Length: 02'], body: 'hi', ...framing },
  { title: 'A13: obs-fold', headers: ['X-A: b', ' c'], ...malformed },
  { title: 'A13: obs-fold with a tab', headers: ['X-A: b', '\tc'], ...malformed },
  { title: 'A13: white space before the colon', headers: ['X-A : b'], ...malformed },
  { title: 'A13: NUL in a value', headers: ['X-A: b\0c'], ...malformed },
  { title: 'A13: bare CR in a value', headers: ['X-A: b\rc'], ...malformed },
  { title: 'A13: bare LF between lines', headers: ['X-A: b\nX-B: c'], ...malformed },
  { title: 'A13: a line without colon', headers: ['X-A'], ...malformed },
  { title: 'A13: an empty name', headers: [': b'], ...malformed },
  { title: 'A13: a space before the first field', host: [' Host: api.test'], ...malformed },
  ...[
    'X_Auth_Subject: a',
    'Transfer_Encoding: chunked',
    'DPoP_: x',
    'x_forwarded_for: a',
    'X.Auth.Subject: a',
    'Content_Length: 2',
    'Client_Cert: a',
  ].map(
    (line): Case => ({
      title: `A14, trap H12: ${line}`,
      headers: [line],
      status: 400,
      reason: 'header_name_refused',
    }),
  ),
  { title: 'A20: TRACE', line: 'TRACE /a HTTP/1.1', status: 405, reason: 'method_not_allowed', open: true },
  { title: 'A20: CONNECT', line: 'CONNECT api.test:80 HTTP/1.1', status: 405, reason: 'method_not_allowed' },
  { title: 'A20: a method in lower case', line: 'get /a HTTP/1.1', ...malformed },
  { title: 'A20: an unknown method', line: 'FETCH /a HTTP/1.1', ...malformed },
  { title: 'A22: the preface of HTTP/2, trap H24', line: 'PRI * HTTP/2.0', host: [], ...malformed },
  {
    title: 'A22: HTTP/2.0 in a request line, trap H24',
    line: 'GET /a HTTP/2.0',
    status: 400,
    reason: 'http_version_refused',
  },
  { title: 'A22: HTTP/1.2', line: 'GET /a HTTP/1.2', ...malformed },
  { title: 'A22: HTTP/0.9', line: 'GET /a HTTP/0.9', status: 400, reason: 'http_version_refused' },
  {
    title: 'A23: Upgrade: h2c',
    headers: ['Connection: Upgrade', 'Upgrade: h2c'],
    status: 501,
    reason: 'upgrade_unsupported',
  },
  {
    title: 'A23: Upgrade: h2c with settings',
    headers: ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'],
    status: 501,
    reason: 'upgrade_unsupported',
  },
  {
    title: 'A23: Upgrade: websocket, h2c',
    headers: ['Connection: upgrade', 'Upgrade: websocket, h2c'],
    status: 400,
    reason: 'upgrade_invalid',
  },
  {
    title: 'A23: two Upgrade lines',
    headers: ['Connection: upgrade', 'Upgrade: websocket', 'Upgrade: websocket'],
    status: 400,
    reason: 'upgrade_invalid',
  },
  {
    title: 'A23: Upgrade: websocket where none is allowed',
    headers: [
      'Connection: keep-alive, Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    ],
    status: 400,
    reason: 'upgrade_not_allowed',
  },
  { title: 'A24: an unknown expectation', headers: ['Expect: x'], status: 417, reason: 'expectation_failed' },
  ...[
    '/a/../b',
    '/a/./b',
    '/..',
    '/.',
    '/a/..;x/b',
    '/a/%2e%2E/b',
    '/a/%2e/b',
    '/a/%2e.;x=1/b',
    '/a/%2E',
  ].map(
    (path): Case => ({
      title: `N03: ${path}`,
      line: `GET ${path} HTTP/1.1`,
      status: 400,
      reason: 'path_ambiguous',
    }),
  ),
  ...['/a/%252e%252e/b', '/a%2fb', '/a%5c..%5cb', '/%c0%ae/'].map(
    (path): Case => ({
      title: `N02, N03: ${path}`,
      line: `GET ${path} HTTP/1.1`,
      status: 400,
      reason: 'path_ambiguous',
    }),
  ),
  ...['/a%00', '/a%0d%0aX', '/a%', '/a%4', '/a%zz', '/a%7F'].map(
    (path): Case => ({ title: `N02: ${path}`, line: `GET ${path} HTTP/1.1`, ...target }),
  ),
];

describe('refused, and not forwarded', () => {
  for (const one of refused) {
    test(one.title, async () => {
      await guarded.refuses({ bytes: write(one), ...one, closes: one.open !== true });
    });
  }
  test('A22: HTTP/0.9, a request line without a version', async () => {
    const bytes = 'GET /a\r\n\r\n';
    await guarded.refuses({ bytes, status: 400, reason: 'http_version_refused', closes: true });
  });
  test('A18: the refusal of HEAD has no body', async () => {
    const bytes = write({ line: 'HEAD /a#b HTTP/1.1' });
    await guarded.refuses({ bytes, ...target, closes: true });
  });
  test('A20: the methods that are allowed are named', async () => {
    const response = await guarded.refuses({
      bytes: write({ line: 'TRACE /a HTTP/1.1' }),
      status: 405,
      reason: 'method_not_allowed',
      closes: false,
    });
    assert.match(response.one('allow') ?? '', /GET/);
    assert.doesNotMatch(response.one('allow') ?? '', /TRACE|CONNECT/);
  });
});

const accepted: readonly Omit<Case, 'status' | 'reason'>[] = [
  { title: 'A01: one Host line' },
  { title: 'A01: one Host line in HTTP/1.0', line: 'GET /a HTTP/1.0' },
  { title: 'A02, N01: Host in other case with the default port', host: ['host: API.Test:80'] },
  {
    title: 'A07: the characters beside those that are refused',
    line: 'GET /a!$&\'()*+,;=:@-._~?q="<>^`{|} HTTP/1.1',
  },
  {
    title: 'A08: Transfer-Encoding alone',
    line: post,
    headers: ['Transfer-Encoding: chunked'],
    body: chunked,
  },
  {
    title: 'A10: Transfer-Encoding: Chunked',
    line: post,
    headers: ['Transfer-Encoding: Chunked'],
    body: chunked,
  },
  { title: 'A11: Content-Length: 2', line: post, headers: ['Content-Length: 2'], body: 'hi' },
  { title: 'A11: Content-Length: 0', line: post, headers: ['Content-Length: 0'] },
  { title: 'A13: no space after the colon', headers: ['X-A:b'] },
  { title: 'A14: a name with a hyphen', headers: ['X-Foo: a'] },
  { title: 'A20: PATCH', line: 'PATCH /a HTTP/1.1' },
  { title: 'A20: QUERY', line: 'QUERY /a HTTP/1.1', headers: ['Content-Length: 2'], body: 'hi' },
  { title: 'A23: Upgrade without Connection: upgrade', headers: ['Upgrade: h2c'] },
  { title: 'A23: Connection: upgrade without Upgrade', headers: ['Connection: upgrade'] },
  { title: 'N03: dots within a segment', line: 'GET /.well-known/a..b/...;x HTTP/1.1' },
];

describe('accepted twins', () => {
  for (const one of accepted) {
    test(one.title, async () => {
      guarded.service.reset();
      const response = await guarded.sidecar.send(write(one));
      assert.equal(response.status, 200, response.body);
      assert.equal(guarded.service.requests.length, 1);
      assert.equal(
        guarded.service.last.line,
        (one.line ?? 'GET /a HTTP/1.1').replace('HTTP/1.0', 'HTTP/1.1'),
      );
      assert.deepEqual(guarded.service.last.all('upgrade'), []);
      assert.equal(guarded.service.last.all('host').join(), 'api.test');
    });
  }
});
