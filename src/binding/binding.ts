import { Denial } from '../denial/denial.js';
import type { CertificateFinding } from '../proof/certificate.js';
import type { DpopEvidence } from '../proof/dpop.js';
import type { Scheme } from '../request/credentials.js';
import type { VerifiedToken } from '../token/verified-token.js';
import { type Confirmation, parseConfirmation } from './confirmation.js';

/** What the caller proved possession of on this request. */
export interface Evidence {
  readonly scheme: Scheme;
  /** present exactly when the token was presented with the DPoP scheme */
  readonly dpop: DpopEvidence | undefined;
  readonly certificate: CertificateFinding;
}

let sealConstraint: (methods: ConstraintMethods) => SenderConstraint;

interface ConstraintMethods {
  readonly jkt: string | undefined;
  readonly x5tS256: string | undefined;
}

/** The token is bound, and every key that it is bound to was proven on this request. */
export class SenderConstraint {
  readonly #methods: ConstraintMethods;

  private constructor(methods: ConstraintMethods) {
    this.#methods = methods;
  }

  static {
    sealConstraint = (methods) => new SenderConstraint(methods);
  }

  get isDpop(): boolean {
    return this.#methods.jkt !== undefined;
  }

  get isMtls(): boolean {
    return this.#methods.x5tS256 !== undefined;
  }

  /** thumbprint of the DPoP key that was proven */
  get jkt(): string | undefined {
    return this.#methods.jkt;
  }

  /** thumbprint of the certificate that was proven */
  get x5tS256(): string | undefined {
    return this.#methods.x5tS256;
  }
}

/** The token is bound to nothing: a plain bearer token. Only an exception lets it pass. */
export const unconstrained = Symbol('unconstrained');

/**
 * Confirms that the proof belongs to the token: every key that `cnf` names was proven on this request. A bound token
 * never counts as a bearer token, whatever the route: that is the downgrade a thief would try.
 *
 * Fails closed: a `cnf` that cannot be checked refuses the token.
 * @throws Denial confirmation_*, bound_token_as_bearer, token_not_bound, dpop_key_mismatch, certificate_missing,
 *   certificate_thumbprint_mismatch, client_certificate_untrusted
 * @see RFC 7800 §3; RFC 9449 §6, §7.2; RFC 8705 §3; REQUIREMENTS F, C07, C08
 */
export function confirmBinding(
  token: VerifiedToken,
  evidence: Evidence,
): SenderConstraint | typeof unconstrained {
  const jkt = boundKey(token, evidence.scheme);
  const confirmation = parseConfirmation(token.confirmation);
  if (confirmation === undefined) return unconstrained;
  return sealConstraint({
    jkt: confirmKey(jkt, evidence),
    x5tS256: confirmCertificate(confirmation, evidence),
  });
}

/**
 * The key that a proof for this token must be signed with, known before the proof is looked at.
 *
 * @returns undefined when the token is bound to no such key; never with the DPoP scheme
 * @throws Denial confirmation_*, token_not_bound, bound_token_as_bearer
 * @see RFC 9449 §6, §7.1, §7.2
 */
export function boundKey(token: VerifiedToken, scheme: 'DPoP'): string;
export function boundKey(token: VerifiedToken, scheme: Scheme): string | undefined;
export function boundKey(token: VerifiedToken, scheme: Scheme): string | undefined {
  const jkt = parseConfirmation(token.confirmation)?.jkt;
  // The proof may be good, but nothing ties the token to its key (RFC 9449 §7.1).
  if (jkt === undefined && scheme === 'DPoP')
    throw new Denial('token_not_bound', 'scheme dpop with a token without cnf.jkt');
  if (jkt !== undefined && scheme !== 'DPoP')
    throw new Denial('bound_token_as_bearer', `bound to key ${jkt}`);
  return jkt;
}

/** The proof was held against the token's key when it was read; here it is held against the token that counts. */
function confirmKey(jkt: string | undefined, { dpop }: Evidence): string | undefined {
  if (jkt === undefined) return undefined;
  if (dpop === undefined) throw new Denial('bound_token_as_bearer', `bound to key ${jkt}`);
  if (dpop.jkt !== jkt) throw new Denial('dpop_key_mismatch', `expected ${jkt}, got ${dpop.jkt}`);
  return jkt;
}

function confirmCertificate({ x5tS256 }: Confirmation, { certificate }: Evidence): string | undefined {
  if (x5tS256 === undefined) return undefined;
  const { evidence, distrust } = certificate;
  if (distrust !== undefined) throw new Denial('client_certificate_untrusted', distrust);
  if (evidence === undefined) throw new Denial('certificate_missing', `bound to certificate ${x5tS256}`);
  if (evidence.thumbprint !== x5tS256) {
    throw new Denial('certificate_thumbprint_mismatch', `expected ${x5tS256}, got ${evidence.thumbprint}`);
  }
  return x5tS256;
}
