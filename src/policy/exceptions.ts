import { Denial } from '../denial/denial.js';
import type { RequestFacts } from '../request/facts.js';
import type { RequestTarget } from '../request/target.js';
import { AddressList } from '../support/address-list.js';
import type { Timekeeper } from '../support/clock.js';
import type { VerifiedToken } from '../token/verified-token.js';
import { findAlternatives, isScript } from './alternatives.js';
import { compilePattern, mayLeave, type PathPattern } from './pattern.js';
import { readSegments } from './segments.js';

/** A dated, owned permission for named clients to call without proof of possession. @see REQUIREMENTS section R */
export interface BearerExceptionOptions {
  readonly id: string;
  readonly owner: string;
  /** the moment at which it begins to work, ms since the epoch */
  readonly createdAtMs: number;
  /** the moment at which it stops working, ms since the epoch */
  readonly expiresAtMs: number;
  /** the one that the clients are known to: another may give the same id to somebody else. @see RFC 6749 §2.2 */
  readonly issuer: string;
  readonly clients: readonly string[];
  readonly routes: readonly string[];
  /** CIDRs from which the client may call; empty: anywhere */
  readonly sources: readonly string[];
  readonly maxTokenLifetimeSeconds: number | undefined;
}

interface BearerException {
  readonly options: BearerExceptionOptions;
  readonly patterns: readonly PathPattern[];
  readonly sources: AddressList | undefined;
}

/**
 * The exceptions of kind `bearer`. One widens only what it names: everything else about the token and the request
 * has been, or will be, checked as ever.
 */
export class BearerExceptions {
  readonly #exceptions: readonly BearerException[];
  readonly #clock: Timekeeper;

  constructor(exceptions: readonly BearerExceptionOptions[], clock: Timekeeper) {
    this.#clock = clock;
    this.#exceptions = exceptions.map((options) => ({
      options,
      patterns: options.routes.map(compilePattern),
      sources: options.sources.length === 0 ? undefined : new AddressList(options.sources),
    }));
  }

  /**
   * @returns the exception under which this client may send an unbound token on this request
   * @throws Denial token_not_bound when none names client and path, exception_* when one does and does not apply
   */
  find(token: VerifiedToken, facts: RequestFacts): BearerExceptionOptions {
    const named = this.#exceptions.filter(
      ({ options, patterns }) =>
        options.issuer === token.issuer &&
        options.clients.includes(token.clientId) &&
        patterns.some((pattern) => holdsFor(pattern, facts.target)),
    );
    let refusal: Denial | undefined;
    for (const exception of named) {
      const failed = this.#check(exception, token, facts);
      if (failed === undefined) return exception.options;
      refusal = failed;
    }
    throw (
      refusal ??
      new Denial(
        'token_not_bound',
        'a bearer token, and no exception names this client of its issuer and path',
      )
    );
  }

  /**
   * Evaluated on every request, so that an exception begins and ends at its second (R02). Begins by the reading of the clock
   * that no step moves; ends by the later one. Written so that a NaN would refuse.
   */
  #check(
    { options, sources }: BearerException,
    token: VerifiedToken,
    facts: RequestFacts,
  ): Denial | undefined {
    const { id, owner, createdAtMs, expiresAtMs, maxTokenLifetimeSeconds } = options;
    if (!(this.#clock.nowMs() < expiresAtMs)) return new Denial('exception_expired', `${id} of ${owner}`);
    if (!(this.#clock.steadyMs() >= createdAtMs))
      return new Denial('exception_not_yet_valid', `${id} of ${owner}`);
    if (sources !== undefined && !sources.has(facts.remoteAddress)) {
      return new Denial('exception_source_refused', `${id}: ${facts.remoteAddress}`);
    }
    if (maxTokenLifetimeSeconds === undefined) return undefined;
    const lifetime = token.expiresAtSeconds - (token.issuedAtSeconds ?? Number.NEGATIVE_INFINITY);
    return lifetime <= maxTokenLifetimeSeconds
      ? undefined
      : new Denial(
          'exception_lifetime_refused',
          `${id}: token lives ${lifetime} s of ${maxTokenLifetimeSeconds} allowed`,
        );
  }
}

/**
 * Whether an exception for the pattern covers a path however a service reads it: nobody gets elsewhere under an exception.
 * A script that the pattern names may be called with path info.
 */
function holdsFor(pattern: PathPattern, target: RequestTarget): boolean {
  if (!pattern.matches(target.path)) return false;
  const segments = readSegments(target, false);
  if (mayLeave(pattern, segments)) return false;
  const namesScript = pattern.segments.some((literal) => literal !== undefined && isScript(literal.text));
  return namesScript || findAlternatives(segments)?.length === 0;
}
