import { type ExpectedAnswer, forwarded, type HostileCase, lines, malformed, refused } from '../case.js';

const nameRefused: ExpectedAnswer = { status: 400, reason: 'header_name_refused' };
const withFields = (...fields: readonly string[]) =>
  lines('GET /public/a HTTP/1.1', 'Host: api.test', ...fields, '', '');
const withProof = (...fields: readonly string[]) =>
  lines('GET /protected/a HTTP/1.1', 'Host: api.test', '{{proof}}', ...fields, '', '');

/** Lines that end, begin or fold where parsers disagree. */
const syntax: readonly HostileCase[] = [
  ['X-A : b'],
  ['X-A\t: b'],
  ['X-A\x0b: b'],
  ['X-A\0: b'],
  ['X-A\xa0: b'],
  ['X-A: b', ' c'],
  ['X-A: b', '\tc'],
  ['X-A:', ' b'],
  ['X-A: b', ' X-Auth-Subject: root'],
  [' X-A: b'],
  ['X-A: b\0c'],
  ['X-A: b\x01c'],
  ['X-A: b\x7fc'],
  ['X-A: b\x0bc'],
  ['X-A: b\rX-Auth-Subject: root'],
  ['X-A: b\nX-Auth-Subject: root'],
  ['X-A: b\n\nGET /public/smuggled HTTP/1.1\nHost: api.test\n\n'],
  ['X-A: b\r\r\n'],
  ['X-A: b\n'],
  ['X-A: b\r'],
  ['\nX-A: b'],
  ['\rX-A: b'],
  ['X-A'],
  [': b'],
  [':'],
  ['X A: b'],
  ['X-A: b', ':'],
  ['"X-A": b'],
  ['(X-A): b'],
  ['X-A@: b'],
  ['X[A]: b'],
  ['X/A: b'],
  ['X,A: b'],
  ['X;A: b'],
  ['X=A: b'],
  ['\xe4: b'],
  ['\xef\xbb\xbfX-A: b'],
  ['GET /public/smuggled HTTP/1.1'],
].flatMap((fields) => [
  refused(`A13: ${JSON.stringify(fields.join('\r\n'))}`, withFields(...fields), malformed),
]);

const endsOfLine: readonly HostileCase[] = [
  ['the request line', 'GET /public/a HTTP/1.1\nHost: api.test\r\n\r\n'],
  ['a field', 'GET /public/a HTTP/1.1\r\nHost: api.test\nX-A: b\r\n\r\n'],
  ['the head', 'GET /public/a HTTP/1.1\r\nHost: api.test\r\n\n'],
  ['every line', 'GET /public/a HTTP/1.1\nHost: api.test\n\n'],
].map(([what, bytes = '']) => refused(`A13: bare LF behind ${what}`, bytes, malformed));

const bareCr: readonly HostileCase[] = [
  ['the request line', 'GET /public/a HTTP/1.1\rHost: api.test\r\n\r\n'],
  ['a field', 'GET /public/a HTTP/1.1\r\nHost: api.test\rX-A: b\r\n\r\n'],
  ['the head', 'GET /public/a HTTP/1.1\r\nHost: api.test\r\n\rX\r\n\r\n'],
].map(([what, bytes = '']) => refused(`A13: bare CR behind ${what}`, bytes, malformed));

/** Names that a service which folds odd characters reads as what only we may write, or as what frames a message. */
const impersonating: readonly HostileCase[] = [
  'X_Auth_Subject: root',
  'x_auth_subject: root',
  'X-Auth_Subject: root',
  'X.Auth.Subject: root',
  'X~Auth~Subject: root',
  'X!Auth!Subject: root',
  'X__Auth__Subject: root',
  '_X-Auth-Subject: root',
  'X-Auth-Subject_: root',
  'XAuth_Subject: root',
  'Remote_User: root',
  'X_Remote_User: root',
  'X_Forwarded_For: 6.6.6.6',
  'X_Forwarded_Anything: x',
  'X_Original_Url: /protected',
  'X_Rewrite_URL: /protected',
  'X_Real_IP: 6.6.6.6',
  'Client_Cert: :AAAA:',
  'SSL_Client_Verify: SUCCESS',
  'Authorization_: Bearer x',
  'DPoP_: x',
  'D.PoP: x',
  'Content_Length: 0',
  'Transfer_Encoding: chunked',
  'Connection_: close',
  'Up_grade: h2c',
  'Host_: other.test',
  'Ex_pect: 100-continue',
  'X_HTTP_Method_Override: DELETE',
  'Pro_xy: http://other.test',
  'X-Auth-Subject`: root',
  "X-Auth-Subject': root",
  'X-Auth-Subject#: root',
  'X|Auth|Subject: root',
].flatMap((line) => [
  refused(`A14, trap H12: ${line}`, withFields(line), nameRefused),
  refused(`A14, L01: ${line} with a proof`, withProof(line), nameRefused),
]);

const odd: readonly HostileCase[] = [
  'X_Foo: a',
  'X.Bar: a',
  'X~Z: a',
  'x!y: a',
  '_: a',
  '...: a',
  'X_Y_Z: a',
].flatMap((line) => {
  const name = line.split(':')[0] ?? '';
  return [
    forwarded(`A14: ${line} impersonates nothing and is dropped`, withFields(line, 'X-Kept: b'), {
      line: 'GET /public/a HTTP/1.1',
      lacks: [name, name.replace(/[^a-z]/gi, '-')],
      fields: { 'x-kept': ['b'] },
    }),
    refused(`A14: ${line} with headerNames: refuse`, withFields(line), nameRefused, { at: 'catchAll' }),
  ];
});

const twins: readonly HostileCase[] = [
  forwarded(
    'A13: twin: white space around a value, an empty value, octets above ASCII',
    withFields('X-A:b', 'X-B: \t b \t', 'X-C:', 'X-D: \xe4\xff', 'x-e1: "a;b,c"'),
    {
      line: 'GET /public/a HTTP/1.1',
      fields: { 'x-a': ['b'], 'x-b': ['b'], 'x-c': [''], 'x-d': ['\xe4\xff'], 'x-e1': ['"a;b,c"'] },
    },
  ),
  forwarded('A13: twin: an empty line before the request', `\r\n${withFields('X-A: b')}`, {
    line: 'GET /public/a HTTP/1.1',
    fields: { 'x-a': ['b'] },
  }),
  forwarded(
    'A14: twin: names of letters, digits and hyphens',
    withFields('X-Foo: a', 'x-1: b', 'X--Y: c', '-: d', '0: e'),
    {
      line: 'GET /public/a HTTP/1.1',
      fields: { 'x-foo': ['a'], 'x-1': ['b'], 'x--y': ['c'], '-': ['d'], '0': ['e'] },
    },
    { at: 'catchAll' },
  ),
  forwarded(
    'A14, trap H12: twin: names of members of every object, and repeated names in one spelling',
    withFields('constructor: a', '--proto--: b', 'toString: c', 'X-A: 1', 'x-a: 2', 'X-A: 3'),
    {
      line: 'GET /public/a HTTP/1.1',
      fields: { constructor: ['a'], '--proto--': ['b'], tostring: ['c'], 'x-a': ['1', '2', '3'] },
    },
  ),
];

/** A13, A14: what is a header field, and whose. */
export const headerCases: readonly HostileCase[] = [
  ...syntax,
  ...endsOfLine,
  ...bareCr,
  ...impersonating,
  ...odd,
  ...twins,
];
