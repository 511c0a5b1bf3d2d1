/**
 * Families of header fields of which every member is protected, also the ones nobody has thought of yet: a name belongs to
 * the family that it begins with. Legacy services trust them because the gateway or agent that stood there before wrote them.
 */
const families = {
  /** what front proxies say about the connection, the client and the request that they got */
  forwarding: [
    'x-forwarded',
    'x-forward-',
    'forwarded-',
    'x-original-',
    'x-real-',
    'x-ssl-',
    'ssl-client-',
    'sslclient', // F5
    'client-cert',
    'x-client-cert',
    'x-tls-client-',
    'x-mtls-',
    'x-amzn-mtls-',
    'wl-proxy-', // WebLogic plug-ins
    'proxy-client-',
    'x-proxy-',
    'x-arr-', // IIS Application Request Routing
    'x-waws-', // Azure App Service
    'x-azure-',
    'x-envoy-',
    'x-appengine-',
  ],
  /** what gateways and single sign-on agents say about the caller */
  identity: [
    'remote-', // Authelia, mod_auth_*
    'x-remote-',
    'x-webauth-',
    'x-authenticated-',
    'x-auth-request-', // oauth2-proxy
    'x-goog-iap-',
    'x-goog-authenticated-user-',
    'x-amzn-oidc-',
    'x-apigateway-', // AWS, Google Cloud API Gateway
    'x-endpoint-api-', // Google Cloud Endpoints
    'x-ms-client-principal', // Azure App Service
    'x-ms-token-',
    'cf-access-',
    'x-consumer-', // Kong
    'x-credential-',
    'x-anonymous-',
    'x-userinfo',
    'x-id-token',
    'x-access-token',
    'x-refresh-token',
    'x-jwt-', // WSO2, Istio, Envoy
    'x-pomerium-',
    'x-authentik-',
    'x-authelia-',
    'x-vouch-',
    'x-tyk-',
    'x-apigee-',
    'x-okta-',
    'x-f5-',
    'x-citrix-',
    'x-forgerock-',
    'iv-', // IBM WebSEAL
    'sm-', // SiteMinder
    'x-sm-',
    'oam-', // Oracle Access Manager
    'osso-',
    'oidc-', // mod_auth_openidc
    'mellon-', // mod_auth_mellon
    'shib-', // Shibboleth
    'x-shib-',
    'pa-', // PingAccess
    'x-pa-',
  ],
} as const;

export type FamilyRole = keyof typeof families;

// By what they begin with, so that a name is compared with few of them.
const keyLength = 3;
const byBeginning = new Map<string, [family: string, role: FamilyRole][]>();
for (const role of ['forwarding', 'identity'] as const) {
  for (const family of families[role]) {
    const key = family.slice(0, keyLength);
    byBeginning.set(key, [...(byBeginning.get(key) ?? []), [family, role]]);
  }
}

const separators = /[^a-z0-9]+/g;
const outer = /^-|-$/g;
// A service that reads its environment knows `X-A` as HTTP_X_A, and some look a header up under that name. @see RFC 3875 §4.1.18
const variablePrefix = 'http-';

/** @param name - in lower case, with dashes */
export function withoutPrefix(name: string): string {
  return name.startsWith(variablePrefix) ? name.slice(variablePrefix.length) : name;
}

/**
 * @param lower - name in lower case; every separator in it counts as `-`, as services fold them
 * @returns what the family of the name says; undefined when it has none
 * @see REQUIREMENTS L11
 */
export function findFamily(lower: string): FamilyRole | undefined {
  const name = withoutPrefix(lower.replace(separators, '-').replace(outer, ''));
  const candidates = byBeginning.get(name.slice(0, keyLength)) ?? [];
  // A name that ends where the dash of the family would be (`WL-Proxy`) says nothing.
  return candidates.find(([family]) => name.startsWith(family))?.[1];
}
