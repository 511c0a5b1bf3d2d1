import {
  codingUnsupported,
  type ExpectedAnswer,
  framingInvalid,
  type HostileCase,
  hidden,
  lines,
  malformed,
  refused,
} from '../case.js';

const eitherRefusal: ExpectedAnswer = { status: [400, 501] };

/** Two framings in one message: CL.TE hides its prefix behind the last chunk, TE.CL in the data of a chunk. */
const contradictions: readonly HostileCase[] = [
  ...['POST', 'GET', 'DELETE', 'OPTIONS', 'PUT'].flatMap((method): HostileCase[] => [
    refused(
      `A08, A18: CL.TE with ${method}`,
      lines(
        `${method} /public/a HTTP/1.1`,
        'Host: api.test',
        `Content-Length: ${5 + hidden.length}`,
        'Transfer-Encoding: chunked',
        '',
        '0',
        '',
        hidden,
      ),
      malformed,
    ),
    refused(
      `A08, A18: TE.CL with ${method}`,
      lines(
        `${method} /public/a HTTP/1.1`,
        'Host: api.test',
        'Transfer-Encoding: chunked',
        'Content-Length: 4',
        '',
        hidden.length.toString(16),
        `${hidden}`,
        '0',
        '',
        '',
      ),
      malformed,
    ),
  ]),
  refused(
    'A08: CL.TE with HEAD',
    lines(
      'HEAD /public/a HTTP/1.1',
      'Host: api.test',
      'Content-Length: 5',
      'Transfer-Encoding: chunked',
      '',
      '0',
      '',
      '',
    ),
    { ...malformed, content: true },
    { because: 'the parser gives up before it has told the method; the answer ends the connection' },
  ),
  refused(
    'A08: a proof does not excuse Content-Length beside Transfer-Encoding',
    lines(
      'POST /protected/a HTTP/1.1',
      'Host: api.test',
      '{{proof}}',
      'Content-Length: 5',
      'Transfer-Encoding: chunked',
      '',
      '0',
      '',
      hidden,
    ),
    malformed,
  ),
  refused(
    'A08: Content-Length: 0 beside Transfer-Encoding',
    lines(
      'POST /public/a HTTP/1.1',
      'Host: api.test',
      'Content-Length: 0',
      'Transfer-Encoding: chunked',
      '',
      '0',
      '',
      hidden,
    ),
    malformed,
  ),
  ...[
    'Content_Length: 5',
    'Content.Length: 5',
    'Transfer_Encoding: chunked',
    'Transfer~Encoding: chunked',
  ].map((line) =>
    refused(
      `A08, A14: the twin ${line} of a framing field`,
      lines('POST /public/a HTTP/1.1', 'Host: api.test', line, 'Content-Length: 5', '', '0', '', hidden),
      { status: 400, reason: 'header_name_refused' },
    ),
  ),
];

/** What some servers take for `Transfer-Encoding: chunked` and others do not, and who refuses it here. */
const spellings: readonly (readonly [line: string, alone: ExpectedAnswer])[] = [
  ['Transfer-Encoding: xchunked', codingUnsupported],
  ['Transfer-Encoding: chunkedx', codingUnsupported],
  ['Transfer-Encoding: chunk', codingUnsupported],
  ['Transfer-Encoding: identity', codingUnsupported],
  ['Transfer-Encoding: gzip', codingUnsupported],
  ['Transfer-Encoding: gzip, chunked', codingUnsupported],
  ['Transfer-Encoding: x, chunked', codingUnsupported],
  ['Transfer-Encoding: identity, chunked', codingUnsupported],
  ['Transfer-Encoding: ,chunked', codingUnsupported],
  ['Transfer-Encoding: , chunked', codingUnsupported],
  ['Transfer-Encoding: chunked,', eitherRefusal],
  ['Transfer-Encoding: chunked, identity', eitherRefusal],
  ['Transfer-Encoding: chunked, chunked', eitherRefusal],
  ['Transfer-Encoding: chunked chunked', eitherRefusal],
  ['Transfer-Encoding: chunked;q=1', codingUnsupported],
  ['Transfer-Encoding: chunked; x', codingUnsupported],
  ['Transfer-Encoding: "chunked"', codingUnsupported],
  ["Transfer-Encoding: 'chunked'", codingUnsupported],
  ['Transfer-Encoding: %63hunked', codingUnsupported],
  ['Transfer-Encoding: chunked\xa0', eitherRefusal],
  ['Transfer-Encoding: \xa0chunked', eitherRefusal],
  ['Transfer-Encoding: chunked\x85', eitherRefusal],
  ['Transfer-Encoding:', eitherRefusal],
  ['Transfer-Encoding: \x0bchunked', malformed],
  ['Transfer-Encoding: chunked\x0c', malformed],
  ['Transfer-Encoding: chunked\0', malformed],
  ['Transfer-Encoding: chun\rked', malformed],
  ['Transfer-Encoding : chunked', malformed],
  ['Transfer-Encoding\t: chunked', malformed],
  ['Transfer-Encoding\0: chunked', malformed],
  ['Transfer-Encoding\x0b: chunked', malformed],
  [' Transfer-Encoding: chunked', malformed],
  ['\tTransfer-Encoding: chunked', malformed],
  ['Transfer-Encoding\r\n : chunked', malformed],
  ['Transfer-Encoding:\r\n chunked', malformed],
  ['Transfer-Encoding: x\r\n ,chunked', malformed],
  ['Transfer-Encoding:\n chunked', malformed],
  ['X-A: b\nTransfer-Encoding: chunked', malformed],
  ['X-A: b\rTransfer-Encoding: chunked', malformed],
  ['Transfer-Encoding chunked', malformed],
  ['\x00Transfer-Encoding: chunked', malformed],
  ['Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', eitherRefusal],
  ['Transfer-Encoding: chunked\r\ntransfer-encoding: identity', eitherRefusal],
  ['transfer-encoding: identity\r\nTransfer-Encoding: chunked', eitherRefusal],
  ['Transfer-Encoding: x\r\nTransfer-Encoding: chunked', eitherRefusal],
  ['Transfer-Encoding:\r\nTransfer-Encoding: chunked', eitherRefusal],
];

const spelled: readonly HostileCase[] = spellings.flatMap(([line, alone]): HostileCase[] => [
  refused(
    `A10, A13, trap H14: TE.TE ${JSON.stringify(line)}`,
    lines('POST /public/a HTTP/1.1', 'Host: api.test', line, '', '0', '', hidden),
    alone,
  ),
  refused(
    `A08, A10, A13: TE.TE ${JSON.stringify(line)} beside Content-Length`,
    lines('POST /public/a HTTP/1.1', 'Host: api.test', 'Content-Length: 5', line, '', '0', '', hidden),
    eitherRefusal,
  ),
]);

/** HTTP/1.0 knows no chunks: half of all servers decode them all the same. */
const oldVersion: readonly HostileCase[] = [
  ['Transfer-Encoding: chunked'],
  ['Connection: keep-alive', 'Transfer-Encoding: chunked'],
  ['Transfer-Encoding: identity'],
].map((fields) =>
  refused(
    `A09, trap H14: HTTP/1.0 with ${fields.join(' and ')}`,
    lines('POST /public/a HTTP/1.0', 'Host: api.test', ...fields, '', '0', '', hidden),
    framingInvalid,
  ),
);

/** A08-A10: how the body of a request is delimited. */
export const framingCases: readonly HostileCase[] = [...contradictions, ...spelled, ...oldVersion];
