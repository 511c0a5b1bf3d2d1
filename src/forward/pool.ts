import type { EventEmitter } from 'node:events';
import { Fault } from '../denial/fault.js';

export interface PoolOptions {
  /** requests at the service at one time */
  readonly connections: number;
  /** requests that may wait for one */
  readonly queueLength: number;
  /** how long each may wait */
  readonly queueWaitMs: number;
}

/** Bounds how many requests are at the service, and how many wait. @see REQUIREMENTS S09 */
export class Pool {
  readonly #options: PoolOptions;
  readonly #waiting = new Set<() => void>();
  #active = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /**
   * @param client - emits `close` when the client has gone: its place in the queue is given up, and nothing of its
   *   request reaches the service
   * @returns a function that gives the place back; at once where there is a place
   * @throws Fault ERR_UPSTREAM_BUSY (503), as a rejection
   */
  enter(client: EventEmitter): (() => void) | Promise<() => void> {
    if (this.#active >= this.#options.connections) return this.#queue(client).then(() => this.#take());
    this.#active++;
    return this.#take();
  }

  /** @returns what gives a place back that has been taken */
  #take(): () => void {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#leave();
    };
  }

  async #queue(client: EventEmitter): Promise<void> {
    const { queueLength, queueWaitMs } = this.#options;
    if (this.#waiting.size >= queueLength) throw new Fault('ERR_UPSTREAM_BUSY', { detail: 'queue is full' });
    return new Promise((resolve, reject) => {
      const giveUp = (detail: string) => {
        settle();
        reject(new Fault('ERR_UPSTREAM_BUSY', { detail }));
      };
      const timer = setTimeout(giveUp, queueWaitMs, `waited ${queueWaitMs} ms`);
      const onClose = () => giveUp('the client has gone');
      const settle = () => {
        clearTimeout(timer);
        client.off('close', onClose);
        this.#waiting.delete(proceed);
      };
      const proceed = () => {
        settle();
        resolve();
      };
      client.once('close', onClose);
      this.#waiting.add(proceed);
    });
  }

  // The place goes straight to the one who has waited longest, so nobody who comes later can take it.
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#active--;
      return;
    }
    next();
  }
}
