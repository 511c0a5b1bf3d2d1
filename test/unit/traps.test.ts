import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';

/**
 * What Node and the packages do wrong by default, each by the words with which the title of its test goes on behind
 * `trap `. H22 was never given out.
 */
const traps: readonly string[] = [
  ...Array.from({ length: 24 }, (_, index) => `H${index + 1}`).filter((id) => id !== 'H22'),
  'H5b',
  // What the parser of Node takes without complaint.
  'Node: two Host lines',
  'Node: Host: ',
  'Node: # in the target',
  'Node: a backslash in the target',
  'Node: HTTP/0.9',
  'Node: Transfer-Encoding in HTTP/1.0',
  'Node: Transfer-Encoding: ',
  'Node: Content-Length: 00',
  'Node: NODE_OPTIONS=--insecure-http-parser',
  'Node: 2100 fields',
  // What its server does unasked.
  'Node: 0.CL', // 100 Continue before the handler
  'Node: an upgrade is no ordinary request',
  'Node: TRACE',
  'Node: a good request in the same packet',
  'Node: what the parser refuses',
  'Node: setHeader',
  'Node: SIGUSR1',
  // TLS.
  'Node: setSecureContext',
  'Node: a resumed session',
  'Node: requestCert',
  'Node: no peer certificate after close',
  'Node: isSessionReused',
  'Node: getPeerX509Certificate', // its copies are never freed
  'Node: getPeerCertificate', // ends the process for a curve without a NIST name
  // Its parsers of URLs.
  'Node: new URL()',
  'Node: no URL: ',
  // Its client.
  'Node: an end of line before the answer',
  'Node: a version of another protocol',
  // Segments, headers and claims that jose takes.
  'jose: padding',
  'jose: padding, white space, unused bits',
  'jose: unused bits',
  'jose: a byte order mark',
  'jose: a header member twice',
  'jose: a claim twice',
  'jose: typ',
  'jose: b64',
  'jose: zip',
  'jose: exp missing',
  'jose: exp 1e400',
  'jose: iss',
  'jose: aud',
  // Keys that jose takes.
  'jose: with k',
  'jose: with p and q',
  'jose: RSA with exponent 1',
  'jose: Ed25519 point of small order',
  'jose: x with a byte of zero before it',
  // Its remote key set.
  'jose: no size limit',
  'jose: an empty set',
  'jose: one malformed key',
  'jose: no stale-if-error',
  'jose: a fetch for each request',
  'lru-cache: a full store',
  'prom-client: ',
];

const tests = new URL('../../../test/', import.meta.url);

/** The sources of all tests but this one, without comments. */
function readTests(): string {
  return readdirSync(tests, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('traps.test.ts'))
    .map((file) => readFileSync(new URL(file, tests), 'utf8').replace(/^\s*(?:\/\/|\*|\/\*).*$/gm, ''))
    .join('\n');
}

test('every trap is named by the title of a test', () => {
  const text = readTests();
  /** H1 is not named by H12 */
  const isNamed = (trap: string) =>
    text
      .split(`trap ${trap}`)
      .slice(1)
      .some((rest) => !/^\w/.test(rest) || !/\w$/.test(trap));
  assert.deepEqual(
    traps.filter((trap) => !isNamed(trap)),
    [],
  );
});
