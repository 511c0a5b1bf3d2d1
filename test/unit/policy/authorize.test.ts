import assert from 'node:assert/strict';
import test from 'node:test';
import { confirmBinding, type Evidence, unconstrained } from '#holdfast/binding/binding.js';
import { authorize, grantPreflight, grantPublic } from '#holdfast/policy/authorize.js';
import { BearerExceptions } from '#holdfast/policy/exceptions.js';
import type { RouteOptions } from '#holdfast/policy/route-options.js';
import { denied } from '../../support/denied.js';
import { makeFacts } from '../../support/facts.js';
import { certificateEvidence, noExceptions, x5tS256 } from '../../support/grants.js';
import { ManualClock } from '../../support/manual-clock.js';
import { makeClientKey, makeProof } from '../../support/proofs.js';
import { makeRoute } from '../../support/routes.js';
import { makeToken, type TokenRequest } from '../../support/tokens.js';
import { claimsAt, context, makeVerifier } from '../../support/verifier.js';

const dpop = await makeVerifier().verifier.verify([makeProof(makeClientKey(), claimsAt())], context);
const evidence: Record<'dpop' | 'mtls' | 'both', { cnf: object; shown: Evidence }> = {
  dpop: { cnf: { jkt: dpop.jkt }, shown: { ...certificateEvidence, scheme: 'DPoP', dpop } },
  mtls: { cnf: { 'x5t#S256': x5tS256 }, shown: certificateEvidence },
  both: {
    cnf: { jkt: dpop.jkt, 'x5t#S256': x5tS256 },
    shown: { ...certificateEvidence, scheme: 'DPoP', dpop },
  },
};

function allow(route: Partial<RouteOptions>, token: TokenRequest = {}, way: keyof typeof evidence = 'mtls') {
  const { cnf, shown } = evidence[way];
  const verified = makeToken({ cnf, ...token });
  return authorize(
    { route: makeRoute('/**', route), facts: makeFacts(), exceptions: noExceptions },
    verified,
    confirmBinding(verified, shown),
  );
}

test('C11: the route says how possession must be proven', () => {
  const passing = {
    any: ['dpop', 'mtls', 'both'],
    dpop: ['dpop', 'both'],
    mtls: ['mtls', 'both'],
    both: ['both'],
  } as const;
  const labels = { dpop: 'dpop', mtls: 'mtls', both: 'dpop+mtls' } as const;
  for (const [proof, ways] of Object.entries(passing)) {
    for (const way of ['dpop', 'mtls', 'both'] as const) {
      const route = { proof: proof as keyof typeof passing };
      if ((ways as readonly string[]).includes(way)) assert.equal(allow(route, {}, way).proof, labels[way]);
      else denied(() => allow(route, {}, way), 'proof_method_refused');
    }
  }
});

test('C11: an unbound token passes on no route without an exception', () => {
  for (const proof of ['any', 'dpop', 'mtls', 'both', 'none'] as const) {
    const parts = { route: makeRoute('/**', { proof }), facts: makeFacts(), exceptions: noExceptions };
    denied(() => authorize(parts, makeToken(), unconstrained), 'token_not_bound');
  }
});

test('D22: aud has one value that is both of the issuer and of the route', () => {
  const admin = 'https://admin.example';
  const issuerAudience = ['https://api.example', admin];
  const route = { audience: [admin] };
  denied(() => allow(route, { audience: [admin] }), 'token_audience_mismatch');
  allow(route, { issuerAudience, audience: [admin] });
  denied(
    () => allow(route, { issuerAudience, audience: ['https://api.example'] }),
    'token_audience_mismatch',
  );
  // One of the issuer's and one of the route's are not one of both.
  denied(() => allow(route, { audience: ['https://api.example', admin] }), 'token_audience_mismatch');
});

test('D21: a route takes tokens of its issuers only', () => {
  denied(() => allow({ issuers: ['https://other.example'] }), 'issuer_refused');
  denied(() => allow({ issuers: ['https://login.example/'] }), 'issuer_refused');
  allow({ issuers: ['https://other.example', 'https://login.example'] });
  allow({ issuers: [] });
});

test('D09: aud has one of the audiences of the route, or of the issuer when the route names none', () => {
  assert.equal(allow({}, { audience: ['x', 'https://api.example'] }).token?.clientId, 'app');
  denied(() => allow({}, { audience: ['https://other.example'] }), 'token_audience_mismatch');
  denied(() => allow({}, { audience: [] }), 'token_audience_mismatch');
  denied(() => allow({ audience: ['https://admin.example'] }), 'token_audience_mismatch');
  denied(() => allow({}, { audience: ['https://api.example/'] }), 'token_audience_mismatch');
});

test('D17: every scope of the route is needed, compared whole', () => {
  const { entry } = denied(() => allow({ scopes: ['read', 'write'] }), 'insufficient_scope');
  assert.equal(entry.status, 403);
  denied(() => allow({ scopes: ['rea'] }), 'insufficient_scope');
  denied(() => allow({ scopes: ['READ'] }), 'insufficient_scope');
  allow({ scopes: ['read', 'write'] }, { scopes: new Set(['write', 'x', 'read']) });
});

test('D17: a claim has one of the accepted values, by itself or in a list', () => {
  const claims = new Map([['role', ['admin', 1]]]);
  for (const role of ['admin', 1, ['x', 'admin']]) allow({ claims }, { claims: { role } });
  for (const role of [undefined, null, 'Admin', '1', [], ['x'], { admin: true }, [['admin']]]) {
    denied(() => allow({ claims }, { claims: { role } }), 'claim_refused');
  }
  denied(() => allow({ claims: new Map([['constructor', ['x']]]) }), 'claim_refused');
});

test('D17: only the named clients, all when none is named', () => {
  denied(() => allow({ clients: ['other'] }), 'client_refused');
  allow({ clients: ['other', 'app'] });
  allow({ clients: [] });
});

const bearerException = {
  id: 'legacy',
  owner: 'team@example.com',
  expiresAtMs: 1_800_000_100_000,
  issuer: 'https://login.example',
  createdAtMs: 0,
  clients: ['app'],
  routes: ['/**'],
  sources: [],
  maxTokenLifetimeSeconds: undefined,
};

test('R04: an exception widens nothing but the proof', () => {
  const exceptions = new BearerExceptions([bearerException], new ManualClock(1_800_000_000_000));
  const use = (route: Partial<RouteOptions>, token: TokenRequest = {}) =>
    authorize(
      { route: makeRoute('/**', route), facts: makeFacts(), exceptions },
      makeToken(token),
      unconstrained,
    );
  const grant = use({ proof: 'both' });
  assert.equal(grant.proof, 'exception');
  assert.equal(grant.exception?.id, 'legacy');
  assert.equal(grant.constraint, undefined);
  denied(() => use({}, { audience: ['https://other.example'] }), 'token_audience_mismatch');
  denied(() => use({ scopes: ['write'] }), 'insufficient_scope');
  denied(() => use({ clients: ['other'] }), 'client_refused');
  denied(() => use({ claims: new Map([['role', ['admin']]]) }), 'claim_refused');
});

test('R04: a proven request is not marked as an exception, though one names its client', () => {
  const exceptions = new BearerExceptions([bearerException], new ManualClock(0));
  const verified = makeToken({ cnf: evidence.mtls.cnf });
  const constraint = confirmBinding(verified, evidence.mtls.shown);
  const grant = authorize({ route: makeRoute('/**'), facts: makeFacts(), exceptions }, verified, constraint);
  assert.equal(grant.proof, 'mtls');
  assert.equal(grant.exception, undefined);
});

test('S06: a grant without a token exists for public routes and forwarded preflights only', () => {
  assert.equal(grantPublic(makeRoute('/**', { proof: 'none' })).token, undefined);
  assert.equal(grantPreflight(makeRoute('/**', { preflight: 'forward' })).proof, 'none');
  assert.throws(() => grantPublic(makeRoute('/**')), TypeError);
  assert.throws(() => grantPreflight(makeRoute('/**')), TypeError);
});
