import fc from 'fast-check';
import { segment } from '../support/proofs.js';

/** Text of the characters that matter to a parser, with some that matter to none. */
export function textOf(characters: string, maxLength = 60): fc.Arbitrary<string> {
  const near = fc.string({ unit: fc.constantFrom(...characters), maxLength });
  return fc.oneof(
    { arbitrary: near, weight: 3 },
    fc.string({ unit: 'binary', maxLength }),
    fc.string({ maxLength }),
  );
}

/** What a header field line can hold when Node delivers it: latin1. */
export const fieldValue = fc.string({
  unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
  maxLength: 40,
});

const knownNames = fc.constantFrom(
  ...[
    'Host',
    'host',
    'Authorization',
    'DPoP',
    'Transfer-Encoding',
    'Content-Length',
    'Connection',
    'Upgrade',
  ],
  ...['Expect', 'Via', 'Max-Forwards', 'Origin', 'X-Auth-Subject', 'X_Auth_Subject', 'X-Forwarded-For', 'TE'],
  ...[
    'X-Plain',
    'x-plain',
    'X-Other',
    'Cookie',
    'Remote-User',
    'Proxy',
    'Trailer',
    'Access-Control-Request-Method',
  ],
);
const tokenName = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/);
const knownValues = fc.constantFrom(
  ...[
    'api.example',
    'api.example:443',
    'chunked',
    'Chunked',
    'gzip, chunked',
    '0',
    '5',
    '05',
    '+5',
    '99999999999999',
  ],
  ...[
    'close',
    'keep-alive',
    'upgrade',
    'X-Plain',
    'x-other, close',
    'host',
    '100-continue',
    'h2c',
    '1.1 holdfast-test',
  ],
  ...['', ' ', 'Bearer abc', 'DPoP abc', 'DPoP a,b', 'GET', 'x', '1.1 a, 1.1 b'],
);

/** name, value, name, value, … as the HTTP parser delivers them */
export const rawHeaders: fc.Arbitrary<string[]> = fc
  .array(
    fc.tuple(fc.oneof(knownNames, knownNames, tokenName), fc.oneof(knownValues, knownValues, fieldValue)),
    {
      maxLength: 12,
    },
  )
  .map((lines) => lines.flat());

export const target = fc.oneof(
  textOf('/%.;\\?#aZ09~2eEfF5cC!:@-_&=', 40).map((text) => `/${text}`),
  textOf('/%.;\\?#:*'),
);

/** JSON values as parsers of claims meet them, with the names that they look for. */
export function objectWith(names: readonly string[]): fc.Arbitrary<Record<string, unknown>> {
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(
      '',
      'a',
      'at+jwt',
      'sig',
      'EC',
      'P-256',
      'AQAB',
      0,
      -1,
      1e300,
      1_800_000_000,
      null,
      [],
      {},
      true,
    ),
    fc.uint8Array({ minLength: 31, maxLength: 33 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  );
  const name = fc.oneof(
    fc.constantFrom(...names),
    fc.constantFrom('__proto__', 'constructor', 'toString', 'x'),
  );
  return fc
    .array(fc.tuple(name, value), { maxLength: 8 })
    .map((entries) => JSON.parse(JSON.stringify(Object.fromEntries(entries))));
}

/** Three segments that are compact JWS in shape, or nearly. */
export const compactJws: fc.Arbitrary<string> = fc
  .tuple(
    objectWith(['typ', 'alg', 'kid', 'jwk', 'crit', 'b64', 'zip', 'cty']),
    objectWith(['iss', 'aud', 'exp', 'iat', 'jti', 'htm', 'htu', 'ath', 'nonce', 'cnf']),
    fc.uint8Array({ maxLength: 70 }),
    fc.constantFrom('', '.', '=', 'A', ' '),
  )
  .map(
    ([header, claims, signature, extra]) =>
      `${segment(header)}.${segment(claims)}.${Buffer.from(signature).toString('base64url')}${extra}`,
  );
