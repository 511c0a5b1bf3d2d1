import { Denial } from '../denial/denial.js';
import { Fault } from '../denial/fault.js';
import type { RouteOptions } from '../policy/route-options.js';
import { parseScheme, type Scheme } from '../request/credentials.js';
import type { RequestFacts } from '../request/facts.js';
import type { VerifiedToken } from '../token/verified-token.js';

/** How far a request got: what reply and log may say about it, also when it is refused. */
export interface Progress {
  facts?: RequestFacts;
  route?: RouteOptions;
  token?: VerifiedToken;
  /** thumbprint of the key whose possession was proven, whatever the token is bound to */
  key?: string;
}

/** The request does not pass: the caller failed a check, or we failed. */
export interface Refusal extends Readonly<Progress> {
  readonly kind: 'refused';
  readonly cause: Denial | Fault;
  /** the scheme that the caller used, which gets the error. @see RFC 9449 §7.2 */
  readonly scheme: Scheme | undefined;
}

/** Anything that is not a Denial or a Fault is a fault of ours: an unknown error never admits and never blames. */
export function toRefusal(error: unknown, progress: Progress): Refusal {
  const cause =
    error instanceof Denial || error instanceof Fault ? error : new Fault('ERR_INTERNAL', { cause: error });
  const [field] = progress.facts?.head.values('authorization') ?? [];
  return {
    kind: 'refused',
    cause,
    scheme: field === undefined ? undefined : parseScheme(field),
    ...progress,
  };
}
