import { once } from 'node:events';
import * as http2 from 'node:http2';
import type { WireResponse, WireTarget } from './wire.js';

/**
 * Sends a request of HTTP/1.1, as test/support/wire.ts has it, in HTTP/2 and over TLS, on a connection of its own.
 * @param bytes - with a Host field; a body, if any, is whole
 */
export async function exchangeHttp2({ port, tls }: WireTarget, bytes: string): Promise<WireResponse> {
  const session = http2.connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false, ...tls });
  // The stream fails with it, and tells.
  session.on('error', () => {});
  try {
    const [head = '', ...rest] = bytes.split('\r\n\r\n');
    const sent = rest.join('\r\n\r\n');
    const stream = session.request(parseHead(head), { endStream: sent === '' });
    if (sent !== '') stream.end(sent, 'latin1');
    const [fields] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
    let body = '';
    for await (const chunk of stream.setEncoding('latin1')) body += chunk;
    return describeResponse(fields, body);
  } finally {
    session.destroy();
  }
}

function parseHead(head: string): http2.OutgoingHttpHeaders {
  const [line = '', ...lines] = head.split('\r\n');
  const [method, path] = line.split(' ');
  const headers: http2.OutgoingHttpHeaders = { ':method': method, ':path': path, ':scheme': 'https' };
  for (const one of lines) {
    const colon = one.indexOf(':');
    const written = one.slice(0, colon).toLowerCase();
    const name = written === 'host' ? ':authority' : written;
    const value = one.slice(colon + 1).trim();
    const earlier = headers[name];
    headers[name] = earlier === undefined ? value : [earlier, value].flat().map(String);
  }
  return headers;
}

function describeResponse(fields: http2.IncomingHttpHeaders, body: string): WireResponse {
  const headers = Object.entries(fields).flatMap(([name, value]) =>
    [value ?? []].flat().map((one): [string, string] => [name, String(one)]),
  );
  const all = (name: string) =>
    headers.filter(([key]) => key === name.toLowerCase()).map(([, value]) => value);
  return { status: Number(fields[':status']), headers, body, all, one: (name) => all(name)[0] };
}
