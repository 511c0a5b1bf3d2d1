import { Denial } from '../denial/denial.js';
import { isSha256Base64url } from '../support/digest.js';

/** The members of `cnf` that can be checked here, at least one. @see RFC 7800 §3.1 */
export interface Confirmation {
  /** JWK thumbprint of the DPoP key. @see RFC 9449 §6.1 */
  readonly jkt: string | undefined;
  /** SHA-256 thumbprint of the client certificate. @see RFC 8705 §3.1 */
  readonly x5tS256: string | undefined;
}

/**
 * Reads the `cnf` claim. Only an absent claim means an unbound token; anything that is there and cannot be checked
 * means that the token is bound to something we do not see, so it is refused. Members that are unknown beside a
 * known one are tolerated: some authorization servers emit them.
 *
 * @param cnf - the claim, undefined when absent
 * @returns undefined when the token is not bound
 * @throws Denial confirmation_malformed, confirmation_unsupported
 * @see RFC 7800 §3.1; REQUIREMENTS F02-F05
 */
export function parseConfirmation(cnf: unknown): Confirmation | undefined {
  if (cnf === undefined) return undefined;
  if (typeof cnf !== 'object' || cnf === null || Array.isArray(cnf)) {
    throw new Denial('confirmation_malformed', 'cnf is not an object');
  }
  let confirmation = parsed.get(cnf);
  if (confirmation === undefined) {
    confirmation = parseMembers(cnf);
    parsed.set(cnf, confirmation);
  }
  return confirmation;
}

/** The good ones, by the claim itself: a token that is known brings the same object with each request. */
const parsed = new WeakMap<object, Confirmation>();

function parseMembers(cnf: object): Confirmation {
  const members = new Map<string, unknown>(Object.entries(cnf));
  if (members.size === 0) throw new Denial('confirmation_malformed', 'cnf is empty');
  const jkt = parseThumbprint(members, 'jkt');
  const x5tS256 = parseThumbprint(members, 'x5t#S256');
  if (jkt === undefined && x5tS256 === undefined) {
    throw new Denial('confirmation_unsupported', `cnf has ${[...members.keys()].join(', ').slice(0, 128)}`);
  }
  return { jkt, x5tS256 };
}

function parseThumbprint(members: ReadonlyMap<string, unknown>, name: string): string | undefined {
  if (!members.has(name)) return undefined;
  const value = members.get(name);
  if (typeof value !== 'string' || !isSha256Base64url(value)) {
    throw new Denial('confirmation_malformed', `${name} is not a base64url SHA-256`);
  }
  return value;
}
