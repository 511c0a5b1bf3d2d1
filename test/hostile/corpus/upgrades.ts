import {
  type ExpectedAnswer,
  forwarded,
  type HostileCase,
  hidden,
  lines,
  malformed,
  refused,
  unproven,
} from '../case.js';

const upgradeUnsupported: ExpectedAnswer = { status: 501, reason: 'upgrade_unsupported' };
const expectationFailed: ExpectedAnswer = { status: 417, reason: 'expectation_failed' };
const withFields = (...fields: readonly string[]) =>
  lines('GET /public/a HTTP/1.1', 'Host: api.test', ...fields, '', '');
const settings = 'HTTP2-Settings: AAMAAABkAAQAAP__';
const handshake = ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='];

const otherProtocols: readonly HostileCase[] = [
  ['Connection: Upgrade', 'Upgrade: h2c'],
  ['Connection: upgrade', 'Upgrade: H2C'],
  ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', settings],
  ['Connection: keep-alive, uPGRADE', 'Upgrade: h2c', settings],
  ['Connection: HTTP2-Settings', 'Connection: Upgrade', 'Upgrade: h2c', settings],
  ['Connection: Upgrade', 'Upgrade: h2'],
  ['Connection: Upgrade', 'Upgrade: TLS/1.0'],
  ['Connection: Upgrade', 'Upgrade: HTTP/2.0'],
  ['Connection: Upgrade', 'Upgrade: connect-udp'],
].map((fields) =>
  refused(
    `A23, trap H17, trap Node: an upgrade is no ordinary request: ${fields.join('; ')}`,
    withFields(...fields) + hidden,
    upgradeUnsupported,
  ),
);

const lists: readonly HostileCase[] = [
  ['Upgrade: websocket, h2c'],
  ['Upgrade: h2c, websocket'],
  ['Upgrade: websocket,h2c'],
  ['Upgrade: websocket, websocket'],
  ['Upgrade: websocket,'],
  ['Upgrade: ,websocket'],
  ['Upgrade: websocket', 'Upgrade: h2c'],
  ['Upgrade: websocket', 'Upgrade: websocket'],
  ['Upgrade: h2c', 'Upgrade: websocket'],
].map((fields) =>
  refused(
    `A23: ${fields.join(' and ')}`,
    withFields('Connection: Upgrade', ...fields, ...handshake) + hidden,
    { status: 400, reason: 'upgrade_invalid' },
  ),
);

const upgradeNotAllowed: ExpectedAnswer = { status: 400, reason: 'upgrade_not_allowed' };
const provenHandshake = (...fields: readonly string[]) =>
  lines('GET /protected/a HTTP/1.1', 'Host: api.test', '{{proof}}', ...fields, '', hidden);

const websocket: readonly HostileCase[] = [
  refused(
    'A23: websocket on a route that does not allow it',
    withFields('Connection: Upgrade', 'Upgrade: websocket', ...handshake) + hidden,
    upgradeNotAllowed,
  ),
  refused(
    'A23: websocket with a proof, on a route that does not allow it',
    provenHandshake('Connection: Upgrade', 'Upgrade: websocket', ...handshake),
    upgradeNotAllowed,
  ),
];

const stripped: readonly HostileCase[] = [
  ['Upgrade: h2c'],
  ['Upgrade: websocket', ...handshake],
  ['Upgrade: h2c', settings],
  ['Upgrade: websocket, h2c'],
  ['Connection: Upgrade'],
  ['Connection: keep-alive, Upgrade'],
  ['Connection: keep-alive', 'Upgrade: h2c'],
  ['Connection: HTTP2-Settings', 'Upgrade: h2c', settings],
].map((fields) =>
  forwarded(`A23, B02: twin: no upgrade: ${fields.join('; ')}`, withFields(...fields), {
    line: 'GET /public/a HTTP/1.1',
    lacks: ['upgrade', 'http2-settings'],
    fields: { connection: ['keep-alive'] },
  }),
);

const expecting = (method: string, target: string, ...fields: readonly string[]) =>
  lines(
    `${method} ${target} HTTP/1.1`,
    'Host: api.test',
    ...fields,
    'Expect: 100-continue',
    `Content-Length: ${hidden.length}`,
    '',
    '',
  );

/** 0.CL: a server that answers before the body came must not take it for a request; nor may one that invites it. */
const expectations: readonly HostileCase[] = [
  ...['POST', 'GET', 'DELETE', 'OPTIONS'].flatMap((method): HostileCase[] => [
    {
      title: `A24, A12: 0.CL with ${method}: the body that 100 invites stays a body`,
      bytes: expecting(method, '/public/a'),
      upon100: hidden,
      answers: [{ status: 100 }, { status: 200 }],
      saw: [{ line: `${method} /public/a HTTP/1.1`, body: hidden, lacks: ['expect'] }],
      closes: false,
    },
    {
      title: `A24, A12: 0.CL with ${method}: so does one that did not wait`,
      bytes: expecting(method, '/public/a') + hidden,
      answers: [{ status: 100 }, { status: 200 }],
      saw: [{ line: `${method} /public/a HTTP/1.1`, body: hidden, lacks: ['expect'] }],
      closes: false,
    },
    refused(
      `A24, A19, trap Node: 0.CL with ${method}: no 100 without a proof`,
      expecting(method, '/protected/a'),
      unproven,
    ),
  ]),
  refused(
    'A24, A19: a body that did not wait for the 401 is no request',
    expecting('POST', '/protected/a') + hidden,
    unproven,
  ),
  {
    title: 'A24, trap H1: with a proof: 100, and no forged identity behind it',
    bytes: expecting('POST', '/protected/a', '{{proof}}', 'X-Auth-Subject: root'),
    upon100: hidden,
    answers: [{ status: 100 }, { status: 200 }],
    saw: [
      {
        line: 'POST /protected/a HTTP/1.1',
        body: hidden,
        lacks: ['expect'],
        fields: { 'x-auth-subject': ['alice'] },
      },
    ],
    closes: false,
  },
  ...[
    'x',
    '',
    '100-continue, x',
    'x, 100-continue',
    '100-continue;q=1',
    '100-continue, 100-continue',
    'y 100-continue',
    'foo=100-continue',
    '"100-continue"',
    '100-continue\xa0',
    '200-ok',
    '100',
  ].map((value) =>
    refused(
      `A24: Expect: ${JSON.stringify(value)}`,
      lines(
        'POST /public/a HTTP/1.1',
        'Host: api.test',
        `Expect: ${value}`,
        `Content-Length: ${hidden.length}`,
        '',
        hidden,
      ),
      expectationFailed,
    ),
  ),
  ...[
    ['Expect: 100-continue', 'Expect: 100-continue'],
    ['Expect: 100-continue', 'Expect:'],
    ['Expect: x', 'Expect: 100-continue'],
  ].map((fields) =>
    refused(`A24: ${fields.join(' and ')}`, withFields(...fields) + hidden, expectationFailed),
  ),
  ...[
    'Expect:\r\n 100-continue',
    'Expect : 100-continue',
    ' Expect: 100-continue',
    'Expect\0: 100-continue',
  ].map((line) => refused(`A24, A13: ${JSON.stringify(line)}`, withFields(line) + hidden, malformed)),
  refused('A24, A14: Ex_pect', withFields('Ex_pect: 100-continue') + hidden, {
    status: 400,
    reason: 'header_name_refused',
  }),
];

/** A23, A24: what asks for more than an answer. */
export const upgradeCases: readonly HostileCase[] = [
  ...otherProtocols,
  ...lists,
  ...websocket,
  ...stripped,
  ...expectations,
];
