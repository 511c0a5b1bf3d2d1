import {
  forwarded,
  framingInvalid,
  type HostileCase,
  hidden,
  hostInvalid,
  lines,
  malformed,
  refused,
  targetInvalid,
  unproven,
} from '../case.js';

const requestLine = (line: string) => lines(line, 'Host: api.test', '', '');

/** What is refused for the sake of the message itself ends the connection: nothing behind it is a request. */
const behind: readonly HostileCase[] = [
  refused(
    'A18: behind two Host lines',
    lines('GET /public/a HTTP/1.1', 'Host: api.test', 'Host: api.test', '', '') + hidden,
    hostInvalid,
  ),
  refused('A18: behind a bad target', requestLine('GET /public/a#b HTTP/1.1') + hidden, targetInvalid),
  refused(
    'A18: behind a bad length',
    lines('POST /public/a HTTP/1.1', 'Host: api.test', 'Content-Length: 00', '', '') + hidden,
    framingInvalid,
  ),
  refused(
    'A18: behind what the parser refuses',
    lines('GET /public/a HTTP/1.1', 'Host : api.test', '', '') + hidden,
    malformed,
  ),
  refused(
    'A18: behind a field name',
    lines('GET /public/a HTTP/1.1', 'Host: api.test', 'X_Auth_Subject: a', '', '') + hidden,
    { status: 400, reason: 'header_name_refused' },
  ),
  refused(
    'A18: behind an expectation',
    lines('GET /public/a HTTP/1.1', 'Host: api.test', 'Expect: x', '', '') + hidden,
    { status: 417 },
  ),
  refused('A18: behind HTTP/0.9', `GET /public/a\r\n${hidden}`, { status: 400 }),
  refused(
    'A18: behind an answer to HTTP/1.0',
    lines('GET /protected/a HTTP/1.0', 'Host: api.test', '', '') + hidden,
    unproven,
  ),
  refused(
    'A18: behind Connection: close',
    lines('GET /protected/a HTTP/1.1', 'Host: api.test', 'Connection: close', '', '') + hidden,
    unproven,
  ),
  forwarded(
    'A18: behind a good request that says close, which is answered all the same',
    requestLine('GET /public/a HTTP/1.1\r\nConnection: close') + hidden,
    { line: 'GET /public/a HTTP/1.1' },
    { closes: true },
  ),
  forwarded(
    'A18: behind a body and Connection: close',
    lines(
      'POST /public/a HTTP/1.1',
      'Host: api.test',
      'Connection: close',
      'Content-Length: 5',
      '',
      'hello',
    ) + hidden,
    { line: 'POST /public/a HTTP/1.1', body: 'hello' },
    { closes: true },
  ),
  forwarded(
    'A18: behind a body in HTTP/1.0',
    lines('POST /public/a HTTP/1.0', 'Host: api.test', 'Content-Length: 5', '', 'hello') + hidden,
    { line: 'POST /public/a HTTP/1.1', body: 'hello' },
    { closes: true },
  ),
  forwarded(
    'A18: an end of line behind a body and Connection: close',
    lines(
      'POST /public/a HTTP/1.1',
      'Host: api.test',
      'Connection: close',
      'Content-Length: 5',
      '',
      'hello',
      '',
    ),
    { line: 'POST /public/a HTTP/1.1', body: 'hello' },
    { closes: true },
  ),
  {
    title: 'A18: a refusal behind a good request, and a request behind it',
    bytes: requestLine('GET /public/first HTTP/1.1') + requestLine('GET /public/a#b HTTP/1.1') + hidden,
    answers: [{ status: 200 }, targetInvalid],
    saw: [{ line: 'GET /public/first HTTP/1.1' }],
    closes: true,
  },
  {
    title: 'A18: what the parser refuses behind a good request',
    bytes: `${requestLine('GET /public/first HTTP/1.1')}get /x\r\n\r\n${hidden}`,
    answers: [{ status: 200 }, malformed],
    saw: [{ line: 'GET /public/first HTTP/1.1' }],
    closes: true,
  },
  {
    title: 'A18: twin: behind a refusal that is none of the message the next request is served',
    bytes: requestLine('GET /protected/a HTTP/1.1') + requestLine('GET /public/second HTTP/1.1'),
    answers: [unproven, { status: 200 }],
    saw: [{ line: 'GET /public/second HTTP/1.1' }],
    closes: false,
  },
  {
    title: 'A12, A18: twin: three requests in one packet, the middle one with a body',
    bytes:
      requestLine('GET /public/1 HTTP/1.1') +
      lines('POST /public/2 HTTP/1.1', 'Host: api.test', 'Content-Length: 5', '', 'hello') +
      requestLine('GET /public/3 HTTP/1.1'),
    answers: [{ status: 200 }, { status: 200 }, { status: 200 }],
    saw: [
      { line: 'GET /public/1 HTTP/1.1' },
      { line: 'POST /public/2 HTTP/1.1', body: 'hello' },
      { line: 'GET /public/3 HTTP/1.1' },
    ],
    closes: false,
  },
];

const unread: readonly HostileCase[] = [
  refused(
    'A19: a refusal before the body came whole',
    lines('POST /protected/a HTTP/1.1', 'Host: api.test', `Content-Length: ${hidden.length + 1}`, '', hidden),
    unproven,
  ),
  refused(
    'A19: 10 MB that are announced and do not come',
    lines('POST /protected/a HTTP/1.1', 'Host: api.test', 'Transfer-Encoding: chunked', '', 'a00000', hidden),
    unproven,
  ),
  refused(
    'A19: a path without a route, and a body that did not come whole',
    lines('POST /nowhere HTTP/1.1', 'Host: api.test', `Content-Length: ${hidden.length + 1}`, '', hidden),
    { status: 404, reason: 'route_not_found' },
  ),
];

/** A18, A19: what comes behind a request on its connection. */
export const pipelineCases: readonly HostileCase[] = [...behind, ...unread];
