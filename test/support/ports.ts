import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/**
 * A TCP port of loopback that was free a moment ago. Another process may take it before its user does: for what can
 * choose its own port (listen on 0), do not ask here.
 */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}

/** The port that a server listens on. @throws Error when it listens on none */
export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return address.port;
}
