import type { JwsAlgorithm } from '../jws/signature.js';

/** Where the keys of an issuer come from. */
export type KeyLocation = 'discovery' | { readonly url: string } | { readonly file: string };

/** An authorization server whose access tokens are accepted, and what they must look like. */
export interface IssuerOptions {
  /** what `iss` must be, code point by code point. @see RFC 9068 §4 */
  readonly issuer: string;
  /** resource identifiers that this issuer puts into tokens for us; held against `aud` by policy/, per route */
  readonly audience: readonly string[];
  readonly keys: KeyLocation;
  readonly algorithms: readonly JwsAlgorithm[];
  /** clock difference granted for exp, nbf and iat; at most 60 */
  readonly leewaySeconds: number;
  /** beside iss, aud and exp, which every token needs. `client_id` stands for the `clientClaim` */
  readonly requiredClaims: readonly string[];
  /** the claim that names the client; `client_id` unless the authorization server has a name of its own for it */
  readonly clientClaim: string;
  readonly scopeClaim: 'scope' | 'scp';
  /** keys may be fetched over http:// from a host off loopback */
  readonly allowCleartext: boolean;
  /** `jwt` also takes tokens whose `typ` does not say that they are access tokens. @see token-type.ts */
  readonly tokenType: 'at+jwt' | 'jwt';
}

/** How an issuer's keys are doing: for readiness, status and metrics. */
export interface IssuerState {
  readonly issuer: string;
  /** usable keys of the set in force */
  readonly keys: number;
  /** since the last good fetch; undefined before the first */
  readonly ageSeconds: number | undefined;
  /** tokens of this issuer can be verified now */
  readonly ready: boolean;
  /** why the latest fetch failed; undefined after a good one */
  readonly lastError: string | undefined;
}

/** Told about what happens here. Must not throw. Nothing that it is told is secret. */
export interface TokenObserver {
  keysRefreshed?(issuer: string, result: 'ok' | 'error', detail?: string): void;
  /** once for each key and cause while the key stays in the set. A symmetric or private key there is an alarm (P09) */
  keyIgnored?(issuer: string, why: string): void;
  cacheResult?(result: 'hit' | 'miss' | 'stale'): void;
}
