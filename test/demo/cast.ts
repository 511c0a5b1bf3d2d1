import { webcrypto } from 'node:crypto';
import * as oauth from 'oauth4webapi';
import { requestToken } from './client.js';
import { createFetch, type Fetch, type Recorded, recording } from './https-fetch.js';
import type { Setting } from './stage.js';

/** The callers of the demo, each with its access token. */
export interface Cast {
  /** proves possession by DPoP; what it sent last is what a thief could have read */
  readonly shop: {
    readonly token: string;
    readonly dpop: oauth.DPoPHandle;
    readonly fetch: Fetch;
    readonly last: () => Recorded;
  };
  /** proves possession by its client certificate */
  readonly warehouse: { readonly token: string; readonly fetch: Fetch };
  /** proves nothing yet: passes under the exception */
  readonly gateway: { readonly token: string; readonly fetch: Fetch };
  /** has a DPoP key and a certificate of its own, and every token of the others */
  readonly thief: { readonly dpop: oauth.DPoPHandle; readonly fetch: Fetch; readonly withCertificate: Fetch };
}

/** Gets every caller its token from the authorization server, each authenticating in its own way. */
export async function assemble({ issuer, origin, ca, clients }: Setting): Promise<Cast> {
  const { shop, warehouse, gateway, thief } = clients;
  const plain = createFetch({ ca });
  const taped = recording(plain);
  const warehouseFetch = createFetch({
    ca,
    cert: warehouse.certificate.certPem,
    key: warehouse.certificate.keyPem,
  });
  const shopDpop = await newDpopHandle();

  const [shopToken, warehouseToken, gatewayToken] = await Promise.all([
    requestToken(issuer, origin, {
      clientId: shop.clientId,
      authentication: oauth.PrivateKeyJwt(await importSigningKey(shop.privateJwk)),
      dpop: shopDpop,
      fetch: plain,
    }),
    requestToken(issuer, origin, {
      clientId: warehouse.clientId,
      authentication: oauth.TlsClientAuth(),
      fetch: warehouseFetch,
    }),
    requestToken(issuer, origin, {
      clientId: gateway.clientId,
      authentication: oauth.ClientSecretBasic(gateway.secret),
      fetch: plain,
    }),
  ]);
  const { certPem, keyPem } = thief.certificate;
  return {
    shop: { token: shopToken, dpop: shopDpop, ...taped },
    warehouse: { token: warehouseToken, fetch: warehouseFetch },
    gateway: { token: gatewayToken, fetch: plain },
    thief: {
      dpop: await newDpopHandle(),
      fetch: plain,
      withCertificate: createFetch({ ca, cert: certPem, key: keyPem }),
    },
  };
}

/** A new key, which never leaves the handle, and whatever nonces servers want in its proofs. */
export async function newDpopHandle(): Promise<oauth.DPoPHandle> {
  return oauth.DPoP({}, await oauth.generateKeyPair('ES256'));
}

export function importSigningKey(jwk: webcrypto.JsonWebKey): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
}
