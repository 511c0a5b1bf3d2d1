/** The part of `oidc-provider` (which ships no types) that the demo uses. */
declare module 'oidc-provider' {
  import type { X509Certificate } from 'node:crypto';
  import type { IncomingMessage, ServerResponse } from 'node:http';
  import type { TLSSocket } from 'node:tls';

  export interface Context {
    readonly socket: TLSSocket;
  }

  export interface ResourceServer {
    readonly audience: string;
    readonly scope: string;
    readonly accessTokenTTL: number;
    readonly accessTokenFormat: 'jwt' | 'opaque';
    readonly jwt: { readonly sign: { readonly alg: string } };
  }

  export interface Configuration {
    readonly clients: readonly Readonly<Record<string, unknown>>[];
    readonly clientAuthMethods: readonly string[];
    readonly clientDefaults: Readonly<Record<string, unknown>>;
    readonly jwks: { readonly keys: readonly object[] };
    readonly responseTypes: readonly string[];
    readonly scopes: readonly string[];
    readonly features: {
      readonly clientCredentials: { readonly enabled: boolean };
      readonly devInteractions: { readonly enabled: boolean };
      readonly dPoP: { readonly enabled: boolean };
      readonly mTLS: {
        readonly enabled: boolean;
        readonly certificateBoundAccessTokens: boolean;
        readonly tlsClientAuth: boolean;
        getCertificate(context: Context): X509Certificate | undefined;
        certificateAuthorized(context: Context): boolean;
        certificateSubjectMatches(context: Context, property: string, expected: string): boolean;
      };
      readonly resourceIndicators: {
        readonly enabled: boolean;
        getResourceServerInfo(context: Context, indicator: string): ResourceServer;
      };
    };
  }

  export class Provider {
    constructor(issuer: string, configuration: Configuration);
    callback(): (request: IncomingMessage, response: ServerResponse) => void;
  }

  export const errors: { readonly InvalidTarget: new () => Error };
}
