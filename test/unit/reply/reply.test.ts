import assert from 'node:assert/strict';
import test from 'node:test';
import { catalogue, type Reason } from '#holdfast/denial/catalogue.js';
import { Denial } from '#holdfast/denial/denial.js';
import { Fault } from '#holdfast/denial/fault.js';
import { type Refusal, toRefusal } from '#holdfast/gate/refusal.js';
import { type Answer, Replies } from '#holdfast/reply/reply.js';
import { makeFacts } from '../../support/facts.js';
import { makeRoute } from '../../support/routes.js';

const replies = new Replies({
  realm: 'api.example',
  resourceMetadata: 'https://api.example/.well-known/oauth-protected-resource',
  dpopAlgorithms: ['ES256'],
  issueNonce: (origin) => `nonce-of-${origin}`,
});
const facts = makeFacts({ headers: ['Authorization', 'DPoP abc'] });
const refuse = (cause: Denial | Fault, refusal: Partial<Refusal> = {}) =>
  replies.refuse({ ...toRefusal(cause, { facts, route: makeRoute('/**') }), ...refusal }, 'request-1');
const values = ({ headers }: Answer, name: string) =>
  headers.filter((_, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === name.toLowerCase());

test('O01: code and status of every OAuth error', () => {
  const status = {
    invalid_request: 400,
    invalid_token: 401,
    insufficient_scope: 403,
    invalid_dpop_proof: 401,
    use_dpop_nonce: 401,
  };
  for (const [reason, entry] of Object.entries(catalogue)) {
    if (!('error' in entry) || entry.error === undefined) continue;
    const answer = refuse(new Denial(reason as Reason));
    assert.equal(answer.status, status[entry.error], reason);
    assert.equal(JSON.parse(answer.body).error, entry.error);
  }
});

test('O08: every refusal is JSON that nobody stores, with the request id and the public sentence', () => {
  for (const reason of Object.keys(catalogue) as Reason[]) {
    const answer = refuse(new Denial(reason, 'private detail'));
    assert.deepEqual(values(answer, 'Cache-Control'), ['no-store']);
    assert.deepEqual(values(answer, 'Content-Type'), ['application/json']);
    assert.deepEqual(values(answer, 'X-Request-Id'), ['request-1']);
    assert.deepEqual(values(answer, 'Content-Length'), [String(Buffer.byteLength(answer.body))]);
    const body = JSON.parse(answer.body);
    assert.deepEqual(Object.keys(body), ['error', 'error_description', 'request_id']);
    assert.equal(body.error_description, catalogue[reason].sentence);
    assert.doesNotMatch(body.error, /^error$/, `${reason} has a name for its status`);
    assert.doesNotMatch(JSON.stringify(answer), /private detail/);
  }
});

test('H01: use_dpop_nonce comes with exactly one nonce of the origin, other refusals with none', () => {
  assert.deepEqual(values(refuse(new Denial('dpop_nonce_missing')), 'DPoP-Nonce'), [
    'nonce-of-https://api.example',
  ]);
  assert.deepEqual(values(refuse(new Denial('dpop_proof_predates_start')), 'DPoP-Nonce'), [
    'nonce-of-https://api.example',
  ]);
  assert.deepEqual(values(refuse(new Denial('dpop_htu_mismatch')), 'DPoP-Nonce'), []);
});

test('A20: 405 lists the methods that are allowed', () => {
  assert.deepEqual(
    values(refuse(new Denial('method_not_allowed', 'PUT', { allow: ['GET', 'HEAD'] })), 'Allow'),
    ['GET, HEAD'],
  );
  assert.equal(values(refuse(new Denial('method_not_allowed', 'TRACE')), 'Allow').length, 1);
  assert.deepEqual(values(refuse(new Denial('token_expired')), 'Allow'), []);
});

test('O09: a fault is 5xx with Retry-After where a later try helps, and without a challenge', () => {
  const busy = refuse(new Fault('ERR_ISSUER_KEYS_UNAVAILABLE', { retryAfterSeconds: 7 }));
  assert.equal(busy.status, 503);
  assert.deepEqual(values(busy, 'Retry-After'), ['7']);
  assert.deepEqual(values(busy, 'WWW-Authenticate'), []);
  assert.deepEqual(values(refuse(new Fault('ERR_UPSTREAM_UNREACHABLE')), 'Retry-After'), []);
  assert.equal(refuse(new Fault('ERR_UPSTREAM_UNREACHABLE')).status, 502);
});

test('I04: a key over its quota is told when to come back', () => {
  const answer = refuse(new Denial('proof_quota_exceeded'));
  assert.equal(answer.status, 429);
  assert.deepEqual(values(answer, 'Retry-After'), ['5']);
  assert.deepEqual(values(answer, 'WWW-Authenticate'), []);
});

test('G22: a route that forwards preflights lets scripts read its refusals', () => {
  const answer = refuse(new Denial('dpop_nonce_missing'), {
    route: makeRoute('/**', { preflight: 'forward' }),
  });
  assert.deepEqual(values(answer, 'Access-Control-Allow-Origin'), ['*']);
  assert.deepEqual(values(answer, 'Access-Control-Expose-Headers'), ['WWW-Authenticate, DPoP-Nonce']);
  assert.deepEqual(values(refuse(new Denial('dpop_nonce_missing')), 'Access-Control-Allow-Origin'), []);
});

test('D15: an unknown error is a fault of ours, and says nothing', () => {
  const refusal = toRefusal(new RangeError('secret'), { facts });
  const answer = replies.refuse(refusal, 'request-1');
  assert.equal(answer.status, 500);
  assert.equal(JSON.parse(answer.body).error, 'server_error');
  assert.doesNotMatch(JSON.stringify(answer), /secret/);
});

test('RFC 9449 §7.2: a refusal knows the scheme that was used', () => {
  assert.equal(toRefusal(new Denial('token_expired'), { facts }).scheme, 'DPoP');
  assert.equal(toRefusal(new Denial('token_expired'), { facts: makeFacts() }).scheme, undefined);
  assert.equal(toRefusal(new Denial('host_invalid'), {}).scheme, undefined);
});
