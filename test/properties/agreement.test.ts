import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Denial } from '#holdfast/denial/denial.js';
import { buildRequestHeaders, copyResponseHeaders } from '#holdfast/forward/hygiene.js';
import { buildIdentity, type IdentityEncoding } from '#holdfast/forward/identity.js';
import { isCanonicalBase64url } from '#holdfast/jws/base64url.js';
import { parseStrictJsonObject } from '#holdfast/jws/strict-json.js';
import { equalsHtu } from '#holdfast/proof/htu.js';
import { parseFraming } from '#holdfast/request/framing.js';
import { normalizePercentEncoding, parseTarget } from '#holdfast/request/target.js';
import { isProtected } from '../fuzz/forwarded-fields.js';
import { makeFacts } from '../support/facts.js';
import { makeAdmission, makeGrant } from '../support/grants.js';
import { rawHeaders, target, textOf } from './inputs.js';
import { hygiene, names } from './parsers.js';

/** @returns undefined when it is refused */
function unlessDenied<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof Denial) return undefined;
    throw error;
  }
}

test('D01: canonical base64url is what decoding and encoding leave as it is', () => {
  fc.assert(
    fc.property(textOf('AQgwZ09-_=+/ '), (text) => {
      const again = Buffer.from(text, 'base64url').toString('base64url');
      assert.equal(isCanonicalBase64url(text), text !== '' && again === text);
    }),
    { numRuns: 1000 },
  );
});

test('D07: strict JSON is JSON.parse of an object, or nothing', () => {
  fc.assert(
    fc.property(fc.oneof(textOf('{}[]",:\\ua0 1\n'), fc.json()), (text) => {
      const strict = parseStrictJsonObject(Buffer.from(text));
      if (strict !== undefined) assert.deepEqual(strict, JSON.parse(Buffer.from(text).toString()));
    }),
    { numRuns: 1000 },
  );
});

test('A08: a body has one length: what is read as one is written the same, and nothing else is', () => {
  fc.assert(
    fc.property(textOf('0123456789+-x. ,', 18), (length) => {
      const framing = unlessDenied(() =>
        parseFraming([], [length], { httpVersion: '1.1', maxBodyBytes: 1e15 }),
      );
      assert.equal(
        framing?.kind === 'length',
        /^\d{1,15}$/.test(length) && String(Number(length)) === length,
      );
    }),
    { numRuns: 1000 },
  );
});

test('N02: the path that routes see is in normal form, and only its spelling differs from what was sent', () => {
  fc.assert(
    fc.property(target, (text) => {
      const read = unlessDenied(() => parseTarget(text, 8192));
      if (read === undefined) return;
      assert.equal(normalizePercentEncoding(read.path), read.path);
      assert.equal(decodeOctets(read.path), decodeOctets(read.rawPath));
      assert.equal(read.rawPath + (read.query === undefined ? '' : `?${read.query}`), text);
    }),
    { numRuns: 1000 },
  );
});

function decodeOctets(path: string): string {
  return path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

test('G11, N02: htu is equal in both directions when both sides are in normal form', () => {
  const path = target.map((text) => normalizePercentEncoding(`/${text.split(/[?#]/)[0]}`) ?? '/');
  const uri = path.map((normal) => `https://api.example${normal}`);
  fc.assert(
    fc.property(uri, uri, (one, other) => {
      // In normal form there are no dot segments either: with them the claim is repaired, the request never is.
      fc.pre(!/\/\./.test(one + other));
      assert.equal(equalsHtu(one, other), equalsHtu(other, one));
    }),
    { numRuns: 1000 },
  );
});

for (const encoding of ['percent', 'base64url'] as const) {
  test(`L03, L05: no two claims are written alike (${encoding})`, () => {
    fc.assert(
      fc.property(claim, claim, (one, other) => {
        assert.equal(write(one, encoding) === write(other, encoding), one === other);
      }),
      { numRuns: 1000 },
    );
  });
}

const claim = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
  textOf('% 2025AQgw-_', 8).filter((text) => text !== '' && text.isWellFormed()),
  fc.string({ minLength: 1, maxLength: 6 }).map((text) => Buffer.from(text).toString('base64url')),
);

function write(value: string, encoding: IdentityEncoding): string | undefined {
  const headers = [{ name: 'X-Value', source: { claim: 'value' } }];
  return buildIdentity(makeGrant({ claims: { value } }), { encoding, headers })[0]?.[1];
}

test('L03: what is written in percent encoding decodes to the claim', () => {
  fc.assert(
    fc.property(claim, (value) => assert.equal(decodeURIComponent(write(value, 'percent') ?? ''), value)),
    { numRuns: 1000 },
  );
});

const ownNames =
  /^(?:host|content-length|transfer-encoding|via|max-forwards|x-forwarded-(?:for|proto|host)|x-request-id|x-auth-subject)$/;

test('L01, A21, B08: no protected name of the client reaches the service, whatever else it sends', () => {
  fc.assert(
    fc.property(rawHeaders, (headers) => {
      const facts = unlessDenied(() => makeFacts({ headers }));
      if (facts === undefined) return;
      const built = buildRequestHeaders(makeAdmission(facts), [['X-Auth-Subject', 'alice']], hygiene);
      const lines = built
        .filter((_, at) => at % 2 === 0)
        .map((name, at) => [name.toLowerCase(), built[at * 2 + 1]]);
      for (const [name = '', value] of lines) {
        assert.match(name, /^[a-z0-9-]+$/);
        if (isProtected(name)) assert.match(name, ownNames);
        if (name === 'x-auth-subject') assert.equal(value, 'alice');
      }
      const own = lines.map(([name = '']) => name).filter((name) => ownNames.test(name));
      assert.equal(new Set(own).size, own.length, 'each of our own fields once');
    }),
    { numRuns: 1000 },
  );
});

test('B03, L09: no answer carries what speaks for the connection or for us', () => {
  fc.assert(
    fc.property(rawHeaders, (raw) => {
      const { headers } = copyResponseHeaders(raw, { names, guarded: true });
      const nominated = raw.flatMap((name, at) =>
        at % 2 === 0 && name.toLowerCase() === 'connection'
          ? (raw[at + 1] ?? '')
              .toLowerCase()
              .split(',')
              .map((option) => option.trim())
          : [],
      );
      for (let at = 0; at < headers.length; at += 2) {
        const name = headers[at]?.toLowerCase() ?? '';
        assert.doesNotMatch(
          name,
          /^(?:connection|te|trailer|transfer-encoding|upgrade|content-length|x-auth-.*)$/,
        );
        assert.ok(!nominated.includes(name), `${name} was nominated`);
      }
    }),
    { numRuns: 1000 },
  );
});
