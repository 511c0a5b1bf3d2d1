import { ambiguous, forwarded, type HostileCase, lines, malformed, refused, targetInvalid } from '../case.js';

const get = (target: string, method = 'GET') =>
  lines(`${method} ${target} HTTP/1.1`, 'Host: api.test', '', '');

const forms: readonly HostileCase[] = [
  ...[
    'http://api.test/public/a',
    'http://other.test/public/a',
    'https://api.test/public/a',
    'HTTP://api.test/public/a',
    'http://api.test',
    'http://user@api.test/public/a',
    'http://api.test@other.test/public/a',
    'http:/public/a',
    'http:public/a',
    'ftp://api.test/public/a',
    'file:///public/a',
    'ws://api.test/public/a',
    'unix:/run/x.sock',
    'urn:a:b',
  ].map((target) =>
    // What Node's parser cannot read as any form it refuses itself.
    refused(`A05, N07, trap H11: ${target}`, get(target), { status: 400 }),
  ),
  refused(
    'A05: absolute-form for a protected path, with a proof',
    lines('GET http://api.test/protected/a HTTP/1.1', 'Host: api.test', '{{proof GET /protected/a}}', '', ''),
    targetInvalid,
  ),
  refused('A05: absolute-form without Host', lines('GET http://api.test/public/a HTTP/1.1', '', ''), {
    status: 400,
  }),
  refused(
    'A06, trap H10: OPTIONS *',
    get('*', 'OPTIONS'),
    { status: 405, fields: { allow: /GET/ } },
    {
      closes: false,
    },
  ),
  refused(
    'A06: OPTIONS * with a proof',
    lines('OPTIONS * HTTP/1.1', 'Host: api.test', '{{proof}}', '', ''),
    { status: 405 },
    { closes: false },
  ),
  refused('A06: GET *', get('*'), targetInvalid),
  refused('A06: OPTIONS **', get('**', 'OPTIONS'), { status: 400 }),
  refused(
    'A06: OPTIONS /*: a path that no route has',
    get('/*', 'OPTIONS'),
    { status: 404 },
    { closes: false },
  ),
  ...[
    'api.test:80',
    'public/a',
    '?',
    '?a=b',
    './public/a',
    '../public/a',
    '@api.test/public',
    ';a',
    '%2fpublic/a',
  ].map((target) => refused(`A05, A07: neither form: ${target}`, get(target), { status: 400 })),
  refused('A05: an empty target', 'GET  HTTP/1.1\r\nHost: api.test\r\n\r\n', { status: 400 }),
];

const characters: readonly HostileCase[] = [
  ...[
    '/public/a#b',
    '/public/a#',
    '/public/#/../protected',
    '/public/a?b#c',
    '/public/a\\b',
    '/public\\a',
    '/public/a?\\',
    '/\\other.test/a',
  ].map((target) => refused(`A07, trap H10: ${target}`, get(target), targetInvalid)),
  ...[
    '\0',
    '\x01',
    '\x08',
    '\t',
    '\n',
    '\x0b',
    '\x0c',
    '\r',
    '\x1b',
    '\x7f',
    '\x80',
    '\xa0',
    '\xc0\xae',
    '\xe4',
    '\xff',
  ].flatMap((character) =>
    ['/public/a', '/public/a?b='].map((start) =>
      refused(`A07: ${JSON.stringify(start + character)} in the target`, get(`${start}${character}c`), {
        status: 400,
      }),
    ),
  ),
  ...['/public/a b', '/public/a  b', '/public/a HTTP/1.1 b', ' /public/a b'].map((target) =>
    refused(`A07: a space in the target: ${JSON.stringify(target)}`, get(target), malformed),
  ),
  ...[
    '/public/%',
    '/public/%4',
    '/public/%zz',
    '/public/%%41',
    '/public/%4%31',
    '/public/%u0041',
    '/public/%-1',
  ].map((target) => refused(`N02: no percent-encoding: ${target}`, get(target), targetInvalid)),
  ...['%00', '%01', '%09', '%0a', '%0D', '%1F', '%7f'].map((encoded) =>
    refused(`N02, A07: an encoded control character: ${encoded}`, get(`/public/a${encoded}b`), targetInvalid),
  ),
  ...['%c0%80', '%c0%ae', '%C1%9c', '%e0%80%af', '%E0%9f%bf', '%f0%80%80%af', '%F0%8f%bf%bf'].map((encoded) =>
    refused(`N02, N03: more octets than needed: ${encoded}`, get(`/public/${encoded}`), ambiguous),
  ),
];

/** What looks like a URL within a path, or like a path within a URL, stays what it is: no parser of URLs reads it. */
const kept: readonly HostileCase[] = [
  "/public/a!$&'()*+,;=:@-._~b",
  '/public/a?b="<>^`{|}',
  '/public/a?b?c=/d',
  '/public/a?',
  '/public/http://other.test/',
  '/public/http:/x',
  '/public/@other.test:1/',
  '/public/%41%7e%c3%A4',
  '/public/',
  '/public',
].map((target) =>
  forwarded(`A07, B06, N02, N07, trap H10: twin: ${target} arrives as it was sent`, get(target), {
    line: `GET ${target} HTTP/1.1`,
  }),
);

const authorities: readonly HostileCase[] = [
  '//other.test/public/a',
  '//api.test/public/a',
  '///public/a',
  '//user@other.test:1/',
  '//',
  '//x/admin/export',
].map((target) =>
  refused(`N09, N07, trap H10, trap Node: no URL: ${target} is ambiguous`, get(target), ambiguous),
);

const rootTargets: readonly HostileCase[] = ['/', '/?//public/a'].map((target) =>
  refused(
    `N07, trap H10, trap Node: no URL: ${target} is a path, and none that is public`,
    get(target),
    { status: [401, 404] },
    {
      closes: false,
    },
  ),
);

const proofs: readonly (readonly [title: string, target: string, htu: string, passes: boolean])[] = [
  ['N02: %7e and ~', '/protected/~user', '/protected/%7euser', true],
  ['N02: %41 and A', '/protected/%41', '/protected/A', true],
  ['N02: %2F is no slash', '/protected/%3a', '/protected/:', false],
  ['N04: a slash at the end', '/protected/a/', '/protected/a', false],
  ['N04: the case of the path', '/protected/A', '/protected/a', false],
  ['N04: parameters', '/protected/a;v=1', '/protected/a', false],
  ['N04: two slashes', '/protected//a', '/protected/a', false],
  ['N07: the query is cut at the first ?', '/protected/a?b=/c?d', '/protected/a', true],
  ['N07: the query is no part of htu', '/protected/a?b=/c?d', '/protected/a?b=/c', true],
  ['N03: dots in htu are resolved, those of a request never are', '/protected/a', '/protected/b/../a', true],
  ['N01: another path', '/protected/a', '/protected/b', false],
];

const proven: readonly HostileCase[] = proofs.map(([title, target, htu, passes]) => {
  const bytes = lines(`GET ${target} HTTP/1.1`, 'Host: api.test', `{{proof GET ${htu}}}`, '', '');
  const name = `${title}: ${target} with a proof for ${htu}`;
  return passes
    ? forwarded(name, bytes, { line: `GET ${target} HTTP/1.1` })
    : refused(name, bytes, { status: 401, reason: 'dpop_htu_mismatch' }, { closes: false });
});

/** A05-A07, N01-N04, N07, B06: what a request asks for. The paths that can be confused are in paths.ts. */
export const targetCases: readonly HostileCase[] = [
  ...forms,
  ...characters,
  ...kept,
  ...authorities,
  ...rootTargets,
  ...proven,
];
