import { authority } from '../support/sidecar.js';

type List = readonly [string, ...string[]];

/** The bytes on which readers of HTTP, of paths and of tokens disagree. */
export const odd: List = [
  ...([
    '\r',
    '\n',
    '\r\n',
    '\0',
    ' ',
    '\t',
    ',',
    ';',
    ':',
    '=',
    '/',
    '\\',
    '%',
    '.',
    '#',
    '?',
    '@',
    '"',
  ] as const),
  ...['_', '-', '+', '*', '(', '\x7f', '\x80', '\xa0', '\xff', '\x0b', '\x1f', '0', 'A'],
];

export const pathPieces: List = [
  ...([
    '/..',
    '/.',
    '/%2e%2e',
    '/..;',
    '/.%2e',
    '//',
    '/%2f',
    '%2F..%2Fprotected',
    '%5c..%5cprotected',
  ] as const),
  ...[
    '%252e%252e/',
    '%252f',
    ';x=y',
    ';/../protected',
    '%00',
    '%0d%0aX-Auth-Subject:%20root',
    '%c0%af',
    '%e0%80%af',
  ],
  ...[
    '#',
    '?',
    '%3f',
    '%23',
    '\\',
    '%5c',
    '%',
    '%2',
    '%zz',
    '/protected',
    '/PROTECTED',
    '%70',
    '/%70rotected',
    'é',
  ],
  ...['/../protected/x', '/..%2fdpop', '?access_token=abc', '?a=1&access%5Ftoken=abc', '/', '.json'],
];

export const framingFields: List = [
  ...(['Content-Length: 0', 'Content-Length: 5', 'Content-Length: 44', 'Content-Length: +5'] as const),
  ...[
    'Content-Length: 05',
    'Content-Length: 5, 5',
    'Content-Length: 0x5',
    'Content-Length: -1',
    'Content-Length:',
  ],
  ...[
    'Content-Length: 99999999999999999999',
    'Content-Length : 5',
    'Content-Length:\t5',
    ' Content-Length: 5',
  ],
  ...['Transfer-Encoding: chunked', 'Transfer-Encoding: Chunked', 'Transfer-Encoding: gzip, chunked'],
  ...['Transfer-Encoding: chunked, identity', 'Transfer-Encoding: identity', 'Transfer-Encoding: ,chunked'],
  ...[
    'Transfer-Encoding:\x0bchunked',
    'Transfer-Encoding: chunked\0',
    'Transfer-Encoding : chunked',
    'TE: chunked',
  ],
  ...['Transfer_Encoding: chunked', 'Transfer-Encoding: "chunked"', 'X: y\nTransfer-Encoding: chunked'],
];

export const words: List = [
  ...([
    'HTTP/1.1',
    'HTTP/1.0',
    'HTTP/0.9',
    'HTTP/2.0',
    'http/1.1',
    'RTSP/1.1',
    'GET',
    'POST',
    '*',
    '/',
  ] as const),
  ...[
    authority,
    `${authority}:80`,
    `${authority}:443`,
    'evil.example',
    'user@api.test',
    'API.TEST',
    '127.0.0.1',
    '',
  ],
  ...['Bearer', 'DPoP', 'dpop', 'Basic', 'close', 'keep-alive', 'chunked', '100-continue', 'upgrade', 'h2c'],
  ...['0', '-1', '65536', '4294967296', 'ffffffffffffffff', 'null', 'true', '{}', '[]', '__proto__'],
];

export const hidden = `GET /public/hidden HTTP/1.1\r\nHost: ${authority}\r\n\r\n`;
