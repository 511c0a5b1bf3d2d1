/** The budget of an address for handshakes that cost more than usual: ms at once, and ms a second. */
const burstMs = 150;
const refillMsPerSecond = 5;
// A debt wears off within two minutes, because others may share the address.
const maxDebtMs = burstMs + 120 * refillMsPerSecond;
const maxNetworks = 10_000;

interface Debt {
  ms: number;
  /** when it was so, by the monotonic clock */
  atMs: number;
}

/**
 * How much processor time each network has lately taken for handshakes that cost more than a handshake does. Bounded:
 * 10,000 networks, of which the one that was charged longest ago is forgotten.
 */
export class HandshakeDebts {
  /** charged longest ago first */
  readonly #debts = new Map<string, Debt>();

  charge(network: string, ms: number, nowMs: number): void {
    const before = this.#debtOf(network, nowMs);
    this.#debts.delete(network);
    this.#debts.set(network, { ms: Math.min(before + ms, maxDebtMs), atMs: nowMs });
    if (this.#debts.size <= maxNetworks) return;
    for (const oldest of this.#debts.keys()) {
      this.#debts.delete(oldest);
      break;
    }
  }

  /** Whether it was charged lately. */
  isKnown(network: string, nowMs: number): boolean {
    return this.#debtOf(network, nowMs) > 0;
  }

  /** Whether it is over its budget. */
  isOver(network: string, nowMs: number): boolean {
    return this.#debtOf(network, nowMs) > burstMs;
  }

  #debtOf(network: string, nowMs: number): number {
    const debt = this.#debts.get(network);
    return debt === undefined ? 0 : Math.max(0, debt.ms - ((nowMs - debt.atMs) / 1000) * refillMsPerSecond);
  }
}
