import { forwarded, type HostileCase, hidden, lines, malformed, refused, unproven } from '../case.js';

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY', 'PURGE', 'PROPFIND'];

/** CL.0 and TE.0: a server that expects no body for a method, a path or an upgrade takes it for the next request. */
const unexpected: readonly HostileCase[] = methods.flatMap((method): HostileCase[] => [
  forwarded(
    `A12: CL.0 with ${method}: a request in a body stays a body`,
    lines(`${method} /public/a HTTP/1.1`, 'Host: api.test', `Content-Length: ${hidden.length}`, '', hidden),
    {
      line: `${method} /public/a HTTP/1.1`,
      body: hidden,
      fields: { 'content-length': [String(hidden.length)] },
      lacks: ['transfer-encoding'],
    },
  ),
  forwarded(
    `A12, trap H2: TE.0 with ${method}: a request in a chunk stays a chunk`,
    lines(
      `${method} /public/a HTTP/1.1`,
      'Host: api.test',
      'Transfer-Encoding: chunked',
      '',
      hidden.length.toString(16),
      hidden,
      '0',
      '',
      '',
    ),
    {
      line: `${method} /public/a HTTP/1.1`,
      body: hidden,
      fields: { 'transfer-encoding': ['chunked'] },
      lacks: ['content-length'],
    },
  ),
  forwarded(
    `A12: ${method} without a body, and another request behind`,
    lines(`${method} /public/a HTTP/1.1`, 'Host: api.test', '', ''),
    { line: `${method} /public/a HTTP/1.1`, lacks: ['transfer-encoding'] },
  ),
]);

const proven: readonly HostileCase[] = ['POST', 'DELETE', 'OPTIONS', 'GET'].flatMap((method) => [
  forwarded(
    `A12, trap H2: TE.0 with ${method} and a proof`,
    lines(
      `${method} /protected/a HTTP/1.1`,
      'Host: api.test',
      '{{proof}}',
      'Transfer-Encoding: chunked',
      '',
      hidden.length.toString(16),
      hidden,
      '0',
      '',
      '',
    ),
    { line: `${method} /protected/a HTTP/1.1`, body: hidden, lacks: ['content-length'] },
  ),
  refused(
    `A19: CL.0 with ${method} and without a proof: the body is no request`,
    lines(
      `${method} /protected/a HTTP/1.1`,
      'Host: api.test',
      `Content-Length: ${hidden.length}`,
      '',
      hidden,
    ),
    unproven,
    { closes: false },
  ),
]);

const chunked = lines('POST /public/a HTTP/1.1', 'Host: api.test', 'Transfer-Encoding: chunked', '', '');

/** Chunk syntax that servers read differently. The head was good, so its forwarding may have begun. */
const brokenChunks: readonly HostileCase[] = [
  ['a size that is no hex number', 'zz\r\nhello\r\n0\r\n\r\n'],
  ['no size', '\r\nhello\r\n0\r\n\r\n'],
  ['a negative size', '-5\r\nhello\r\n0\r\n\r\n'],
  ['a size with a sign', '+5\r\nhello\r\n0\r\n\r\n'],
  ['a size with 0x', '0x5\r\nhello\r\n0\r\n\r\n'],
  ['a size with an underscore', '0_5\r\nhello\r\n0\r\n\r\n'],
  ['a size behind a space', ' 5\r\nhello\r\n0\r\n\r\n'],
  ['a size before a space', '5 \r\nhello\r\n0\r\n\r\n'],
  ['a size before a tab', '5\t\r\nhello\r\n0\r\n\r\n'],
  ['a size of 17 digits', '10000000000000005\r\nhello\r\n0\r\n\r\n'],
  ['a size of 2^64 and 5', 'ffffffffffffffff5\r\nhello\r\n0\r\n\r\n'],
  ['a chunk shorter than its size', 'a\r\nhello\r\n0\r\n\r\nGET'],
  ['a chunk longer than its size', '4\r\nhello\r\n0\r\n\r\n'],
  ['bare LF behind the size', '5\nhello\r\n0\r\n\r\n'],
  ['bare CR behind the size', '5\rhello\r\n0\r\n\r\n'],
  ['bare LF behind the data', '5\r\nhello\n0\r\n\r\n'],
  ['bare CR behind the data', '5\r\nhello\r0\r\n\r\n'],
  ['two characters behind the data that are no end of line', '5\r\nhelloXX0\r\n\r\n'],
  ['bare LF at the end', '5\r\nhello\r\n0\n\n'],
  ['bare LF behind the last size', '5\r\nhello\r\n0\n\r\n'],
  ['an extension that ends in bare LF', '5;a\nhello\r\n0\r\n\r\n'],
  ['an extension with a bare LF inside', '5;a\nb\r\nhello\r\n0\r\n\r\n'],
  ['an extension with a bare CR inside', '5;a\rb\r\nhello\r\n0\r\n\r\n'],
  ['an extension with NUL', '5;a\0\r\nhello\r\n0\r\n\r\n'],
  ['an extension without a name', '5;\nhello\r\n0\r\n\r\n'],
  ['an extension behind a space and bare LF', '5 ;a\nhello\r\n0\r\n\r\n'],
  ['an extension of 64 KiB', `5;${'x'.repeat(64 * 1024)}\r\nhello\r\n0\r\n\r\n`],
  ['a trailer with white space before its colon', '5\r\nhello\r\n0\r\nX-A : b\r\n\r\n'],
  ['a trailer that frames', '5\r\nhello\r\n0\r\nContent-Length: 50\r\n\r\n'],
  ['a trailer that is folded', '5\r\nhello\r\n0\r\nX-A: b\r\n c\r\n\r\n'],
  ['a trailer with NUL', '5\r\nhello\r\n0\r\nX-A: b\0\r\n\r\n'],
  ['a trailer without colon', '5\r\nhello\r\n0\r\nGET /public/smuggled HTTP/1.1\r\n\r\n'],
].map(([title = '', body = '']) => ({
  title: `A15, A18: ${title}`,
  bytes: chunked + body + hidden,
  answers: [malformed],
  saw: 'incomplete',
  closes: true,
}));

const wellFormedChunks: readonly HostileCase[] = [
  ['one chunk', '5\r\nhello\r\n0\r\n\r\n', 'hello'],
  [
    'sizes in either case with leading zeros',
    '000A\r\nhellohello\r\n005\r\nhello\r\n0\r\n\r\n',
    'hellohellohello',
  ],
  ['an extension', '5;a=b\r\nhello\r\n0\r\n\r\n', 'hello'],
  ['an extension in quotes', '5;a="b;c"\r\nhello\r\n0\r\n\r\n', 'hello'],
  ['an extension of the last chunk', '5\r\nhello\r\n0;a=b\r\n\r\n', 'hello'],
  ['several zeros as the last size', '5\r\nhello\r\n000\r\n\r\n', 'hello'],
  ['the end of a body in a chunk', '5\r\n0\r\n\r\n\r\n0\r\n\r\n', '0\r\n\r\n'],
  ['a trailer', '5\r\nhello\r\n0\r\nX-A: b\r\n\r\n', 'hello'],
  ['a trailer with a forged identity', '5\r\nhello\r\n0\r\nX-Auth-Subject: root\r\n\r\n', 'hello'],
].map(([title, chunks, body = '']) =>
  forwarded(`A12, A15, A16: twin: ${title}`, `${chunked}${chunks}`, {
    line: 'POST /public/a HTTP/1.1',
    body,
    fields: { 'transfer-encoding': ['chunked'] },
    lacks: ['content-length', 'trailer', 'x-a', 'x-auth-subject'],
  }),
);

const forgedTrailer: readonly HostileCase[] = [
  forwarded(
    'A16: a trailer does not speak for a caller with a proof',
    lines(
      'POST /protected/a HTTP/1.1',
      'Host: api.test',
      '{{proof}}',
      'Trailer: X-Auth-Subject',
      'Transfer-Encoding: chunked',
      '',
      '5',
      'hello',
      '0',
      'X-Auth-Subject: root',
      'X-Identity: admin',
      '',
      '',
    ),
    {
      line: 'POST /protected/a HTTP/1.1',
      body: 'hello',
      fields: { 'x-auth-subject': ['alice'] },
      lacks: ['trailer', 'x-identity'],
    },
  ),
];

/** Node bounds the extensions of each chunk, and tells nobody about them: what many chunks waste together is bounded
 * by the time that a request may take. None of it is forwarded. */
const manyExtensions: readonly HostileCase[] = [
  forwarded(
    'A15: extensions of 64 KiB in small chunks are dropped',
    `${chunked}${`1;${'x'.repeat(200)}\r\na\r\n`.repeat(320)}0\r\n\r\n`,
    { line: 'POST /public/a HTTP/1.1', body: 'a'.repeat(320) },
    { because: 'the parser bounds the extensions of one chunk to 16 KiB, and those of a body not at all' },
  ),
];

/** A body that is announced and never comes whole: what there is of it is neither a request nor a body. */
const cutShort: readonly HostileCase[] = [
  [
    'a length, and less than that',
    lines('POST /public/a HTTP/1.1', 'Host: api.test', 'Content-Length: 90', '', hidden),
  ],
  ['chunks without an end', `${chunked}5\r\nhello\r\n`],
  ['the middle of a chunk', `${chunked}ff\r\n${hidden}`],
  ['the end without the empty line', `${chunked}5\r\nhello\r\n0\r\n`],
].map(([title = '', bytes = '']) => ({
  title: `A12, A18, A19: cut short by the client: ${title}`,
  bytes,
  ends: true,
  answers: [malformed],
  saw: 'incomplete',
  closes: true,
}));

/** A12, A15, A16, A19: a body stays a body, and what is no body stops nobody but its sender. */
export const bodyCases: readonly HostileCase[] = [
  ...unexpected,
  ...proven,
  ...brokenChunks,
  ...wellFormedChunks,
  ...forgedTrailer,
  ...manyExtensions,
  ...cutShort,
];
