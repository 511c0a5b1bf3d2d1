import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { portOf } from '../../support/ports.js';

/** What the services in Node keep apart; what is not named is open to everybody. */
const handlers: Readonly<Record<string, string>> = {
  admin: 'admin',
  bank: 'bank',
  keys: 'keys',
  transfers: 'transfers',
  café: 'cafe',
};

/** The handler for a path as the service reads it. @param path - decoded as far as the service decodes */
export function dispatch(path: string): string {
  if (path === '/reports/export') return 'report';
  return handlers[path.split('/')[1] ?? ''] ?? 'open';
}

/** Answers with what was served, and writes it down. */
export function answer(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  handler: string,
): void {
  const subject = request.headers['x-auth-subject'] ?? null;
  const served = { handler, path, method: request.method, target: request.url, subject };
  process.stdout.write(`${JSON.stringify({ event: 'served', ...served })}\n`);
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(served));
}

/** Listens on a port of loopback and says which. */
export function listen(server: Server): void {
  server.listen(0, '127.0.0.1', () => {
    process.stdout.write(`${JSON.stringify({ event: 'listening', port: portOf(server) })}\n`);
  });
}
