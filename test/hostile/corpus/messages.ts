import { forwarded, type HostileCase, hidden, lines, malformed, refused } from '../case.js';

const requestLine = (line: string) => lines(line, 'Host: api.test', '', '');
const notAllowed = { status: 405, reason: 'method_not_allowed' } as const;

const methods: readonly HostileCase[] = [
  refused(
    'A20, trap Node: TRACE',
    requestLine('TRACE /public/a HTTP/1.1'),
    { ...notAllowed, fields: { allow: /^(?!.*TRACE).*GET/ } },
    { closes: false },
  ),
  refused(
    'A20: TRACE with a proof',
    lines('TRACE /protected/a HTTP/1.1', 'Host: api.test', '{{proof}}', '', ''),
    notAllowed,
    { closes: false },
  ),
  ...['api.test:80', '127.0.0.1:22', '/public/a', '*'].map((target) =>
    refused(`A20: CONNECT ${target}`, requestLine(`CONNECT ${target} HTTP/1.1`) + hidden, {
      status: [400, 405],
    }),
  ),
  refused(
    'A20: a method that the route does not list',
    requestLine('DELETE /readonly/a HTTP/1.1'),
    { ...notAllowed, fields: { allow: 'GET, HEAD' } },
    { closes: false },
  ),
  refused(
    'A20: nor with an override',
    lines('POST /readonly/a HTTP/1.1', 'Host: api.test', 'X-HTTP-Method-Override: GET', '', ''),
    notAllowed,
    { closes: false },
  ),
  forwarded('A20: twin: a method that it lists', requestLine('GET /readonly/a HTTP/1.1'), {
    line: 'GET /readonly/a HTTP/1.1',
  }),
  ...[
    'get',
    'Get',
    'gET',
    'FETCH',
    'GETT',
    'GE',
    'G',
    'GET,POST',
    'GET\0',
    '"GET"',
    'X-GET',
    '\xefGET',
    'gEt /public/a HTTP/1.1\r\nGET',
  ].map((method) =>
    refused(
      `A20: the method ${JSON.stringify(method)}`,
      requestLine(`${method} /public/a HTTP/1.1`),
      malformed,
    ),
  ),
  ...['PRI', 'DESCRIBE', 'ANNOUNCE', 'SETUP', 'PLAY'].map((method) =>
    refused(
      `A20, A22: ${method}, a method of another protocol`,
      requestLine(`${method} /public/a HTTP/1.1`),
      malformed,
    ),
  ),
];

const knownToNode: readonly HostileCase[] = ['PURGE', 'QUERY', 'SOURCE', 'M-SEARCH', 'LINK'].map((method) =>
  forwarded(
    `A20, trap Node: ${method} is passed on as it is where a route allows every method`,
    requestLine(`${method} /public/a HTTP/1.1`),
    { line: `${method} /public/a HTTP/1.1` },
    { because: 'the parser knows these methods; what a route lists is what it allows' },
  ),
);

const versions: readonly HostileCase[] = [
  refused('A22, trap H24: the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', malformed),
  refused(
    'A22, trap H24: the preface of HTTP/2 and frames',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0',
    malformed,
  ),
  ...[
    'HTTP/2.0',
    'HTTP/2',
    'HTTP/0.9',
    'HTTP/1.2',
    'HTTP/1.9',
    'HTTP/3.0',
    'HTTP/1.10',
    'HTTP/1',
    'HTTP/01.1',
    'HTTP/1.1.',
    'HTTP/-1.1',
    'http/1.1',
    'HTTP /1.1',
    'HTTPS/1.1',
    'HTTP/1,1',
    'XTTP/1.1',
    'HTTP/1.1\0',
    'HTTP/1.1 x',
    'RTSP/2.0',
    'ICE/1.1',
    'ICY/1.1',
  ].map((version) =>
    refused(`A22: the version ${JSON.stringify(version)}`, requestLine(`GET /public/a ${version}`), {
      status: 400,
    }),
  ),
  refused('A22, trap Node: HTTP/0.9', 'GET /public/a\r\n\r\n', { status: 400 }),
  refused('A22, trap Node: HTTP/0.9 with fields', requestLine('GET /public/a'), { status: 400 }),
  refused('A22: a line of TLS', '\x16\x03\x01\0\xa5\x01\0\0\xa1\x03\x03', malformed),
  refused('A22: PROXY protocol', `PROXY TCP4 6.6.6.6 127.0.0.1 1 80\r\n${hidden}`, malformed),
  refused(
    'A22: PROXY protocol, version 2',
    `\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c${'\0'.repeat(12)}${hidden}`,
    malformed,
  ),
  refused('A22: SMTP', 'EHLO other.test\r\nMAIL FROM:<a@other.test>\r\n', malformed),
  refused('A22: Redis', '*1\r\n$4\r\nPING\r\n', malformed),
];

const readAsPlain: readonly HostileCase[] = (
  [
    ['GET /public/a RTSP/1.0', 'GET', true],
    ['GET /public/a RTSP/1.1', 'GET', false],
    ['SOURCE /public/a ICE/1.0', 'SOURCE', true],
    ['GET  /public/a HTTP/1.1', 'GET', false],
    ['GET /public/a  HTTP/1.1', 'GET', false],
  ] as const
).map(([line, method, closes]) =>
  forwarded(
    `A22, trap Node: ${line} is read as what it spells`,
    requestLine(line),
    { line: `${method} /public/a HTTP/1.1` },
    { closes, because: 'the parser takes it, and the service gets a request line of our own' },
  ),
);

const requestLines: readonly HostileCase[] = [
  'GET\t/public/a HTTP/1.1',
  'GET /public/a\tHTTP/1.1',
  ' GET /public/a HTTP/1.1',
  'GET /public/a HTTP/1.1 ',
  'GET /public/a  HTTP/1.1 x',
  'GET\x0b/public/a HTTP/1.1',
  'GET /public/a\r HTTP/1.1',
  'GET',
  'GET ',
  '\0',
].map((line) =>
  refused(`A13, A22: the request line ${JSON.stringify(line)}`, requestLine(line), { status: 400 }),
);

/** A20, A22: which messages are spoken here at all. */
export const messageCases: readonly HostileCase[] = [
  ...methods,
  ...knownToNode,
  ...versions,
  ...readAsPlain,
  ...requestLines,
];
