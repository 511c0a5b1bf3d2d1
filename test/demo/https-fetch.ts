import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';

/** Whom a connection trusts, and the certificate that it shows (PEM). */
export interface TlsIdentity {
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface Sent {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: { toString(): string } | null | undefined;
}

export type Fetch = (url: string, sent: Sent) => Promise<Response>;

const timeoutMs = 15_000;

/**
 * A fetch over node:https with a trust store and a client certificate of its own, which the global fetch cannot have.
 * Every request opens a connection, so that none travels under another one's certificate.
 */
export function createFetch({ ca, cert, key }: TlsIdentity): Fetch {
  return (url, { method, headers, body }) =>
    new Promise((resolve, reject) => {
      const options = { method, headers, ca, cert, key, agent: false, timeout: timeoutMs };
      const outgoing = request(url, options, (incoming) => readResponse(incoming).then(resolve, reject));
      outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer from ${url} in ${timeoutMs} ms`)));
      outgoing.on('error', reject);
      outgoing.end(body?.toString());
    });
}

async function readResponse(incoming: IncomingMessage): Promise<Response> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const headers = new Headers();
  const raw = incoming.rawHeaders;
  for (let index = 0; index < raw.length; index += 2) headers.append(raw[index] ?? '', raw[index + 1] ?? '');
  const body = Buffer.concat(chunks);
  return new Response(body.length === 0 ? null : body, { status: incoming.statusCode ?? 0, headers });
}

/** A request as it went over the wire. */
export interface Recorded extends Sent {
  readonly url: string;
}

/** A fetch that keeps the last request it sent: what a thief reads in a log, a crash dump or a compromised proxy. */
export function recording(fetch: Fetch): { readonly fetch: Fetch; readonly last: () => Recorded } {
  let kept: Recorded | undefined;
  return {
    fetch: (url, sent) => {
      kept = { url, ...sent };
      return fetch(url, sent);
    },
    last: () => {
      if (kept === undefined) throw new Error('nothing was sent yet');
      return kept;
    },
  };
}
