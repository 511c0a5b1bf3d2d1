import type { Socket } from 'node:net';
import { Hop } from '../support/hop.js';

/** Counts the bytes on their way to the service. */
export class Relay extends Hop {
  bytes = 0;

  /** @param port - of the service, on 127.0.0.1 */
  static start(port: number): Promise<Relay> {
    // What one side ends, the other side ends: what comes behind a half-closed connection still arrives.
    return new Relay(port, { allowHalfOpen: true }).listen();
  }

  protected join(near: Socket, far: Socket): void {
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
    near.on('data', (chunk) => {
      this.bytes += chunk.length;
    });
    near.pipe(far).pipe(near);
  }
}
