/** How possession must be proven on a route. `none`: a public route, no token asked and none forwarded. */
export type ProofRequirement = 'any' | 'dpop' | 'mtls' | 'both' | 'none';

export interface RouteOptions {
  readonly path: string;
  /** empty: every method but TRACE and CONNECT */
  readonly methods: readonly string[];
  readonly proof: ProofRequirement;
  /** issuers whose tokens are accepted; empty: all */
  readonly issuers: readonly string[];
  /** accepted `aud` values, of those of the issuer; empty: all of those */
  readonly audience: readonly string[];
  /** scopes that are needed, all of them */
  readonly scopes: readonly string[];
  /** claim name to accepted values */
  readonly claims: ReadonlyMap<string, readonly unknown[]>;
  /** accepted client ids; empty: all */
  readonly clients: readonly string[];
  /** whether a client may upgrade to a WebSocket here, after the same checks as for any request */
  readonly websocket: boolean;
  readonly encodedSlashes: 'refuse' | 'pass';
  readonly preflight: 'refuse' | 'forward';
}
