import { createHash, randomUUID } from 'node:crypto';
import { type DpopKey, makeDpopKey, signCompact } from './dpop.js';

/** Claims or header parameters to override or, with undefined, to leave out. */
export type Overrides = Readonly<Record<string, unknown>>;

/** An authorization server reduced to its signing key, ES256, made at run time. */
export class TokenSigner {
  readonly issuer: string;
  readonly audience: string;
  readonly key: DpopKey = makeDpopKey();
  readonly kid: string;

  constructor({ issuer = 'https://as.test', audience = 'https://api.test', kid = 'k1' } = {}) {
    this.issuer = issuer;
    this.audience = audience;
    this.kid = kid;
  }

  /** The public key as a JWK Set member. */
  get jwk(): Readonly<Record<string, unknown>> {
    return { ...this.key.jwk, kid: this.kid, alg: 'ES256', use: 'sig' };
  }

  /** The key set, as a file for the configuration. */
  get jwks(): string {
    return JSON.stringify({ keys: [this.jwk] });
  }

  /** The claims of a good token that is bound to nothing. */
  claims(overrides: Overrides = {}): Overrides {
    const now = Math.floor(Date.now() / 1000);
    return {
      ...{ iss: this.issuer, aud: this.audience, sub: 'alice', client_id: 'shop', scope: 'read write' },
      ...{ iat: now, exp: now + 600, jti: randomUUID() },
      ...overrides,
    };
  }

  /** @returns a signed access token. @see RFC 9068 §2 */
  token(overrides: Overrides = {}, header: Overrides = {}): string {
    return signCompact(
      this.key.privateKey,
      { typ: 'at+jwt', alg: 'ES256', kid: this.kid, ...header },
      this.claims(overrides),
    );
  }
}

/** Base64url SHA-256: `ath`, thumbprints. */
export function sha256(text: string | Buffer): string {
  return createHash('sha256').update(text).digest('base64url');
}
