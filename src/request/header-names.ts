/**
 * What a header field name means to us. Everything that is not `ordinary` is either read and regenerated here or
 * may be written by the sidecar only; an inbound copy never reaches the service.
 */
export type HeaderRole =
  /** end-to-end, forwarded */
  | 'ordinary'
  /** meaningful for one connection only. @see RFC 9110 §7.6.1 */
  | 'hop-by-hop'
  /** read here, sent on in a form of our own: host, content-length, expect, via, max-forwards */
  | 'message'
  | 'credential'
  /** speaks for the connection in front of us: forwarding and client certificate headers of front proxies */
  | 'forwarding'
  /** the verified identity: may be written by the sidecar only */
  | 'identity'
  /** a name outside A-Za-z0-9- */
  | 'odd'
  /** an odd name that a service which folds `_` and `-` would read as one of the protected names above */
  | 'impersonating';

export interface HeaderName {
  readonly lower: string;
  readonly role: HeaderRole;
}

const builtIn: Readonly<
  Record<Exclude<HeaderRole, 'ordinary' | 'identity' | 'odd' | 'impersonating'>, string[]>
> = {
  'hop-by-hop': [
    'connection',
    'keep-alive',
    'proxy-connection',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
    'proxy-authenticate',
    'proxy-authentication-info',
    'http2-settings',
  ],
  message: ['host', 'content-length', 'expect', 'via', 'max-forwards'],
  credential: ['authorization', 'dpop', 'proxy-authorization'],
  forwarding: [
    'forwarded',
    'x-real-ip',
    'x-client-ip',
    'x-cluster-client-ip',
    'x-request-id',
    'true-client-ip',
    'cf-connecting-ip',
    'fastly-client-ip',
    'x-rewrite-url',
    'x-host',
    'x-http-method',
    'x-http-method-override',
    'x-method-override',
    'client-cert',
    'client-cert-chain',
    'x-client-cert',
    'x-client-cert-chain',
    'x-client-certificate',
    'x-client-verify',
    'x-client-dn',
    'x-arr-clientcert',
    'x-envoy-external-address',
    'x-envoy-internal',
    'x-envoy-original-path',
    'x-appengine-user-ip',
  ],
};

/** Families of which every member is protected, also the ones nobody has thought of yet. */
const forwardingFamilies = [
  'x-forwarded',
  'x-original-',
  'x-ssl-',
  'ssl-client-',
  'x-amzn-mtls-',
  'x-tls-client-',
];

/** Identity headers of common legacy front ends, which a service may still trust. */
const legacyIdentity = [
  'remote-user',
  'x-remote-user',
  'x-remote-group',
  'x-remote-groups',
  'x-webauth-user',
];

const plainName = /^[A-Za-z0-9-]+$/;

// Names come from the network: remember the common ones, never all of them.
const maxRemembered = 512;

/**
 * Tells what a header field name means, for one configuration of identity headers.
 * @see REQUIREMENTS A14, A21, B02, B08, K01, L01
 */
export class HeaderNames {
  readonly #roles = new Map<string, HeaderRole>();
  readonly #folded = new Set<string>();
  readonly #remembered = new Map<string, HeaderName>();

  /** @param identityNames - every name that the sidecar may write or that `identity.strip` reserves, in any case */
  constructor(identityNames: Iterable<string>) {
    for (const [role, names] of Object.entries(builtIn)) {
      // The keys of `builtIn` are roles by its type; Object.entries forgets that.
      for (const name of names) this.#protect(name, role as keyof typeof builtIn);
    }
    for (const name of legacyIdentity) this.#protect(name, 'identity');
    for (const name of identityNames) this.#protect(name.toLowerCase(), 'identity');
  }

  /** @param name - as sent */
  lookup(name: string): HeaderName {
    const known = this.#remembered.get(name);
    if (known !== undefined) return known;
    const lower = name.toLowerCase();
    const found: HeaderName = { lower, role: this.#classify(lower) };
    if (this.#remembered.size < maxRemembered) this.#remembered.set(name, found);
    return found;
  }

  #protect(name: string, role: HeaderRole): void {
    if (!this.#roles.has(name)) this.#roles.set(name, role);
    this.#folded.add(fold(name));
  }

  #classify(lower: string): HeaderRole {
    if (!plainName.test(lower)) {
      const folded = fold(lower);
      const impersonates =
        this.#folded.has(folded) || forwardingFamilies.some((family) => folded.startsWith(fold(family)));
      return impersonates ? 'impersonating' : 'odd';
    }
    const role = this.#roles.get(lower);
    if (role !== undefined) return role;
    return forwardingFamilies.some((family) => lower.startsWith(family)) ? 'forwarding' : 'ordinary';
  }
}

// Servers that turn names into variables map every odd character to `_` (CGI, RFC 3875 §4.1.18), some drop it.
function fold(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}
