import {
  type ExpectedAnswer,
  forwarded,
  framingInvalid,
  type HostileCase,
  lines,
  malformed,
  refused,
} from '../case.js';

/** What servers take for a length and others do not. */
const badLengths: readonly (readonly [value: string, answer: ExpectedAnswer])[] = [
  ...[
    '+5',
    '-5',
    '1_0',
    '0x5',
    '5.0',
    '5e0',
    '5 5',
    '5, 5',
    '5,5',
    ', 5',
    '5,',
    '5;',
    '"5"',
    "'5'",
    '',
    'x',
    '5x',
  ].map((value): [string, ExpectedAnswer] => [value, malformed]),
  ['\x0b5', malformed],
  ['5\0', malformed],
  ['\xb2', malformed],
  ['18446744073709551621', malformed], // 5 modulo 2^64
  ['4294967301', { status: 413, reason: 'body_too_large' }], // 5 modulo 2^32
  ['00', framingInvalid],
  ['05', framingInvalid],
  ['000000000000000000000000005', { status: 400 }],
  ['9007199254740993', framingInvalid],
];

const lengths: readonly HostileCase[] = [
  ...badLengths.map(([value, answer]) =>
    refused(
      `A11, A17: Content-Length: ${JSON.stringify(value)}`,
      lines('POST /public/a HTTP/1.1', 'Host: api.test', `Content-Length: ${value}`, '', 'hello'),
      answer,
    ),
  ),
  ...[
    ['Content-Length: 5', 'Content-Length: 5'],
    ['Content-Length: 0', 'content-length: 5'],
    ['Content-Length: 5', 'X-A: b', 'CONTENT-LENGTH: 0'],
    ['Content-Length:', 'Content-Length: 5'],
  ].map((fields) =>
    refused(
      `A11: CL.CL ${fields.join(' and ')}`,
      lines('POST /public/a HTTP/1.1', 'Host: api.test', ...fields, '', 'hello'),
      malformed,
    ),
  ),
  ...['Content-Length : 5', ' Content-Length: 5', 'Content-Length\0: 5', 'Content-Length:\r\n 5'].map(
    (line) =>
      refused(
        `A11, A13: ${JSON.stringify(line)}`,
        lines('POST /public/a HTTP/1.1', 'Host: api.test', line, '', 'hello'),
        malformed,
      ),
  ),
  forwarded(
    'A11: twin: a length with white space around it',
    lines('POST /public/a HTTP/1.1', 'Host: api.test', 'Content-Length: \t5 ', '', 'hello'),
    { line: 'POST /public/a HTTP/1.1', body: 'hello', fields: { 'content-length': ['5'] } },
  ),
];

/** A11: how long a body is said to be. */
export const lengthCases: readonly HostileCase[] = lengths;
