import fc from 'fast-check';
import { parseConfirmation } from '#holdfast/binding/confirmation.js';
import { buildRequestHeaders, copyResponseHeaders } from '#holdfast/forward/hygiene.js';
import { buildIdentity } from '#holdfast/forward/identity.js';
import { isCanonicalBase64url } from '#holdfast/jws/base64url.js';
import { parseCompactJws } from '#holdfast/jws/compact.js';
import { IgnoredKey, parsePublishedKey } from '#holdfast/jws/published-key.js';
import { parseStrictJsonObject } from '#holdfast/jws/strict-json.js';
import { parseElements, parseTime } from '#holdfast/pki/der.js';
import { findAlternatives } from '#holdfast/policy/alternatives.js';
import { hidesDotSegment } from '#holdfast/policy/hidden-dots.js';
import { compilePattern } from '#holdfast/policy/pattern.js';
import { RouteTable } from '#holdfast/policy/routes.js';
import { readSegments } from '#holdfast/policy/segments.js';
import { ProofHeaders } from '#holdfast/proof/dpop-header.js';
import { equalsHtu } from '#holdfast/proof/htu.js';
import { NonceIssuer } from '#holdfast/proof/nonce.js';
import { Origins } from '#holdfast/request/authority.js';
import { parseCredentials } from '#holdfast/request/credentials.js';
import { parseFraming } from '#holdfast/request/framing.js';
import { parseHead } from '#holdfast/request/head.js';
import { HeaderNames } from '#holdfast/request/header-names.js';
import { hasTokenInQuery, parseTarget } from '#holdfast/request/target.js';
import { parseClaims } from '#holdfast/token/claims.js';
import type { IssuerOptions } from '#holdfast/token/issuer.js';
import { checkTokenType } from '#holdfast/token/token-type.js';
import { identityNames, makeFacts } from '../support/facts.js';
import { makeAdmission, makeGrant } from '../support/grants.js';
import { ManualClock } from '../support/manual-clock.js';
import { importKey } from '../support/proof-key.js';
import { makeRoute } from '../support/routes.js';
import { context, makeVerifier } from '../support/verifier.js';
import { compactJws, objectWith, rawHeaders, target, textOf } from './inputs.js';

/** A parser of what somebody else wrote, and what to feed it. */
export interface Parser {
  readonly name: string;
  /** whether the answer or the refusal is the same each time is judged on what this returns or throws */
  readonly feed: fc.Arbitrary<() => unknown>;
  /** thrown beside Denial and Fault, by its doc comment */
  readonly alsoThrows?: new (
    ...args: never[]
  ) => Error;
}

function parser<Input>(
  name: string,
  input: fc.Arbitrary<Input>,
  run: (input: Input) => unknown,
  alsoThrows?: Parser['alsoThrows'],
): Parser {
  return { name, feed: input.map((given) => () => run(given)), ...(alsoThrows && { alsoThrows }) };
}

export const names = new HeaderNames(identityNames);
const origins = new Origins(['https://api.example', 'http://other.example:8080']);
const routes = new RouteTable([
  makeRoute('/public/**', { proof: 'none' }),
  makeRoute('/slashes/**', { encodedSlashes: 'pass' }),
  makeRoute('/orders/*/items'),
  makeRoute('/**'),
]);
const clock = new ManualClock(1_800_000_000_000);
const nonces = new NonceIssuer({ secret: Buffer.alloc(32, 7), lifetimeMs: 300_000, clock });
const proofHeaders = new ProofHeaders(['ES256', 'EdDSA'], clock);
const { verifier } = makeVerifier();
export const hygiene = {
  names,
  pseudonym: 'holdfast-test',
  pathPrefix: '',
  certificateClock: undefined,
  authorization: 'strip',
} as const;
export const issuer: IssuerOptions = {
  ...{ issuer: 'https://as.example', audience: ['https://api.example'], keys: 'discovery' },
  ...{ algorithms: ['ES256'], leewaySeconds: 10, requiredClaims: ['sub', 'iat'], clientClaim: 'client_id' },
  ...{ scopeClaim: 'scp', allowCleartext: false, tokenType: 'jwt' },
};
const fields = (characters: string) => fc.array(textOf(characters), { maxLength: 3 });
const malformed = 'token_malformed';

export const parsers: readonly Parser[] = [
  parser(
    'request head',
    rawHeaders,
    (raw) => parseHead(raw, { names, maxCount: 10, refuseOddNames: true }).fields,
  ),
  parser(
    'framing',
    fc.tuple(
      fields('chunked, gzipCHUNKED\t'),
      fields('0123456789+-, x'),
      fc.constantFrom('1.0', '1.1', '2.0'),
    ),
    ([coding, length, httpVersion]) => parseFraming(coding, length, { httpVersion, maxBodyBytes: 1000 }),
  ),
  parser('target', target, (text) => parseTarget(text, 50)),
  parser('token in the query', textOf('acces_token=&;%5F61'), (text) => hasTokenInQuery(text)),
  parser('authority', fields('api.example:443[]@%/OTHER8'), (hosts) => origins.select(hosts)),
  parser('credentials', fields('DPoP BearerdpopBASIC,=.-_~+/'), (sent) => parseCredentials(sent)),
  parser(
    'whole request',
    fc.record({ target, headers: rawHeaders, method: fc.constantFrom('GET', 'OPTIONS', 'TRACE', '') }),
    (request) => JSON.stringify(makeFacts(request)),
  ),
  parser('field name', textOf('X-_Auth.SubjectRemoteforwarded'), (name) => names.lookup(name)),
  parser('compact JWS', fc.oneof(compactJws, textOf('eyJ.=-_')), (text) =>
    parseCompactJws(text, { maxBytes: 500, malformed }),
  ),
  parser('strict JSON', textOf('{}[]",:\\ua0 1\n'), (text) => parseStrictJsonObject(Buffer.from(text))),
  parser('base64url', textOf('AQgwZ-_=+/'), (text) => isCanonicalBase64url(text)),
  parser('DPoP proof', fc.array(fc.oneof(compactJws, textOf('eyJ.,')), { maxLength: 2 }), (sent) =>
    verifier.verify(sent, context),
  ),
  parser(
    'header of a proof',
    fc.oneof(
      compactJws.map((text) => text.split('.')[0] ?? ''),
      textOf('eyJ'),
    ),
    (text) => proofHeaders.read(text),
  ),
  parser(
    'key of a proof',
    fc.tuple(
      fc.oneof(objectWith(['kty', 'crv', 'x', 'y', 'n', 'e', 'alg', 'use', 'key_ops', 'd']), fc.jsonValue()),
      fc.constantFrom('ES256', 'ES384', 'PS256', 'RS256', 'EdDSA', 'Ed25519'),
    ),
    ([jwk, algorithm]) => importKey(jwk, algorithm),
  ),
  parser('htu', textOf('htps:/.%2eE7f@[]:0?#'), (htu) => equalsHtu(htu, 'https://api.example/orders')),
  parser('nonce', textOf('AZaz09-_=', 33), (nonce) => nonces.verify(nonce, 'https://api.example')),
  parser('cnf', fc.oneof(objectWith(['jkt', 'x5t#S256', 'jwk']), fc.jsonValue()), (cnf) =>
    parseConfirmation(cnf),
  ),
  parser('claims', objectWith(['iss', 'aud', 'exp', 'iat', 'sub', 'client_id', 'scp', 'jti']), (claims) => {
    const { claims: read, ...contents } = parseClaims(claims, issuer);
    return [contents, read.size];
  }),
  parser(
    'type of a token',
    fc.tuple(objectWith(['typ', 'alg']), objectWith(['nonce', 'typ', 'token_use', 'sub', 'iss'])),
    ([header, claims]) => checkTokenType({ header, claims }, issuer),
  ),
  parser('dot segments', target, (path) => hidesDotSegment(path)),
  parser('segments', target, (text) => findAlternatives(readSegments(parseTarget(text, 8192), false))),
  parser('pattern of a route', fc.tuple(textOf('/*aA.%2f(+[\\'), target), ([pattern, path]) => {
    const compiled = compilePattern(`/${pattern}`);
    return [compiled.matches(path), compiled.segments.length];
  }),
  parser('routes', target, (text) => routes.match(makeFacts({ target: text }))),
  parser('identity', fc.string({ unit: 'binary' }), (value) =>
    buildIdentity(makeGrant({ claims: { value } }), {
      encoding: 'percent',
      headers: [{ name: 'X-Value', source: { claim: 'value' } }],
    }),
  ),
  parser('fields to the service', rawHeaders, (headers) =>
    buildRequestHeaders(makeAdmission(makeFacts({ headers })), [['X-Auth-Subject', 'alice']], hygiene),
  ),
  parser('fields of an answer', rawHeaders, (raw) => copyResponseHeaders(raw, { names, guarded: true })),
  parser(
    'published key',
    fc.oneof(objectWith(['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'alg', 'use', 'key_ops']), fc.jsonValue()),
    (entry) => parsePublishedKey(entry, ['ES256', 'PS256', 'EdDSA']),
    IgnoredKey,
  ),
  parser(
    'DER',
    fc.uint8Array({ maxLength: 60 }),
    (bytes) =>
      parseElements(Buffer.from(bytes)).map((element) => [
        element.tag,
        element.content.length,
        parseTime(element),
      ]),
    RangeError,
  ),
];
