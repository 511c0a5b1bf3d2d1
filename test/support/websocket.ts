import { createHash } from 'node:crypto';
import type { SeenRequest } from './recording-service.js';

/** The example of RFC 6455 §1.3. */
export const websocketKey = 'dGhlIHNhbXBsZSBub25jZQ==';
export const websocketAccept = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

/** The header lines of a good opening handshake. */
export const handshake: readonly string[] = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  `Sec-WebSocket-Key: ${websocketKey}`,
];

/** @param key - Sec-WebSocket-Key of the handshake. @see RFC 6455 §1.3 */
export function acceptFor(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** The same without the lines of these names, and with others. */
export function handshakeWith(without: readonly string[], ...others: readonly string[]): string[] {
  const left = handshake.filter(
    (line) => !without.some((name) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`)),
  );
  return [...left, ...others];
}

/** The 101 of a service that agrees. @param fields - further lines */
export function switching(request: SeenRequest, ...fields: readonly string[]): string {
  const [key = ''] = request.all('sec-websocket-key');
  return [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptFor(key)}`,
    ...fields,
    '',
    '',
  ].join('\r\n');
}
