import { type KeyObject, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { type IssuedCertificate, makeCa } from '../test/support/certificates.js';
import { signCompact } from '../test/support/dpop.js';
import { makeKeyPair } from '../test/support/keys.js';
import { portOf } from '../test/support/ports.js';

/** What clients put into Host, whatever the port. */
export const authority = 'api.test';
export const issuer = 'https://login.test';
export const audience = 'https://api.test';
/** the client that may use its bearer token under an exception */
export const excepted = 'partner-gateway';

const lifetimeSeconds = 3600;

/** An issuer that lives as long as the run. */
export interface Issuer {
  /** JWK set */
  readonly jwks: string;
  /** @returns an access token of RFC 9068 with these claims beside the usual ones */
  mint(claims: object): string;
}

export function makeIssuer(): Issuer {
  const { privateKey, publicKey } = makeKeyPair('ec', { namedCurve: 'P-256' });
  const kid = 'bench';
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' };
  return { jwks: JSON.stringify({ keys: [jwk] }), mint: (claims) => mint({ privateKey, kid }, claims) };
}

function mint({ privateKey, kid }: { privateKey: KeyObject; kid: string }, claims: object): string {
  const iat = Math.floor(Date.now() / 1000);
  const usual = {
    ...{ iss: issuer, aud: audience, sub: 'user-1', client_id: 'bench-client', scope: 'orders.read' },
    ...{ jti: randomUUID(), iat, exp: iat + lifetimeSeconds },
  };
  return signCompact(privateKey, { typ: 'at+jwt', alg: 'ES256', kid }, { ...usual, ...claims });
}

/** Serves a key set over HTTP, for the peer, which reads it once. @returns its URL and how to end it */
export async function serveKeySet(jwks: string): Promise<{ url: string; close: () => void }> {
  const server = createServer((_, response) => response.end(jwks)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${portOf(server)}/jwks`, close };
}

/** Certificates of a run: the files of the server, and what the client presents. */
export interface Certificates {
  readonly serverCertFile: string;
  readonly serverKeyFile: string;
  readonly caFile: string;
  readonly ca: string;
  readonly client: IssuedCertificate;
}

/** @param folder - where the files go */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const ca = await makeCa();
  const server = await ca.issue({ cn: authority, usage: 'server', san: [authority] });
  const files = {
    serverCertFile: join(folder, 'server.crt'),
    serverKeyFile: join(folder, 'server.key'),
    caFile: join(folder, 'ca.crt'),
  };
  writeFileSync(files.serverCertFile, server.certPem);
  writeFileSync(files.serverKeyFile, server.keyPem);
  writeFileSync(files.caFile, ca.certPem);
  return { ...files, ca: ca.certPem, client: await ca.issue({ cn: 'bench-client', usage: 'client' }) };
}
