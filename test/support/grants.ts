import { confirmBinding, type Evidence, SenderConstraint } from '#holdfast/binding/binding.js';
import { type Admission, sealAdmission } from '#holdfast/gate/admission.js';
import { nothingToClaim } from '#holdfast/gate/claim.js';
import { authorize, type Grant, grantPublic } from '#holdfast/policy/authorize.js';
import { BearerExceptions } from '#holdfast/policy/exceptions.js';
import { verifyCertificate } from '#holdfast/proof/certificate.js';
import type { RequestFacts } from '#holdfast/request/facts.js';
import { sha256Base64url } from '#holdfast/support/digest.js';
import { makeFacts } from './facts.js';
import { ManualClock } from './manual-clock.js';
import { makeRoute } from './routes.js';
import { makeToken, type TokenRequest } from './tokens.js';

/** The thumbprint of the certificate that `certificateEvidence` shows. */
export const x5tS256 = sha256Base64url('client certificate');

/** What a connection with that certificate proves, and no DPoP proof. */
export const certificateEvidence: Evidence = {
  scheme: 'Bearer',
  dpop: undefined,
  certificate: verifyCertificate(
    { thumbprint: x5tS256, trusted: false, distrust: undefined },
    { requireTrust: false, clock: new ManualClock() },
  ),
};

export const noExceptions = new BearerExceptions([], new ManualClock(1_800_000_000_000));

/** A grant for a token that is bound to the certificate above, on a route that takes any proof. */
export function makeGrant(token: TokenRequest = {}, facts: RequestFacts = makeFacts()): Grant {
  const verified = makeToken({ cnf: { 'x5t#S256': x5tS256 }, ...token });
  const constraint = confirmBinding(verified, certificateEvidence);
  if (!(constraint instanceof SenderConstraint)) throw new TypeError('the token is not bound');
  return authorize({ route: makeRoute('/**'), facts, exceptions: noExceptions }, verified, constraint);
}

/** A grant for everybody. */
export function makePublicGrant(): Grant {
  return grantPublic(makeRoute('/**', { proof: 'none' }));
}

/** What forward/ takes, for that grant. */
export function makeAdmission(facts: RequestFacts, grant: Grant = makeGrant({}, facts)): Admission {
  return sealAdmission(facts, grant, nothingToClaim);
}
