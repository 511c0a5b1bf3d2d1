import { once } from 'node:events';
import * as net from 'node:net';
import { portOf } from './ports.js';

/** Stands between the sidecar and a service, and takes its connections with it when it stops. */
export abstract class Hop {
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();

  /**
   * @param port - of the service, on 127.0.0.1
   * @param options - for both sides of each connection
   */
  protected constructor(port: number, options: { readonly allowHalfOpen?: boolean } = {}) {
    this.#server = net.createServer(options, (near) => {
      const far = net.connect({ port, host: '127.0.0.1', ...options });
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on('close', () => this.#sockets.delete(socket));
      }
      this.join(near, far);
    });
  }

  /** Has the two sides of a connection talk, and sees to their errors. */
  protected abstract join(near: net.Socket, far: net.Socket): void;

  protected async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${portOf(this.#server)}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
