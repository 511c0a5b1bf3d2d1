/** What an operator configures about one authorization server. Nothing of one issuer serves for another (D20). */
export interface IssuerOptions {
  /** compared with `iss` code point by code point */
  readonly issuer: string;
  /** accepted `aud` values, unless a route names its own */
  readonly audience: readonly string[];
  readonly keys: 'discovery' | { readonly url: string } | { readonly file: string };
  /** JWS algorithms, exact */
  readonly algorithms: readonly string[];
  /** for exp, nbf and iat; at most 60 */
  readonly leewaySeconds: number;
  /** beside iss, aud and exp */
  readonly requiredClaims: readonly string[];
  /** the claim that holds the client id */
  readonly clientClaim: string;
  readonly scopeClaim: 'scope' | 'scp';
  /** http:// to this issuer off loopback */
  readonly allowCleartext: boolean;
  readonly tokenType: 'at+jwt' | 'jwt';
}
