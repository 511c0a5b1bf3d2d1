/**
 * The authorization server of the demo: oidc-provider, as it comes, in a process of its own. It binds access tokens
 * to the client's DPoP key (RFC 9449 §5) or to its certificate (RFC 8705 §3), as each client is registered.
 *
 * Usage: node authorization-server.js SETTINGS.json; prints `{"listening": "<issuer>"}` once it serves.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { exportJWK, generateKeyPair } from 'jose';
import { type Configuration, type Context, errors, Provider } from 'oidc-provider';
import { portOf } from '../support/ports.js';

export interface AuthorizationServerSettings {
  /** PEM */
  readonly certificate: string;
  readonly key: string;
  /** PEM of the CA whose client certificates are believed */
  readonly clientCa: string;
  /** the one API that tokens are issued for; their audience. @see RFC 8707 */
  readonly resource: string;
  /** client metadata. @see RFC 7591 §2 */
  readonly clients: readonly Readonly<Record<string, unknown>>[];
}

const tokenLifetimeSeconds = 300;

async function main(settingsFile: string): Promise<void> {
  const settings: AuthorizationServerSettings = JSON.parse(await readFile(settingsFile, 'utf8'));
  // One port for clients with and without a certificate: it is asked for, and judged by whoever needs it.
  const server = createServer({
    cert: settings.certificate,
    key: settings.key,
    ca: settings.clientCa,
    requestCert: true,
    rejectUnauthorized: false,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `https://localhost:${portOf(server)}`;
  server.on('request', new Provider(issuer, await configure(settings)).callback());
  console.log(JSON.stringify({ listening: issuer }));
}

async function configure({ clients, resource }: AuthorizationServerSettings): Promise<Configuration> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return {
    clients,
    clientAuthMethods: ['private_key_jwt', 'tls_client_auth', 'client_secret_basic'],
    clientDefaults: {
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      id_token_signed_response_alg: 'ES256',
    },
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig' }] },
    responseTypes: [],
    scopes: ['orders:read'],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      dPoP: { enabled: true },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        tlsClientAuth: true,
        getCertificate: ({ socket }) => socket.getPeerX509Certificate(),
        certificateAuthorized: ({ socket }) => socket.authorized,
        certificateSubjectMatches,
      },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context, indicator) => {
          if (indicator !== resource) throw new errors.InvalidTarget();
          return {
            audience: resource,
            scope: 'orders:read',
            accessTokenTTL: tokenLifetimeSeconds,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'ES256' } },
          };
        },
      },
    },
  };
}

/** Clients are registered by a DNS name in their certificate; nothing else matches. @see RFC 8705 §2.1.2 */
function certificateSubjectMatches({ socket }: Context, property: string, expected: string): boolean {
  if (property !== 'tls_client_auth_san_dns') return false;
  const certificate = socket.getPeerX509Certificate();
  return certificate?.checkHost(expected, { subject: 'never', wildcards: false }) !== undefined;
}

await main(process.argv[2] ?? '');
