import type { Socket } from 'node:net';
import { HandshakeDebts } from './handshake-debts.js';

export interface HandshakeParts {
  /** Begins the handshake, with or without asking for a certificate. */
  readonly begin: (socket: Socket, asks: boolean) => void;
  /** Closes a connection whose address is over its budget. */
  readonly refuse: (socket: Socket) => void;
  /** Told of each connection that is not asked for a certificate. Must not throw */
  readonly notAsked: () => void;
  /** Told when an address is over its budget, at each charge. Must not throw */
  readonly overBudget: (network: string) => void;
}

// All that one address has under way may arrive in one turn of the event loop, where nothing can come in between.
const maxUnderWay = 8;
const maxUnderWayOfOffender = 1;
const maxWaitMs = 3000;
const lookEveryMs = 5;
// A turn of the event loop that is as long as this is nothing out of the ordinary.
const ordinaryTurnMs = 10;
// What a handshake may take without being charged: several times what one does take.
const ordinaryHandshakeMs = 10;
// A turn may be long for other reasons. Long RSA exponents, the dearest that is known, take about this for a KB.
const maxMsPerKb = 5;

interface Handshake {
  readonly socket: Socket;
  readonly network: string;
  /** of the socket, when it was last looked at */
  seenBytes: number;
}

interface Waiting {
  readonly socket: Socket;
  readonly sinceMs: number;
}

/**
 * Who is asked for a certificate. OpenSSL looks at all that a client sends, whether it leads anywhere or not, and it does so in
 * one go while nobody else is served: half a second for the 100 KB that it takes. No option of Node bounds that, and Node
 * does not tell how long it took. So
 *
 * - of one network 8 handshakes are under way at a time, 1 if it was charged lately; others wait for 3 s and are then not asked;
 * - while any is under way, the event loop is watched: a turn that was too long is charged to the networks whose handshakes
 *   went on in it, by their bytes;
 * - a network over its budget is not asked for certificates until its debt has worn off; whatever needs none goes on.
 *
 * @see REQUIREMENTS J17
 */
export class Handshakes {
  readonly #parts: HandshakeParts;
  readonly #debts = new HandshakeDebts();
  readonly #underWay = new Map<Socket, Handshake>();
  /** by network; no entry is 0 */
  readonly #counts = new Map<string, number>();
  /** by network, oldest first; no list is empty */
  readonly #waiting = new Map<string, Waiting[]>();
  /** since the last look */
  #ended: Handshake[] = [];
  #timer: NodeJS.Timeout | undefined;
  #lookedAtMs = 0;
  #usedBefore = process.cpuUsage();

  constructor(parts: HandshakeParts) {
    this.#parts = parts;
  }

  /**
   * Begins a handshake, now or when it is its turn.
   * @param network - as clientNetwork says it
   */
  start(socket: Socket, network: string): void {
    const nowMs = performance.now();
    if (this.#debts.isOver(network, nowMs)) {
      this.#beginUnasked(socket);
      return;
    }
    const queue = this.#waiting.get(network);
    if (queue === undefined && this.#hasPlace(network, nowMs)) {
      this.#begin(socket, network, nowMs);
      return;
    }
    const one = { socket, sinceMs: nowMs };
    if (queue === undefined) this.#waiting.set(network, [one]);
    else queue.push(one);
    this.#watch(nowMs);
  }

  /** The handshake on the socket is over. A socket without one is left alone. */
  end(socket: Socket): void {
    const handshake = this.#underWay.get(socket);
    if (handshake === undefined) return;
    this.#underWay.delete(socket);
    this.#ended.push(handshake);
    const { network } = handshake;
    const count = (this.#counts.get(network) ?? 1) - 1;
    if (count === 0) this.#counts.delete(network);
    else this.#counts.set(network, count);
    // Not at once: what this one has cost is known at the next look.
  }

  #hasPlace(network: string, nowMs: number): boolean {
    const max = this.#debts.isKnown(network, nowMs) ? maxUnderWayOfOffender : maxUnderWay;
    return (this.#counts.get(network) ?? 0) < max;
  }

  #begin(socket: Socket, network: string, nowMs: number): void {
    this.#underWay.set(socket, { socket, network, seenBytes: 0 });
    this.#counts.set(network, (this.#counts.get(network) ?? 0) + 1);
    this.#watch(nowMs);
    socket.once('close', () => this.end(socket));
    this.#parts.begin(socket, true);
  }

  #beginUnasked(socket: Socket): void {
    this.#parts.notAsked();
    this.#parts.begin(socket, false);
  }

  #watch(nowMs: number): void {
    if (this.#timer !== undefined) return;
    this.#lookedAtMs = nowMs;
    this.#usedBefore = process.cpuUsage();
    this.#timer = setInterval(() => this.#look(), lookEveryMs).unref();
  }

  #look(): void {
    const nowMs = performance.now();
    const { user, system } = process.cpuUsage(this.#usedBefore);
    // On a machine that is busy with something else a turn is long, and nobody here has taken it.
    const lateMs = Math.min(nowMs - this.#lookedAtMs - lookEveryMs, (user + system) / 1000);
    this.#lookedAtMs = nowMs;
    this.#usedBefore = process.cpuUsage();
    if (lateMs > ordinaryTurnMs) this.#charge(lateMs, nowMs);
    this.#ended = [];
    this.#serveWaiting(nowMs);
    if (this.#underWay.size > 0 || this.#waiting.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Shares out a turn of the event loop among the handshakes that went on in it. */
  #charge(lateMs: number, nowMs: number): void {
    const moved = [...this.#underWay.values(), ...this.#ended].flatMap((handshake) => {
      const { bytesRead } = handshake.socket;
      const bytes = bytesRead - handshake.seenBytes;
      handshake.seenBytes = bytesRead;
      return bytes > 0 ? [{ handshake, bytes }] : [];
    });
    const total = moved.reduce((sum, { bytes }) => sum + bytes, 0);
    const charged = new Set<string>();
    for (const { handshake, bytes } of moved) {
      const ms = Math.min((lateMs * bytes) / total, (maxMsPerKb * bytes) / 1024) - ordinaryHandshakeMs;
      if (ms <= 0) continue;
      this.#debts.charge(handshake.network, ms, nowMs);
      charged.add(handshake.network);
    }
    for (const network of charged) {
      if (!this.#debts.isOver(network, nowMs)) continue;
      this.#parts.overBudget(network);
      this.#refuseAllOf(network); // it may cost the same again
    }
  }

  #refuseAllOf(network: string): void {
    for (const handshake of [...this.#underWay.values()]) {
      if (handshake.network !== network) continue;
      this.end(handshake.socket);
      this.#parts.refuse(handshake.socket);
    }
  }

  #serveWaiting(nowMs: number): void {
    for (const [network, queue] of this.#waiting) {
      const isOver = this.#debts.isOver(network, nowMs);
      let served = 0;
      for (const { socket, sinceMs } of queue) {
        if (socket.destroyed) served++;
        else if (isOver || nowMs - sinceMs >= maxWaitMs) {
          this.#beginUnasked(socket);
          served++;
        } else if (this.#hasPlace(network, nowMs)) {
          this.#begin(socket, network, nowMs);
          served++;
        } else break;
      }
      if (served === queue.length) this.#waiting.delete(network);
      else queue.splice(0, served);
    }
  }
}
