import type { DeploymentName } from '../case.js';
import type { PathCase } from '../path-case.js';
import { pathMatrix } from './path-matrix.js';

const both: readonly DeploymentName[] = ['prefixes', 'catchAll'];

/** N02, N04: spellings of the prefix that some services take for it. */
const spellings: readonly PathCase[] = [
  '/protected',
  '/protected/',
  '/PROTECTED/x',
  '/Protected',
  '/pROTECTED/',
  '/%70rotected/x',
  '/%50rotected/x',
  '/p%72%6ftected/x',
  '/%70%72%6f%74%65%63%74%65%64',
  '/%2570rotected/x',
  '/%25%37%30rotected/x',
  '/%2550ROTECTED',
  '/protected;x',
  '/protected;x=1/y',
  '/protected;',
  '/;/protected/x',
  '/;x/protected/x',
  '/%3b/protected/x',
  '/%3bx=1/protected/x',
  '/protected%3bx',
  '/protected%253bx',
  '/protected%3fx',
  '/protected%23x',
  '/protected%253fx',
  '/protected%2523x',
  '/protected%2f',
  '/%2fprotected/x',
  '/%2f%2fprotected/x',
  '/%5cprotected/x',
  '/protected%5cx',
  '/protected%00',
  '/protected%00.html',
  '/protected%2500',
  '/protected%0a',
  '/protected%0d%0aX-A:b',
  '/protected%250a',
  '/pro%09tected/x',
  '/pro%0atected/x',
  '/pro%2509tected/x',
  '/protected#x',
  '/protected\\x',
  '//protected/x',
  '///protected//x',
  '/./protected/x',
  '/%2e/protected/x',
  '/.;/protected/x',
  '/x/../protected/x',
].map(
  (target): PathCase => ({
    title: `N02, N04, B06: spelling: ${target}`,
    target,
    at: 'catchAll',
    must: 'refuse',
  }),
);

/** What was found in other products; the title names it. */
const classics: readonly PathCase[] = [
  ['CVE-2021-41773, Apache', '/public/.%2e/.%2e/protected/x'],
  ['CVE-2021-42013, Apache', '/public/%%32%65%%32%65/protected/x'],
  ['CVE-2020-5902, BIG-IP', '/public/login.jsp/..;/..;/protected/x'],
  ['CVE-2007-0450, Tomcat', '/public/\\../protected/x'],
  ['CVE-2008-2938, Tomcat', '/public/%c0%ae%c0%ae/protected/x'],
  ['CVE-2001-0333, IIS', '/public/..%255c..%255cprotected/x'],
  ['CVE-2000-0884, IIS', '/public/..%c0%af..%c0%afprotected/x'],
  ['CVE-2000-0884, IIS, encoded twice', '/public/..%25c0%25af..%25c0%25afprotected/x'],
  ['CVE-2020-1957, Shiro', '/public/..;/protected/x'],
  ['CVE-2020-11989, Shiro', '/;/protected/x'],
  ['CVE-2020-11989, Shiro, encoded twice', '/protected%252fx'],
  ['CVE-2020-13933, Shiro', '/protected/%3bx'],
  ['CVE-2020-17523, Shiro', '/protected/%20'],
  ['CVE-2021-28164, Jetty', '/%2e/protected/x'],
  ['CVE-2021-34429, Jetty', '/%u002e/protected/x'],
  ['CVE-2021-34429, Jetty, with NUL', '/public/..%00/protected/x'],
  ['CVE-2022-22978, Spring', '/protected/%0a'],
  ['CVE-2021-29492, Envoy', '/public%2f..%2fprotected/x'],
  ['CVE-2021-29492, Envoy, backslash', '/public%5c..%5cprotected/x'],
  ['CVE-2021-32779, Envoy', '/protected#/public'],
  ['CVE-2019-9901, Envoy', '/public/../protected/x'],
  ['CVE-2019-11043, php-fpm', '/protected/x%0a'],
  ['merged slashes', '/public//..//protected/x'],
  ['CVE-2018-3760, Sprockets', '/public/%252e%252e/protected/x'],
  ['CVE-2021-43798, Grafana', '/public/plugins/text/../../../protected/x'],
  ['a path that begins with two slashes', '//protected/x'],
].flatMap(([name = '', target = '']) =>
  both.map((at): PathCase => ({ title: `N03, B06: ${name}: ${target}`, target, at, must: 'refuse' })),
);

/** What only looks like it, or is read as something else by no service that is known to us. */
const others: readonly PathCase[] = [
  '/public/...;/protected/x',
  '/public/..a/protected/x',
  '/public/a..b/protected/x',
  '/public/..%20/protected/x',
  '/public/.%20./protected/x',
  '/public/%20../protected/x',
  '/public/%25252e%25252e/protected/x',
  '/public/%ef%bc%8e%ef%bc%8e/protected/x',
  '/public/%ef%bc%8fprotected/x',
  '/public/%e2%88%95protected/x',
  '/public../protected/x',
  '/protected.',
  '/protected.json',
  '/protected%20/x',
  '/protected~1/x',
  '/protecte%64x',
  '/protected::$INDEX_ALLOCATION/x',
  '/xprotected/x',
  '/public/http://api.test/protected/x',
  '/public/protected/x',
  '/public/%70rotected/x',
  '/public/;a=protected/x',
  '/public/a?/../../protected/x',
  '/public/a?x=%2e%2e%2fprotected',
  '/public/%7euser/~user',
].flatMap((target) =>
  both.map((at): PathCase => ({ title: `N02, N04, B06: either: ${target}`, target, at })),
);

const twins: readonly PathCase[] = [
  '/public/protected/x',
  '/public/a.b/..c/d..',
  '/public/.well-known/x',
  '/public/%7euser/%c3%a4',
  '/public/a;v=1/b',
  '/public//a',
  '/public/a?b=/../../protected',
  '/public/a%20b',
].flatMap((target) =>
  both.map((at): PathCase => ({ title: `N02, N04, B06: twin: ${target}`, target, at, must: 'forward' })),
);

const declaredSlashes: readonly PathCase[] = [
  ...[
    '..%2fprotected/x',
    '%2e%2e%2Fprotected/x',
    'a%2f..%2f..%2fprotected',
    '..%252fprotected',
    '%2f..%2fprotected',
  ].map(
    (rest): PathCase => ({
      title: `N02, N03, B06: encodedSlashes: pass: /slashes/${rest}`,
      target: `/slashes/${rest}`,
      at: 'prefixes',
      must: 'refuse',
    }),
  ),
  ...['a%2fb', '%2fprotected%2Fx', 'a%2fprotected'].map(
    (rest): PathCase => ({
      title: `N02, B06: twin: encodedSlashes: pass: /slashes/${rest}`,
      target: `/slashes/${rest}`,
      at: 'prefixes',
      must: 'forward',
    }),
  ),
];

/** N02-N04, N07, B06: paths that a service may read as another. */
export const pathCases: readonly PathCase[] = [
  ...pathMatrix,
  ...spellings,
  ...classics,
  ...others,
  ...twins,
  ...declaredSlashes,
];
