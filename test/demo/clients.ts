import { randomBytes, webcrypto } from 'node:crypto';
import type { Ca, IssuedCertificate } from '../support/certificates.js';

/** The registered clients of the demo, with what each of them alone holds. */
export interface Clients {
  /** authenticates with a signed assertion, gets DPoP-bound tokens */
  readonly shop: { readonly clientId: 'shop'; readonly privateJwk: webcrypto.JsonWebKey };
  /** authenticates with its certificate, gets tokens bound to it */
  readonly warehouse: { readonly clientId: 'warehouse'; readonly certificate: IssuedCertificate };
  /** an old gateway that can do neither: a shared secret, plain bearer tokens */
  readonly gateway: { readonly clientId: 'acme-gw'; readonly secret: string };
  /** a thief with a certificate of the same CA: a good one, only not the warehouse's */
  readonly thief: { readonly certificate: IssuedCertificate };
}

const warehouseName = 'warehouse.example.com';

/** Makes every key and certificate anew. */
export async function makeClients(ca: Ca): Promise<Clients> {
  const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ]);
  return {
    shop: { clientId: 'shop', privateJwk: await webcrypto.subtle.exportKey('jwk', keys.privateKey) },
    warehouse: {
      clientId: 'warehouse',
      certificate: await ca.issue({ cn: 'warehouse', usage: 'client', san: [warehouseName] }),
    },
    gateway: { clientId: 'acme-gw', secret: randomBytes(24).toString('base64url') },
    thief: { certificate: await ca.issue({ cn: 'thief', usage: 'client', san: ['thief.example.com'] }) },
  };
}

/** What the authorization server knows of them. @see RFC 7591 §2; RFC 8705 §2.1.2, §3.4; RFC 9449 §5.2 */
export function registrations({ shop, warehouse, gateway }: Clients): Record<string, unknown>[] {
  const { kty, crv, x, y } = shop.privateJwk;
  return [
    {
      client_id: shop.clientId,
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks: { keys: [{ kty, crv, x, y }] },
      dpop_bound_access_tokens: true,
      scope: 'orders:read',
    },
    {
      client_id: warehouse.clientId,
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_san_dns: warehouseName,
      tls_client_certificate_bound_access_tokens: true,
      scope: 'orders:read',
    },
    {
      client_id: gateway.clientId,
      client_secret: gateway.secret,
      token_endpoint_auth_method: 'client_secret_basic',
      scope: 'orders:read',
    },
  ];
}
