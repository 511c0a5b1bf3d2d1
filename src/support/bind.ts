import type { Server } from 'node:net';

/** Where a server listens: port 0 lets the system choose; a host of an IPv6 address has no brackets. */
export type SocketAddress =
  | { readonly host: string; readonly port: number }
  | { readonly socketPath: string };

/**
 * Starts to listen.
 * @returns the port, 0 for a unix socket
 * @throws Error EADDRINUSE, EACCES, …
 */
export function bind(server: Server, address: SocketAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    const listening = () => {
      const bound = server.address();
      server.off('error', reject);
      resolve(bound !== null && typeof bound === 'object' ? bound.port : 0);
    };
    server.once('error', reject);
    if ('socketPath' in address) server.listen(address.socketPath, listening);
    else server.listen(address.port, address.host, listening);
  });
}
