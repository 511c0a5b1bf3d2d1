import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { copyResponseHeaders } from '#holdfast/forward/hygiene.js';
import { buildIdentity } from '#holdfast/forward/identity.js';
import { isCanonicalBase64url } from '#holdfast/jws/base64url.js';
import { parseCompactJws } from '#holdfast/jws/compact.js';
import { parseStrictJsonObject } from '#holdfast/jws/strict-json.js';
import { parseElements } from '#holdfast/pki/der.js';
import { hidesDotSegment } from '#holdfast/policy/hidden-dots.js';
import { compilePattern } from '#holdfast/policy/pattern.js';
import { RouteTable } from '#holdfast/policy/routes.js';
import { equalsHtu } from '#holdfast/proof/htu.js';
import { Origins } from '#holdfast/request/authority.js';
import { parseCredentials } from '#holdfast/request/credentials.js';
import { parseFraming } from '#holdfast/request/framing.js';
import { parseHead } from '#holdfast/request/head.js';
import { hasTokenInQuery, parseTarget } from '#holdfast/request/target.js';
import { checkTokenType } from '#holdfast/token/token-type.js';
import { makeFacts } from '../support/facts.js';
import { makeGrant } from '../support/grants.js';
import { makeRoute } from '../support/routes.js';
import { issuer, names } from './parsers.js';

/** What to repeat, and the parser that has to bear it. Where it refuses by length, the length at which it does not yet. */
interface Load {
  readonly name: string;
  readonly pieces: readonly string[];
  readonly run: (text: string) => unknown;
  /** characters of the short input; the long one is 8 times that */
  readonly characters?: number;
}

const origins = new Origins(['https://api.example']);
const routes = new RouteTable([makeRoute('/a/*/b/**'), makeRoute('/x/y'), makeRoute('/**')]);
const pattern = compilePattern('/*/a/*/b/*/c/**');
const limits = { maxBytes: 1e9, malformed: 'token_malformed' } as const;
const head = { names, maxCount: 1e9, refuseOddNames: false };
const unlimited = { maxTargetBytes: 1e9, maxCount: 1e9 };

const loads: readonly Load[] = [
  {
    name: 'target',
    pieces: ['/', '/.', '%', '%41', '%2e', ';', '/..;', 'a', '?'],
    run: (text) => parseTarget(`/${text}`, 1e9),
  },
  {
    name: 'token in the query',
    pieces: ['&', 'a', '%61', ';a', '&a=', 'access_token&'],
    run: hasTokenInQuery,
  },
  { name: 'authority', pieces: ['a', '.', ':', '[', '1:'], run: (text) => origins.select([text]) },
  {
    name: 'framing',
    pieces: ['0', '1', ' ', ',', 'chunked,'],
    run: (text) => parseFraming([], [text], { httpVersion: '1.1', maxBodyBytes: 1 }),
  },
  {
    name: 'credentials',
    pieces: [' ', '=', 'a', '-', 'a ', ','],
    run: (text) => parseCredentials([`DPoP ${text}`]),
    characters: 1000,
  },
  { name: 'scheme', pieces: ['-', 'a', '!'], run: (text) => parseCredentials([text]) },
  {
    name: 'field names',
    pieces: ['X-A:', 'x_y:', 'X-Forwarded-:', '-:'],
    run: (text) => parseHead(text.split(':'), head).fields.length,
  },
  {
    name: 'connection',
    pieces: [',', ' ', 'a,', 'keep-alive,', '\t'],
    run: (text) => parseHead(['Connection', text], head).nominated.size,
  },
  {
    name: 'many connection lines',
    pieces: ['a'],
    run: (text) =>
      parseHead(
        [...text].flatMap(() => ['Connection', 'a']),
        head,
      ).nominated.size,
  },
  {
    name: 'whole request',
    pieces: ['Via:1.1 a,:', 'X-A:b:', 'Cookie:;:'],
    run: (text) => makeFacts({ headers: text.split(':').slice(0, -1), rules: unlimited }),
  },
  {
    name: 'via',
    pieces: ['holdfast-test,', ',', ' ', '1.1 x '],
    run: (text) => makeFacts({ headers: ['Via', text], rules: unlimited }),
  },
  { name: 'compact JWS', pieces: ['.', 'A', 'eyJ', '-'], run: (text) => parseCompactJws(text, limits) },
  {
    name: 'strict JSON',
    pieces: ['{"a":', '[', '"a",', '\\u0061', ' ', '"":{},'],
    run: (text) => parseStrictJsonObject(Buffer.from(`{"x":[${text}]}`)),
  },
  {
    name: 'names in JSON',
    pieces: ['a'],
    run: (text) =>
      parseStrictJsonObject(
        Buffer.from(JSON.stringify(Object.fromEntries([...text].map((_, at) => [`n${at}`, at])))),
      ),
  },
  { name: 'base64url', pieces: ['A', '=', '-_'], run: isCanonicalBase64url },
  {
    name: 'htu',
    pieces: ['/', '/.', '/..', '%41', ':', '@', '%2e/', 'a/../'],
    run: (text) => equalsHtu(`https://api.example/${text}`, 'https://api.example/'),
    characters: 1000,
  },
  {
    name: 'type of a token',
    pieces: ['application/', '/', 'a'],
    run: (text) => checkTokenType({ header: { typ: text }, claims: {} }, issuer),
  },
  {
    name: 'dot segments',
    pieces: ['/', ';', '%25', '%2f', '//;', 'a'],
    run: (text) => hidesDotSegment(`/${text}`),
  },
  { name: 'pattern', pieces: ['/', '/a', '/a/b', 'a'], run: (text) => pattern.matches(`/${text}`) },
  {
    name: 'routes',
    pieces: ['/', '/a', '/a/b', 'A/'],
    run: (text) => routes.match(makeFacts({ target: `/${text}`, rules: unlimited })),
  },
  {
    name: 'identity',
    pieces: ['%', ' ', 'é', 'a', '\r'],
    run: (value) =>
      buildIdentity(makeGrant({ claims: { value } }), {
        encoding: 'percent',
        headers: [{ name: 'X-V', source: { claim: 'value' } }],
      }),
    characters: 300,
  },
  {
    name: 'fields of an answer',
    pieces: ['X-A:b:', 'Connection:x:', 'Set-Cookie:c:'],
    run: (text) => copyResponseHeaders(text.split(':'), { names, guarded: true }),
  },
  {
    name: 'DER',
    pieces: ['\x30\x00', '\x30\x81\x00', '\x02\x01\x00'],
    run: (text) => parseElements(Buffer.from(text, 'latin1')),
  },
];

const growth = 8;
/** Twice as steep as a line would be no finding on a busy machine, as steep as a square is 64. */
const mostRatio = 32;
const attempts = 3;

describe('A17: no parser takes more than its share of time for a long input', () => {
  for (const { name, pieces, run, characters = 4000 } of loads) {
    for (const piece of pieces) {
      test(`${name}: ${JSON.stringify(piece)}`, () => {
        const short = piece.repeat(Math.ceil(characters / piece.length));
        const long = short.repeat(growth);
        const ratios: number[] = [];
        do {
          ratios.push(costOf(run, long) / costOf(run, short));
        } while (ratios.length < attempts && Math.min(...ratios) > mostRatio);
        assert.ok(
          Math.min(...ratios) <= mostRatio,
          `${growth} times the length took ${ratios.join(', ')} times as long`,
        );
      });
    }
  }
});

/** The least of several, µs of processor time for one run, and never nothing. */
function costOf(run: (text: string) => unknown, text: string): number {
  const samples = Array.from({ length: 3 }, () => {
    const before = process.cpuUsage();
    let runs = 0;
    let spent: number;
    do {
      attempt(run, text);
      runs++;
      const { user, system } = process.cpuUsage(before);
      spent = user + system;
    } while (spent < 1000);
    return spent / runs;
  });
  return Math.min(...samples);
}

/** Refusing is an answer too. */
function attempt(run: (text: string) => unknown, text: string): void {
  try {
    run(text);
  } catch {}
}
