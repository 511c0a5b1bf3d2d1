import { lstatSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** Where a server listens: port 0 lets the system choose; a host of an IPv6 address has no brackets. */
export type SocketAddress =
  | { readonly host: string; readonly port: number }
  | { readonly socketPath: string };

export interface Binding {
  readonly address: SocketAddress;
  /** permission bits of a unix socket; who may write may connect */
  readonly socketMode: number;
}

// A socket that is bound and does not listen yet refuses too.
const secondLookMs = 100;

/**
 * Starts to listen. A unix socket that a process has left behind is replaced; anything else that has the name stays.
 * @returns the port, 0 for a unix socket
 * @throws Error EADDRINUSE, EACCES, …
 * @see REQUIREMENTS S17
 */
export async function bind(server: Server, { address, socketMode }: Binding): Promise<number> {
  if ('socketPath' in address) await removeStale(address.socketPath);
  return new Promise((resolve, reject) => {
    const listening = () => {
      const bound = server.address();
      server.off('error', reject);
      resolve(bound !== null && typeof bound === 'object' ? bound.port : 0);
    };
    server.once('error', reject);
    if ('socketPath' in address) withMode(socketMode, () => server.listen(address.socketPath, listening));
    else server.listen(address.port, address.host, listening);
  });
}

/** Never with other bits, not even for a moment. @param create - makes the file before it returns */
function withMode(mode: number, create: () => void): void {
  const before = process.umask(0o777 & ~mode);
  try {
    create();
  } finally {
    process.umask(before);
  }
}

/**
 * Removes a unix socket behind which nobody is any more: SIGKILL leaves it, and nobody could ever bind it again. Looks twice, and
 * then removes what it has looked at: where two processes start at one time the second one finds the socket of the first.
 * @throws Error EADDRINUSE, when somebody answers or it is no socket; or why that cannot be found out
 */
async function removeStale(path: string): Promise<void> {
  const found = identify(path);
  if (found === undefined || (await answers(path))) return;
  await delay(secondLookMs);
  if (await answers(path)) return;
  // Nothing between the two but the system's own time.
  if (identify(path) === found) unlinkSync(path);
}

/** @returns what tells this socket from another one of the same name; undefined for anything that is no socket */
function identify(path: string): string | undefined {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stat?.isSocket() ? `${stat.dev} ${stat.ino} ${stat.mtimeNs}` : undefined;
}

/** Whether the socket is anybody's. Takes it for that unless the system says that it is nobody's. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'),
    );
  });
}
