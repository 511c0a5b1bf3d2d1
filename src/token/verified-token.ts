/** What an access token says, after everything about it was checked. */
export interface TokenContents {
  readonly issuer: string;
  /** the audiences that the configuration accepts of this issuer; whether the token has one is judged by route */
  readonly issuerAudience: readonly string[];
  readonly clientId: string;
  readonly subject: string | undefined;
  readonly scopes: ReadonlySet<string>;
  readonly audience: readonly string[];
  /** all claims by name; a Map, so that no name finds the prototype's members (D14) */
  readonly claims: ReadonlyMap<string, unknown>;
  readonly issuedAtSeconds: number | undefined;
  readonly notBeforeSeconds: number | undefined;
  readonly expiresAtSeconds: number;
  readonly tokenId: string | undefined;
}

/**
 * An access token whose signature, issuer and claims were verified. Only verify.ts makes one. Whether it is for this
 * route, and whether its holder presented it, is judged later: policy/ and binding/.
 */
export class VerifiedToken {
  readonly #contents: TokenContents;

  private constructor(contents: TokenContents) {
    this.#contents = contents;
  }

  /** For token/verify.ts alone, after the last check has passed. */
  static seal(contents: TokenContents): VerifiedToken {
    return new VerifiedToken(contents);
  }

  get issuer(): string {
    return this.#contents.issuer;
  }

  get issuerAudience(): readonly string[] {
    return this.#contents.issuerAudience;
  }

  get clientId(): string {
    return this.#contents.clientId;
  }

  get subject(): string | undefined {
    return this.#contents.subject;
  }

  /**
   * Whom the token speaks for. A client's own token may carry any `sub` that the authorization server lets clients
   * choose, so it never counts as a user. @see RFC 9068 §5; RFC 9700 §4.15; REQUIREMENTS D19
   */
  get type(): 'user' | 'client' {
    const { subject, clientId } = this.#contents;
    return subject === undefined || subject === clientId ? 'client' : 'user';
  }

  get scopes(): ReadonlySet<string> {
    return this.#contents.scopes;
  }

  get audience(): readonly string[] {
    return this.#contents.audience;
  }

  get claims(): ReadonlyMap<string, unknown> {
    return this.#contents.claims;
  }

  get issuedAtSeconds(): number | undefined {
    return this.#contents.issuedAtSeconds;
  }

  get notBeforeSeconds(): number | undefined {
    return this.#contents.notBeforeSeconds;
  }

  get expiresAtSeconds(): number {
    return this.#contents.expiresAtSeconds;
  }

  get tokenId(): string | undefined {
    return this.#contents.tokenId;
  }

  /** the `cnf` claim as it came; undefined only when it is absent */
  get confirmation(): unknown {
    return this.#contents.claims.get('cnf');
  }
}
