import assert from 'node:assert/strict';
import type { TLSSocket } from 'node:tls';
import type { IssuedCertificate } from './certificates.js';
import type { Call, Checkpoint } from './checkpoint.js';
import { Wire, type WireTarget } from './wire.js';

export type ClientTls = NonNullable<WireTarget['tls']>;

/** The client side of a connection with this certificate. */
export function showing({ certPem, keyPem }: IssuedCertificate): ClientTls {
  return { cert: certPem, key: keyPem };
}

/** A call with a token that is bound to this certificate. */
export function boundTo(guarded: Checkpoint, { thumbprint }: IssuedCertificate): Call {
  return {
    scheme: 'Bearer',
    token: guarded.token({ cnf: { 'x5t#S256': thumbprint } }),
    proof: null,
  };
}

export interface Session {
  readonly bytes: Buffer;
  readonly tls: ClientTls;
}

/** A session that can be resumed, from a connection that was served. @param call - one that is admitted on it */
export async function takeSession(guarded: Checkpoint, tls: ClientTls, call: Call): Promise<Session> {
  const wire = await Wire.open({ port: guarded.sidecar.port, tls });
  wire.send(guarded.bytes(call));
  await wire.response();
  const bytes = tlsOf(wire).getSession();
  wire.close();
  assert.ok(bytes !== undefined, 'no session');
  return { bytes, tls };
}

/** Opens a connection that asks to go on with the session. */
export function resume(guarded: Checkpoint, { bytes, tls }: Session): Promise<Wire> {
  return Wire.open({ port: guarded.sidecar.port, tls: { ...tls, session: bytes } });
}

export function tlsOf({ socket }: Wire): TLSSocket {
  return socket as TLSSocket;
}

/** Asks for a reload. @returns the event that says how it went, and is the next of its kind */
export async function reload({ sidecar: { child } }: Checkpoint) {
  const before = child.events.filter(isReload).length;
  child.signal('SIGHUP');
  await child.event((event) => isReload(event) && child.events.filter(isReload).length > before);
  return child.events.filter(isReload)[before] ?? {};
}

function isReload({ event }: Readonly<Record<string, unknown>>): boolean {
  return event === 'config_reloaded' || event === 'config_not_reloaded';
}
