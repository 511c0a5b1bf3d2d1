import { findFamily, withoutPrefix } from './header-families.js';

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
    'close', // reserved, so that no field is nominated by `Connection: close` (RFC 9112 §9.6)
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
    'proxy', // becomes HTTP_PROXY in CGI programs (httpoxy, CVE-2016-5385)
    'client-ip',
    'x-originating-ip',
    'x-proxyuser-ip',
    'x-scheme',
    'x-url-scheme',
    'front-end-https',
    'x-http-host-override',
    'x-http-path-override',
    'x-http-destinationurl',
    'base-url',
    'x-script-name',
    'x-ssl',
    'real-ip',
    'proxy-user',
    'disguised-host',
    'incap-client-ip',
    'x-sucuri-clientip',
    'x-true-client-ip',
    'x-client-ip',
    'x-cluster-client-ip',
    'x-request-id',
    'true-client-ip',
    'cf-connecting-ip',
    'cf-connecting-ipv6',
    'cf-pseudo-ipv4',
    'fly-client-ip',
    'do-connecting-ip',
    'x-nf-client-connection-ip',
    'fastly-client-ip',
    'x-rewrite-url',
    'x-host',
    'x-http-method',
    'x-http-method-override',
    'x-method-override',
    'x-client-verify',
    'x-client-dn',
  ],
};

/** What services may still trust from other front ends, and the names that Holdfast itself writes by default. */
const identityNames = [
  'x-auth-subject',
  'x-auth-type',
  'x-auth-client',
  'x-auth-issuer',
  'x-auth-scope',
  'x-auth-proof',
  'x-auth-key',
  'x-auth-assertion',
  'x-auth-user',
  'x-auth-username',
  'x-auth-email',
  'x-auth-groups',
  'x-auth-roles',
  'x-auth-exception',
  'x-auth-userid',
  'x-auth-audience',
  'x-auth-expiresin',
  'proxy-remote-user',
];
const plainName = /^[A-Za-z0-9-]+$/;

// Names come from the network: what is remembered is bounded, and begun anew when it is full, so that nobody can keep
// the common names out for good.
const maxRemembered = 512;
const maxRememberedCharacters = 64;

/**
 * Tells what a header field name means, for one configuration of identity headers.
 * @see REQUIREMENTS A14, A21, B02, B08, K01, L01
 */
export class HeaderNames {
  readonly #roles = new Map<string, HeaderRole>();
  readonly #folded = new Set<string>();
  readonly #remembered = new Map<string, HeaderName>();

  /** @param written - every name that the sidecar may write or that `identity.strip` reserves, in any case */
  constructor(written: Iterable<string>) {
    for (const [role, names] of Object.entries(builtIn)) {
      // The keys of `builtIn` are roles by its type; Object.entries forgets that.
      for (const name of names) this.#protect(name, role as keyof typeof builtIn);
    }
    for (const name of identityNames) this.#protect(name, 'identity');
    for (const name of written) this.#protect(name.toLowerCase(), 'identity');
  }

  /** @param name - as sent */
  lookup(name: string): HeaderName {
    const known = this.#remembered.get(name);
    if (known !== undefined) return known;
    const lower = name.toLowerCase();
    const found: HeaderName = { lower, role: this.#classify(lower) };
    if (name.length <= maxRememberedCharacters) {
      if (this.#remembered.size === maxRemembered) this.#remembered.clear();
      this.#remembered.set(name, found);
    }
    return found;
  }

  #protect(name: string, role: HeaderRole): void {
    if (!this.#roles.has(name)) this.#roles.set(name, role);
    this.#folded.add(fold(name));
  }

  #classify(lower: string): HeaderRole {
    if (!plainName.test(lower)) {
      const folded = fold(lower);
      const protectedRole =
        this.#folded.has(folded) || this.#folded.has(folded.replace(/^http/, '')) || findFamily(lower);
      return protectedRole ? 'impersonating' : 'odd';
    }
    return this.#roles.get(lower) ?? this.#roles.get(withoutPrefix(lower)) ?? findFamily(lower) ?? 'ordinary';
  }
}

// Servers that turn names into variables map every odd character to `_` (CGI, RFC 3875 §4.1.18). Compared without any of
// them, so that neither their number nor their kind matters.
function fold(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}
