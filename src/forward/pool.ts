import type { EventEmitter } from 'node:events';
import { Fault } from '../denial/fault.js';
import { type Caller, Callers, type Requester } from './callers.js';
import { type CallerKind, Shares } from './shares.js';

export interface PoolOptions {
  /** requests at the service at one time */
  readonly connections: number;
  /** requests that may wait for one */
  readonly queueLength: number;
  /** how long each may wait */
  readonly queueWaitMs: number;
  /** told of each request that is refused: no room to wait, or waited too long. Must not throw */
  readonly refused?: (kind: CallerKind, cause: RefusedPlace) => void;
}

export type RefusedPlace = 'queue_full' | 'waited';

/** The requests of one caller that wait, the one that has waited longest first. */
type Line = Set<() => void>;

/**
 * Bounds how many requests are at the service, and how many wait; both are shared out among callers (shares.ts), because a
 * request holds its place for as long as its caller takes to send a body or to read an answer.
 *
 * Callers that wait take turns, and so do their two kinds. Who holds its share waits, and lets those behind it pass.
 * @see REQUIREMENTS S09, S14
 */
export class Pool {
  readonly #options: PoolOptions;
  readonly #callers = new Callers();
  readonly #places: Shares;
  readonly #queue: Shares;
  /** whose requests wait, in the order of their turns */
  readonly #lines = { client: new Map<Caller, Line>(), stranger: new Map<Caller, Line>() };
  /** whose turn it is */
  #next: CallerKind = 'client';

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#places = new Shares(options.connections);
    this.#queue = new Shares(options.queueLength);
  }

  /** requests at the service */
  inFlight(kind: CallerKind): number {
    return this.#places.taken(kind);
  }

  /** requests that wait for a place there */
  waiting(kind: CallerKind): number {
    return this.#queue.taken(kind);
  }

  /** callers that have a request at the service, or waiting */
  get callerCount(): number {
    return this.#callers.size;
  }

  /**
   * @param client - emits `close` when the client has gone: its place in the queue is given up, and nothing of its
   *   request reaches the service
   * @returns a function that gives the place back; at once where there is a place
   * @throws Fault ERR_UPSTREAM_BUSY (503), as a rejection
   */
  enter(requester: Requester, client: EventEmitter): (() => void) | Promise<() => void> {
    const caller = this.#callers.of(requester);
    if (!this.#places.hasRoomFor(caller.kind, caller.atService)) return this.#wait(caller, client);
    return this.#take(caller);
  }

  /** @returns what gives the place back */
  #take(caller: Caller): () => void {
    this.#places.take(caller.kind);
    caller.atService++;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#places.giveBack(caller.kind);
      caller.atService--;
      this.#callers.settle(caller);
      if (this.#lines.client.size > 0 || this.#lines.stranger.size > 0) this.#handOn();
    };
  }

  async #wait(caller: Caller, client: EventEmitter): Promise<() => void> {
    const { kind } = caller;
    const { queueWaitMs } = this.#options;
    if (!this.#queue.hasRoomFor(kind, caller.waiting)) {
      this.#callers.settle(caller);
      throw this.#refuse(
        kind,
        'queue_full',
        this.#queue.free > 0 ? 'share of the queue is full' : 'queue is full',
      );
    }
    this.#queue.take(kind);
    caller.waiting++;
    return new Promise((resolve, reject) => {
      const onTime = () => {
        settle();
        this.#callers.settle(caller);
        reject(this.#refuse(kind, 'waited', `waited ${queueWaitMs} ms`));
      };
      const onClose = () => {
        settle();
        this.#callers.settle(caller);
        reject(new Fault('ERR_UPSTREAM_BUSY', { detail: 'the client has gone' }));
      };
      const proceed = () => {
        settle();
        // At once, so that nobody who comes later can take it.
        resolve(this.#take(caller));
      };
      const timer = setTimeout(onTime, queueWaitMs);
      const settle = () => {
        clearTimeout(timer);
        client.off('close', onClose);
        this.#queue.giveBack(kind);
        caller.waiting--;
        this.#leaveLine(caller, proceed);
      };
      client.once('close', onClose);
      this.#joinLine(caller, proceed);
    });
  }

  #refuse(kind: CallerKind, cause: RefusedPlace, detail: string): Fault {
    this.#options.refused?.(kind, cause);
    return new Fault('ERR_UPSTREAM_BUSY', { detail });
  }

  #joinLine(caller: Caller, proceed: () => void): void {
    const line = this.#lines[caller.kind].get(caller);
    if (line === undefined) this.#lines[caller.kind].set(caller, new Set([proceed]));
    else line.add(proceed);
  }

  #leaveLine(caller: Caller, proceed: () => void): void {
    const line = this.#lines[caller.kind].get(caller);
    line?.delete(proceed);
    if (line?.size === 0) this.#lines[caller.kind].delete(caller);
  }

  /** Gives out what is free, for as long as somebody waits who may have it. */
  #handOn(): void {
    for (let failed = 0; failed < 2; ) {
      const kind = this.#next;
      this.#next = kind === 'client' ? 'stranger' : 'client';
      if (this.#handOnTo(kind)) failed = 0;
      else failed++;
    }
  }

  /** @returns false when nobody of that kind waits who may have a place */
  #handOnTo(kind: CallerKind): boolean {
    const lines = this.#lines[kind];
    // Who may not have another one holds one: of those there are no more than places.
    if (!this.#places.hasRoomFor(kind, 0)) return false;
    for (const [caller, line] of lines) {
      if (!this.#places.hasRoomFor(kind, caller.atService)) continue;
      const [proceed] = line;
      // Its next one has its turn behind everybody else's.
      lines.delete(caller);
      lines.set(caller, line);
      proceed?.();
      return true;
    }
    return false;
  }
}
