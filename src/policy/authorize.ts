import { type SenderConstraint, unconstrained } from '../binding/binding.js';
import { Denial } from '../denial/denial.js';
import type { RequestFacts } from '../request/facts.js';
import type { VerifiedToken } from '../token/verified-token.js';
import type { BearerExceptionOptions, BearerExceptions } from './exceptions.js';
import type { RouteOptions } from './route-options.js';

/** How a request came to pass. The values of the identity source `$proof`. */
export type ProofLabel = 'dpop' | 'mtls' | 'dpop+mtls' | 'exception' | 'none';

interface Granted {
  readonly route: RouteOptions;
  readonly proof: ProofLabel;
  /** absent on a public route and for a preflight: nothing is known about the caller */
  readonly token?: VerifiedToken;
  readonly constraint?: SenderConstraint;
  readonly exception?: BearerExceptionOptions;
}

let sealGrant: (granted: Granted) => Grant;

/** The policy of the route lets this caller pass. */
export class Grant {
  readonly #granted: Granted;

  private constructor(granted: Granted) {
    this.#granted = granted;
  }

  static {
    sealGrant = (granted) => new Grant(granted);
  }

  get route(): RouteOptions {
    return this.#granted.route;
  }

  get proof(): ProofLabel {
    return this.#granted.proof;
  }

  get token(): VerifiedToken | undefined {
    return this.#granted.token;
  }

  get constraint(): SenderConstraint | undefined {
    return this.#granted.constraint;
  }

  get exception(): BearerExceptionOptions | undefined {
    return this.#granted.exception;
  }
}

/** Lets a request pass unproven and without any identity. @throws TypeError when the route is not public (our bug) */
export function grantPublic(route: RouteOptions): Grant {
  if (route.proof !== 'none') throw new TypeError('not a public route');
  return sealGrant({ route, proof: 'none' });
}

/** Lets a CORS preflight pass, which can carry no credentials. @throws TypeError when the route does not forward them */
export function grantPreflight(route: RouteOptions): Grant {
  if (route.preflight !== 'forward') throw new TypeError('not a route that forwards preflights');
  return sealGrant({ route, proof: 'none' });
}

/**
 * Applies what the route demands: issuer and audience; the way of proof, or an exception in its place; then scopes,
 * claims and client. Runs on every request, also when the token's signature was verified before.
 *
 * @throws Denial issuer_refused, token_audience_mismatch, proof_method_refused, token_not_bound, exception_*,
 *   insufficient_scope, claim_refused, client_refused
 * @see REQUIREMENTS C11, D09, D16, D17, D21, D22, R02, R04
 */
export function authorize(
  { route, facts, exceptions }: { route: RouteOptions; facts: RequestFacts; exceptions: BearerExceptions },
  token: VerifiedToken,
  constraint: SenderConstraint | typeof unconstrained,
): Grant {
  checkIssuer(route, token);
  checkAudience(route, token);
  if (constraint === unconstrained) {
    const exception = exceptions.find(token, facts);
    checkClaims(route, token);
    return sealGrant({ route, token, exception, proof: 'exception' });
  }
  const proof = checkProof(route, constraint);
  checkClaims(route, token);
  return sealGrant({ route, token, constraint, proof });
}

function checkIssuer({ issuers }: RouteOptions, { issuer }: VerifiedToken): void {
  if (issuers.length > 0 && !issuers.includes(issuer))
    throw new Denial('issuer_refused', `expected ${issuers.join(' or ')}, got ${issuer}`);
}

/**
 * The token is for us: a route narrows down what its issuers may issue tokens for, and gives no issuer more. Cheap, so the
 * gate asks before it has a signature verified; `authorize` answers for it.
 * @throws Denial token_audience_mismatch
 * @see REQUIREMENTS D22
 */
export function checkAudience({ audience }: RouteOptions, token: VerifiedToken): void {
  const own = token.issuerAudience;
  const isMeant = (value: string) =>
    own.includes(value) && (audience.length === 0 || audience.includes(value));
  if (token.audience.some(isMeant)) return;
  const accepted = audience.length === 0 ? own : own.filter((value) => audience.includes(value));
  throw new Denial(
    'token_audience_mismatch',
    `expected ${accepted.join(' or ') || `none of ${token.issuer}`}, got ${token.audience.join(', ').slice(0, 256)}`,
  );
}

function checkProof({ proof }: RouteOptions, { isDpop, isMtls }: SenderConstraint): ProofLabel {
  const label = isDpop ? (isMtls ? 'dpop+mtls' : 'dpop') : 'mtls';
  const satisfied =
    proof === 'any' || (proof === 'dpop' && isDpop) || (proof === 'mtls' && isMtls) || (isDpop && isMtls);
  if (!satisfied) throw new Denial('proof_method_refused', `expected ${proof}, got ${label}`);
  return label;
}

function checkClaims({ scopes, claims, clients }: RouteOptions, token: VerifiedToken): void {
  const missing = scopes.filter((scope) => !token.scopes.has(scope));
  if (missing.length > 0) throw new Denial('insufficient_scope', `missing ${missing.join(' ')}`);
  for (const [name, accepted] of claims) {
    const value = token.claims.get(name);
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (!values.some((one) => accepted.includes(one))) throw new Denial('claim_refused', `claim ${name}`);
  }
  if (clients.length > 0 && !clients.includes(token.clientId))
    throw new Denial('client_refused', `${token.clientId} of ${token.issuer}`);
}
