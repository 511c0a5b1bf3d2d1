import type { KeyObject } from 'node:crypto';
import type { JwsAlgorithm } from '../jws/signature.js';
import type { Binding } from '../support/bind.js';

/**
 * The configuration as the product uses it: checked, every default filled in, files read, units in the names.
 * What an operator writes is described by the schemas of this room; each section file turns the one into the other.
 */
export interface Config {
  readonly listen: ListenConfig;
  readonly upstream: UpstreamConfig;
  /** at least one, no two of one name */
  readonly issuers: readonly IssuerConfig[];
  readonly dpop: DpopConfig;
  readonly replay: ReplayConfig;
  /** at least one; the first match wins */
  readonly routes: readonly RouteConfig[];
  readonly identity: IdentityConfig;
  readonly exceptions: readonly ExceptionConfig[];
  readonly admin: Binding;
  readonly log: { readonly level: LogLevel };
  readonly shutdown: { readonly graceMs: number };
}

export interface ListenConfig extends Binding {
  /** `scheme://host[:port]`, lower case; at least one */
  readonly origins: readonly string[];
  /** empty, or starts with a slash and does not end with one */
  readonly pathPrefix: string;
  /** RFC 9728 resource identifier */
  readonly resource: string;
  /** undefined: plain HTTP, on loopback, on a unix socket, or for trusted proxies */
  readonly tls: ListenTlsConfig | undefined;
  /** the first entry that names a peer counts */
  readonly trustedProxies: readonly TrustedProxyConfig[];
  /** plain HTTP where others than this machine can reach it: trusted proxies only */
  readonly frontsOnly: boolean;
  readonly headerNames: 'drop' | 'refuse';
  readonly limits: {
    readonly headerBytes: number;
    readonly headerCount: number;
    readonly targetBytes: number;
    /** Infinity: unlimited */
    readonly bodyBytes: number;
    readonly headersTimeoutMs: number;
    /** Infinity: unlimited. Not a value for a timer: Node reads it as 1 ms */
    readonly requestTimeoutMs: number;
    readonly idleTimeoutMs: number;
    readonly connections: number;
    readonly connectionsPerAddress: number;
    /** a minute */
  };
}

export interface ListenTlsConfig {
  /** PEM, leaf first */
  readonly certificate: string;
  /** PEM, fits the certificate */
  readonly key: string;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly clientCertificates: {
    readonly mode: 'off' | 'optional' | 'required';
    /** PEM, one certificate each; empty: possession only, nothing about a certificate's names is trusted */
    readonly ca: readonly string[];
    /** latest first; empty: revocation is not checked */
    readonly crl: readonly RevocationList[];
  };
}

/** @see RFC 5280 §5 */
export interface RevocationList {
  /** PEM, this one list */
  readonly pem: string;
  /** from then on it counts as out of date, and so does whatever its issuer vouches for; undefined: never */
  readonly nextUpdateMs: number | undefined;
}

/** A front proxy that speaks for its clients. */
export interface TrustedProxyConfig {
  /** CIDRs, or `unix` */
  readonly from: readonly string[];
  readonly clientCertificate: 'none' | 'rfc9440' | 'xfcc' | 'nginx-escaped-pem' | 'alb';
  /** PEM bundles; empty: those of the listener's own client certificates, as they are at the time */
  readonly ca: readonly string[];
}

export interface UpstreamConfig {
  readonly target:
    | { readonly scheme: 'http' | 'https'; readonly host: string; readonly port: number }
    | { readonly socketPath: string };
  /** PEM; empty for clear text */
  readonly tls: {
    readonly ca?: readonly string[];
    readonly certificate?: string;
    readonly key?: string;
    readonly serverName?: string;
  };
  readonly connectTimeoutMs: number;
  readonly responseTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly streamIdleTimeoutMs: number;
  /** Infinity: nothing is cut off */
  readonly expiryGraceMs: number;
  readonly bodyOnGet: 'separate' | 'refuse';
  readonly bodies: 'pooled' | 'separate';
  readonly poolIdleTimeoutMs: number;
  readonly connections: number;
  readonly queue: { readonly length: number; readonly waitMs: number };
}

export interface IssuerConfig {
  /** compared with `iss` code point by code point */
  readonly issuer: string;
  /** at least one */
  readonly audience: readonly string[];
  readonly keys:
    | 'discovery'
    | { readonly url: string }
    /** an absolute name; its content, read again at each refresh, held usable public keys, and none else, at the start */
    | { readonly file: string };
  readonly algorithms: readonly JwsAlgorithm[];
  readonly leewaySeconds: number;
  /** beside iss, aud and exp, which every token needs; `client_id` is replaced by `clientClaim` */
  readonly requiredClaims: readonly string[];
  readonly clientClaim: string;
  readonly scopeClaim: 'scope' | 'scp';
  readonly allowCleartext: boolean;
  readonly tokenType: 'at+jwt' | 'jwt';
}

export type DpopAlgorithm = 'ES256' | 'ES384' | 'PS256' | 'RS256' | 'EdDSA' | 'Ed25519';

export interface DpopConfig {
  readonly algorithms: readonly DpopAlgorithm[];
  readonly maxAgeSeconds: number;
  readonly clockSkewSeconds: number;
  readonly nonce: 'off' | 'required';
  readonly nonceLifetimeSeconds: number;
  /** at least 32 bytes; undefined: random per process */
  readonly nonceSecret: Buffer | undefined;
}

export interface ReplayConfig {
  readonly store: 'memory';
  readonly capacity: number;
  readonly perKey: number;
  readonly perClient: number;
}

export interface RouteConfig {
  readonly path: string;
  /** empty: every method but TRACE and CONNECT */
  readonly methods: readonly string[];
  readonly proof: 'any' | 'dpop' | 'mtls' | 'both' | 'none';
  /** issuers whose tokens are accepted; empty: all. Named where clients, claims or an audience are, or there is only one issuer */
  readonly issuers: readonly string[];
  /** a token needs one of these that is its issuer's too; empty: the issuer's */
  readonly audience: readonly string[];
  readonly scopes: readonly string[];
  readonly claims: ReadonlyMap<string, readonly (string | number | boolean)[]>;
  readonly clients: readonly string[];
  readonly websocket: boolean;
  readonly encodedSlashes: 'refuse' | 'pass';
  readonly preflight: 'refuse' | 'forward';
}

export type IdentityFact = 'proof' | 'key' | 'issuer' | 'client' | 'type' | 'user' | 'exception';

export interface IdentityConfig {
  readonly headers: readonly {
    readonly name: string;
    readonly source: { readonly fact: IdentityFact } | { readonly claim: string };
  }[];
  readonly encoding: 'percent' | 'base64url' | 'refuse';
  readonly strip: readonly string[];
  /** `basic` is `user:password` */
  readonly authorization: 'strip' | 'bearer' | { readonly basic: string };
  readonly clientCertificate: 'off' | 'rfc9440';
  readonly assertion: AssertionConfig | undefined;
}

export interface AssertionConfig {
  readonly header: string;
  /** private: EC P-256 or P-384, Ed25519, or RSA of at least 2048 bits */
  readonly key: KeyObject;
  readonly issuer: string;
  readonly audience: string;
  readonly lifetimeSeconds: number;
}

/** A caller that may send an unbound bearer token for now. @see REQUIREMENTS section R */
export interface ExceptionConfig {
  readonly id: string;
  readonly kind: 'bearer';
  readonly owner: string;
  readonly reason: string;
  readonly ticket: string;
  /** of the clients: a client id is a name within one issuer */
  readonly issuer: string;
  /** ms since the epoch */
  readonly createdAtMs: number;
  /** the moment at which it stops working, ms since the epoch */
  readonly expiresAtMs: number;
  readonly clients: readonly string[];
  readonly routes: readonly string[];
  /** CIDRs; empty: anywhere */
  readonly sources: readonly string[];
  readonly maxTokenLifetimeSeconds: number | undefined;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
