import type { Timekeeper } from '../support/clock.js';
import { shortDigest } from '../support/digest.js';
import type { TokenContents } from './claims.js';
import type { SignedClaims } from './signature.js';
import { checkTimes } from './times.js';

export type { TokenContents };

/** Short digests. @see REQUIREMENTS S01 */
export interface LogNames {
  readonly subject: string | undefined;
  readonly token: string | undefined;
}

/** Whether a person stands behind the token, or the client acts for itself. @see RFC 9068 §5; RFC 9700 §4.15 */
export type PrincipalType = 'user' | 'client';

/**
 * An access token that a configured issuer signed, whose claims have the right shape and whose time it is. Whether it
 * is meant for this resource and route, bound to a key or revoked is decided by binding/ and policy/.
 */
export class VerifiedToken {
  readonly #contents: TokenContents;
  #logNames: LogNames | undefined;

  private constructor(contents: TokenContents) {
    this.#contents = contents;
  }

  /** For `verifyTimes` alone, where the last check has passed; and for tests of the stages after this one. */
  static seal(contents: TokenContents): VerifiedToken {
    return new VerifiedToken(contents);
  }

  get issuer(): string {
    return this.#contents.issuer;
  }

  /** the audiences that the configuration names for the issuer */
  get issuerAudience(): readonly string[] {
    return this.#contents.issuerAudience;
  }

  /** what the issuer's `clientClaim` says */
  get clientId(): string {
    return this.#contents.clientId;
  }

  get subject(): string | undefined {
    return this.#contents.subject;
  }

  /**
   * `client` when there is no `sub`, or `sub` is the client itself: then nobody is to be taken for a user of that name.
   * @see REQUIREMENTS D19
   */
  get type(): PrincipalType {
    const { subject, clientId } = this.#contents;
    return subject === undefined || subject === clientId ? 'client' : 'user';
  }

  get scopes(): ReadonlySet<string> {
    return this.#contents.scopes;
  }

  /** `aud`, at least one */
  get audience(): readonly string[] {
    return this.#contents.audience;
  }

  /** every claim, by its exact name */
  get claims(): ReadonlyMap<string, unknown> {
    return this.#contents.claims;
  }

  /** `iat`, NumericDate */
  get issuedAtSeconds(): number | undefined {
    return this.#contents.issuedAtSeconds;
  }

  /** `nbf`, NumericDate */
  get notBeforeSeconds(): number | undefined {
    return this.#contents.notBeforeSeconds;
  }

  /** `exp`, NumericDate */
  get expiresAtSeconds(): number {
    return this.#contents.expiresAtSeconds;
  }

  /** the moment from which it is refused: `exp` and the leeway, ms since the epoch. @see times.ts */
  get usableUntilMs(): number {
    return (this.#contents.expiresAtSeconds + this.#contents.leewaySeconds) * 1000;
  }

  /** `jti` */
  get tokenId(): string | undefined {
    return this.#contents.tokenId;
  }

  /** how the log tells subject and token apart without saying them; made once for all requests with the token */
  get logNames(): LogNames {
    const { subject, tokenId } = this.#contents;
    this.#logNames ??= {
      subject: subject === undefined ? undefined : shortDigest(subject),
      token: tokenId === undefined ? undefined : shortDigest(tokenId),
    };
    return this.#logNames;
  }

  /** `cnf` as it is, undefined only when the claim is absent; judged by binding/. @see RFC 7800 §3.1 */
  get confirmation(): unknown {
    return this.#contents.claims.get('cnf');
  }
}

/**
 * Checks that the token is valid now: time has passed since its claims were read, for its signature waited for its turn.
 *
 * @throws Denial token_expired, token_not_yet_valid
 * @see REQUIREMENTS D10-D12
 */
export function verifyTimes({ contents }: SignedClaims, clock: Timekeeper): VerifiedToken {
  checkTimes(contents, contents.leewaySeconds, clock);
  return VerifiedToken.seal(contents);
}
