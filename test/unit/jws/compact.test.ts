import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { parseCompactJws, splitCompactJws } from '#holdfast/jws/compact.js';
import { denied, refusesOnlyByDenial } from '../../support/denied.js';
import { segment } from '../../support/proofs.js';

const limits = { maxBytes: 8192, malformed: 'token_malformed' } as const;
const header = { typ: 'at+jwt', alg: 'ES256' };
const payload = { sub: 'alice' };
const signature = Buffer.alloc(64, 7).toString('base64url');
const compact = (first: object | string, second: object | string = payload) =>
  `${segment(first)}.${segment(second)}.${signature}`;
const refused = (text: string) => denied(() => parseCompactJws(text, limits), 'token_malformed');

test('D01: three canonical segments are read, and what was signed is kept as sent', () => {
  const text = compact(header);
  assert.deepEqual(parseCompactJws(text, limits), { header, claims: payload });
  assert.deepEqual(splitCompactJws(text, limits), {
    header: segment(header),
    payload: segment(payload),
    signature,
    signingInput: text.slice(0, text.lastIndexOf('.')),
  });
});

test('D01: taking apart looks at the length, the number of segments and the signature', () => {
  const good = compact(header);
  for (const text of ['', '..', 'a.b', 'a.b.', `${good}.x`, `${good}=`, `${good} `, 'a.b.A']) {
    denied(() => splitCompactJws(text, limits), 'token_malformed');
  }
  denied(() => splitCompactJws(good, { ...limits, maxBytes: good.length - 1 }), 'token_malformed');
});

test('D01, trap jose: padding, white space, unused bits and other counts of segments are refused', () => {
  const good = compact(header);
  const [first = '', second = ''] = good.split('.');
  for (const text of [
    '',
    '.',
    '..',
    first,
    `${first}.${second}`,
    `${first}.${second}.`,
    `.${second}.${signature}`,
    `${first}..${signature}`,
    `${good}.${signature}`,
    `${good}.a.b`,
    `${good}=`,
    `${good} `,
    ` ${good}`,
    `${first}.${second} .${signature}`,
    `${first}\t.${second}.${signature}`,
    `${good.slice(0, -1)}x`, // 64 bytes end on A, Q, g or w
    JSON.stringify({ protected: first, payload: second, signature }),
  ]) {
    refused(text);
  }
});

test('D01: the length is checked before anything is decoded', () => {
  const text = compact(header);
  const { detail } = denied(
    () => parseCompactJws(text, { ...limits, maxBytes: text.length - 1 }),
    'token_malformed',
  );
  assert.match(detail ?? '', /^longer than/);
  parseCompactJws(text, { ...limits, maxBytes: text.length });
});

test('D01: the reason that is thrown is the caller’s', () => {
  denied(
    () => parseCompactJws('x', { ...limits, malformed: 'dpop_proof_malformed' }),
    'dpop_proof_malformed',
  );
});

test('D06: crit, b64 and zip are refused, whatever their value', () => {
  for (const extra of [
    { crit: ['exp'] },
    { crit: [] },
    { crit: null },
    { b64: false },
    { b64: true },
    { zip: 'DEF' },
  ]) {
    refused(compact({ ...header, ...extra }));
  }
  parseCompactJws(compact({ ...header, kid: '1', jku: 'https://a.example', x5u: 'x' }), limits);
});

test('D06: a nested JWT is refused, another content type is not', () => {
  for (const cty of ['JWT', 'jwt', 'application/jwt']) refused(compact({ ...header, cty }));
  parseCompactJws(compact({ ...header, cty: 'json' }), limits);
});

test('D07: a repeated member of header or payload is refused', () => {
  refused(compact('{"alg":"none","alg":"ES256"}'));
  refused(compact(header, '{"sub":"alice","sub":"admin"}'));
  parseCompactJws(compact('{"alg":"ES256"}', '{"sub":"alice"}'), limits);
});

test('D01: header and payload are JSON objects', () => {
  for (const text of ['[]', '"a"', '1', 'null', 'not json']) {
    refused(compact(text));
    refused(compact(header, text));
  }
});

test('D13: a JWE of five segments is refused', () => {
  refused(`${compact({ alg: 'dir', enc: 'A256GCM' })}.AAAA.AAAA`);
});

test('D14: a member called __proto__ changes no prototype', () => {
  const parsed = parseCompactJws(compact(header, '{"__proto__":{"sub":"admin"}}'), limits);
  assert.equal(parsed.claims.sub, undefined);
});

test('D15: arbitrary text is read or refused, nothing else is thrown', () => {
  const part = fc.oneof(
    fc.base64String().map((text) => text.replace(/[+/=]/g, '')),
    fc.json().map(segment),
    fc.string(),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(part, { maxLength: 5 }).map((parts) => parts.join('.')),
      ),
      (text) => {
        refusesOnlyByDenial(() => parseCompactJws(text, limits));
      },
    ),
    { numRuns: 1000 },
  );
});
