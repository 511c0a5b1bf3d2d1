import { type ExpectedAnswer, type HostileCase, lines } from '../case.js';

const ok = lines('HTTP/1.1 200 OK', 'Content-Length: 2', '', 'ok');
const badAnswer: ExpectedAnswer = { status: 502 };

function answered(title: string, reply: string, answer: ExpectedAnswer): HostileCase {
  return {
    title,
    bytes: lines('GET /public/a HTTP/1.1', 'Host: api.test', '', ''),
    reply,
    answers: [answer],
    saw: [{ line: 'GET /public/a HTTP/1.1' }],
    closes: false,
  };
}

/** A25, B03: what a service may answer; the whole of bad answers has a flow test of its own. */
export const replyCases: readonly HostileCase[] = [
  answered('A25: 103 is dropped', `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok}`, {
    status: 200,
    fields: { link: null },
  }),
  answered('A25: 102 is dropped', `HTTP/1.1 102 Processing\r\n\r\n${ok}`, { status: 200 }),
  answered('A25: a 100 that nobody waits for is dropped', `HTTP/1.1 100 Continue\r\n\r\n${ok}`, {
    status: 200,
  }),
  answered(
    'A25, trap H7: 101 that nobody asked for',
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    badAnswer,
  ),
  answered('A25: 101 without Upgrade', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', badAnswer),
  answered(
    'B03, trap H9: hop-by-hop and nominated fields of an answer',
    lines(
      'HTTP/1.1 200 OK',
      'Connection: keep-alive, X-Gone',
      'X-Gone: 1',
      'Keep-Alive: timeout=1',
      'Proxy-Authenticate: Basic',
      'Upgrade: h2c',
      'Trailer: X-A',
      'X-Kept: 2',
      'Content-Length: 2',
      '',
      'ok',
    ),
    {
      status: 200,
      fields: {
        'x-gone': null,
        'proxy-authenticate': null,
        upgrade: null,
        trailer: null,
        'x-kept': '2',
      },
    },
  ),
  answered(
    'B10: two framings',
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n${ok.slice(17)}`,
    badAnswer,
  ),
  answered('B10, trap Node: an end of line before the answer', `\r\n${ok}`, { status: [200, 502] }),
  ...['RTSP/1.1', 'ICE/1.1'].map((version) => ({
    ...answered(
      `B10, trap Node: a version of another protocol: ${version}`,
      ok.replace('HTTP/1.1', version),
      { status: [200, 502] },
    ),
    because: 'the parser of Node reads it as HTTP/1.1, and shows nothing of it',
  })),
  answered('B10, trap Node: HTTP/0.9', ok.replace('HTTP/1.1', 'HTTP/0.9'), badAnswer),
];
