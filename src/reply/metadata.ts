import type { ProofRequirement } from '../policy/route-options.js';
import { type Answer, json } from './reply.js';

export interface MetadataOptions {
  /** the resource identifier: an https (or http) URL without query and fragment */
  readonly resource: string;
  readonly authorizationServers: readonly string[];
  readonly dpopAlgorithms: readonly string[];
  /** whether the listener asks for client certificates */
  readonly clientCertificates: boolean;
  readonly routes: readonly { readonly proof: ProofRequirement; readonly scopes: readonly string[] }[];
}

const wellKnown = '/.well-known/oauth-protected-resource';

/**
 * OAuth 2.0 protected resource metadata, generated from the configuration that is enforced and from nothing else.
 * The whole well-known tree is ours: no path under it reaches the service.
 * @see RFC 9728 §2, §3; REQUIREMENTS O03-O06
 */
export class ResourceMetadata {
  /** where clients find the document: the well-known path inserted before the path of the resource (RFC 9728 §3.1) */
  readonly url: string;
  readonly #path: string;
  readonly #document: object;

  constructor(options: MetadataOptions) {
    const { resource } = options;
    const pathAt = resource.indexOf('/', resource.indexOf('://') + 3);
    const origin = pathAt < 0 ? resource : resource.slice(0, pathAt);
    const path = pathAt < 0 ? '' : resource.slice(pathAt);
    this.#path = wellKnown + (path === '/' ? '' : path);
    this.url = origin + this.#path;
    this.#document = buildDocument(options);
  }

  /** Whether the sidecar answers this path itself. @param path - normalised */
  readonly isMetadataPath = (path: string): boolean => path === wellKnown || path.startsWith(`${wellKnown}/`);

  /** Anybody may read the document; nobody can do anything else with it. */
  answer(method: string, path: string): Answer {
    if (path !== this.#path) return json(404, { error: 'not_found' });
    if (method !== 'GET' && method !== 'HEAD')
      return json(405, { error: 'method_not_allowed' }, ['Allow', 'GET, HEAD']);
    const text = JSON.stringify(this.#document);
    return {
      status: 200,
      headers: [
        ...['Content-Type', 'application/json', 'Content-Length', String(Buffer.byteLength(text))],
        // Public by nature; scripts of any origin need it to find the authorization server.
        ...['Cache-Control', 'public, max-age=300', 'Access-Control-Allow-Origin', '*'],
      ],
      body: text,
    };
  }
}

function buildDocument({
  resource,
  authorizationServers,
  dpopAlgorithms,
  clientCertificates,
  routes,
}: MetadataOptions): object {
  const guarded = routes.filter(({ proof }) => proof !== 'none');
  const scopes = [...new Set(guarded.flatMap((route) => route.scopes))];
  return {
    resource,
    // RFC 9728 §3.2: what has no value is left out.
    ...(authorizationServers.length === 0 ? {} : { authorization_servers: authorizationServers }),
    ...(scopes.length === 0 ? {} : { scopes_supported: scopes }),
    bearer_methods_supported: ['header'],
    tls_client_certificate_bound_access_tokens:
      clientCertificates && guarded.some(({ proof }) => proof !== 'dpop'),
    ...(guarded.every(({ proof }) => proof === 'mtls')
      ? {}
      : { dpop_signing_alg_values_supported: dpopAlgorithms }),
    dpop_bound_access_tokens_required:
      guarded.length > 0 && guarded.every(({ proof }) => proof === 'dpop' || proof === 'both'),
  };
}
