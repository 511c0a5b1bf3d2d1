import assert from 'node:assert/strict';
import test from 'node:test';
import { catalogue, type Reason } from '#holdfast/denial/catalogue.js';
import { Denial } from '#holdfast/denial/denial.js';
import type { Refusal } from '#holdfast/gate/refusal.js';
import { buildChallenges } from '#holdfast/reply/challenge.js';
import type { Scheme } from '#holdfast/request/credentials.js';
import { makeRoute } from '../../support/routes.js';

const options = {
  realm: 'api.example',
  resourceMetadata: 'https://api.example/.well-known/oauth-protected-resource',
  dpopAlgorithms: ['ES256', 'EdDSA'],
};
const route = makeRoute('/**', { scopes: ['read', 'write'] });
const challenge = (reason: Reason, refusal: Partial<Refusal> & { scheme?: Scheme } = {}) => {
  const denial = new Denial(reason);
  const whole: Refusal = { kind: 'refused', cause: denial, scheme: undefined, route, ...refusal };
  return buildChallenges(whole, denial, options);
};
const common = 'resource_metadata="https://api.example/.well-known/oauth-protected-resource"';

test('C01: without credentials each scheme of the route is offered, without an error', () => {
  assert.deepEqual(challenge('credentials_missing'), [
    `Bearer realm="api.example", ${common}`,
    `DPoP realm="api.example", algs="ES256 EdDSA", ${common}`,
  ]);
});

test('C01: only schemes that the route takes are offered', () => {
  const schemes = (proof: 'any' | 'dpop' | 'mtls' | 'both') =>
    challenge('credentials_missing', { route: makeRoute('/**', { proof }) }).map(
      (one) => one.split(' ', 1)[0],
    );
  assert.deepEqual(schemes('any'), ['Bearer', 'DPoP']);
  assert.deepEqual(schemes('dpop'), ['DPoP']);
  assert.deepEqual(schemes('mtls'), ['Bearer']);
  assert.deepEqual(schemes('both'), ['DPoP']);
});

test('RFC 9449 §7.2: the scheme that was used gets the error, the other is listed without', () => {
  const [bearer = '', dpop = ''] = challenge('dpop_ath_mismatch', { scheme: 'DPoP' });
  assert.doesNotMatch(bearer, /error/);
  assert.match(
    dpop,
    /^DPoP realm="api\.example", error="invalid_dpop_proof", error_description="[^"]+", algs="ES256 EdDSA", /,
  );
  const [first = '', second = ''] = challenge('token_expired', { scheme: 'Bearer' });
  assert.match(first, /^Bearer .*error="invalid_token"/);
  assert.doesNotMatch(second, /error/);
});

test('C07: Bearer on a route that takes DPoP only gets its error and a DPoP challenge', () => {
  const challenges = challenge('bound_token_as_bearer', {
    scheme: 'Bearer',
    route: makeRoute('/**', { proof: 'dpop' }),
  });
  assert.equal(challenges.length, 2);
  assert.ok(
    challenges.some((one) => one.startsWith('DPoP ') && one.includes('algs=') && !one.includes('error=')),
  );
  assert.ok(challenges.some((one) => one.startsWith('Bearer ') && one.includes('error="invalid_token"')));
});

test('C03: ambiguous credentials are told with both schemes', () => {
  for (const scheme of ['Bearer', 'DPoP'] as const) {
    const challenges = challenge('credentials_ambiguous', {
      scheme,
      route: makeRoute('/**', { proof: 'mtls' }),
    });
    assert.deepEqual(
      challenges.map((one) => /^(\w+) .*error="invalid_request"/.exec(one)?.[1]),
      ['Bearer', 'DPoP'],
    );
  }
});

test('C05: a refusal for a token in the query, with no scheme used, is told with every scheme', () => {
  for (const one of challenge('token_in_query')) assert.match(one, /error="invalid_request"/);
});

test('D17: insufficient_scope names the scopes that are needed', () => {
  const [bearer = ''] = challenge('insufficient_scope', { scheme: 'Bearer' });
  assert.match(bearer, /error="insufficient_scope".*, scope="read write", /);
  assert.doesNotMatch(challenge('claim_refused', { scheme: 'Bearer' }).join(), /scope="read/);
});

test('G22: every DPoP challenge lists the algorithms', () => {
  for (const reason of Object.keys(catalogue) as Reason[]) {
    for (const one of challenge(reason, { scheme: 'DPoP' })) {
      assert.equal(one.startsWith('DPoP ') === one.includes('algs="ES256 EdDSA"'), true, one);
    }
  }
});

test('O09: what asks for no other credentials has no challenge', () => {
  for (const reason of [
    'target_invalid',
    'method_not_allowed',
    'proof_quota_exceeded',
    'host_not_served',
  ] as const) {
    assert.deepEqual(challenge(reason), []);
  }
  const denial = new Denial('credentials_missing');
  const routeless: Refusal = { kind: 'refused', cause: denial, scheme: undefined };
  assert.deepEqual(buildChallenges(routeless, denial, options), []);
});

test('O02: parameters are quoted strings, quotes and backslashes escaped', () => {
  const denial = new Denial('credentials_missing');
  const refusal: Refusal = { kind: 'refused', cause: denial, scheme: undefined, route };
  const [bearer = ''] = buildChallenges(refusal, denial, { ...options, realm: 'a "b" \\c' });
  assert.ok(bearer.startsWith('Bearer realm="a \\"b\\" \\\\c", '), bearer);
});

test('O02: nothing of the request is echoed', () => {
  const denial = new Denial('dpop_htu_mismatch', 'expected https://api.example/"x, got https://evil/');
  const refusal: Refusal = { kind: 'refused', cause: denial, scheme: 'DPoP', route };
  assert.doesNotMatch(buildChallenges(refusal, denial, options).join(), /evil|\/"x/);
});
