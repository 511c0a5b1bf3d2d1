import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * A TCP port of loopback that was free a moment ago. Another process may take it before its user does: for what can
 * choose its own port (listen on 0), do not ask here.
 */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return address.port;
}
