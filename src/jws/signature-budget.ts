import { Denial } from '../denial/denial.js';
import { clientNetwork } from '../support/client-network.js';
import type { Clock } from '../support/clock.js';

/** Who owes for a verification that bought nothing. */
export interface Payer {
  /** of the client; empty on a unix socket, which owes nothing */
  readonly address: string;
  /** names a key that the client is known by: it has an account of its own at this address */
  readonly key: string | undefined;
}

export interface SignatureBudgetOptions {
  /** failures a minute that a payer may cost */
  readonly failuresPerMinute: number;
  /** must not be set back, or debts would stay */
  readonly clock: Clock;
  /** told of each signature that was verified; must not throw */
  readonly verified?: (kind: 'proof' | 'token', result: 'ok' | 'failed') => void;
  /** how many payers are remembered */
  readonly maxPayers?: number;
}

interface Debt {
  failures: number;
  /** when it was that much */
  atMs: number;
}

const defaultMaxPayers = 10_000;
const keptOnOverflow = 0.75;
const minuteMs = 60_000;

/**
 * Bounds the processor time that garbage can buy: who has caused too many verifications that failed (imports of new keys
 * are counted with them) is refused before the next one. A debt melts steadily, so that a payer costs `failuresPerMinute`
 * on average whatever it does, beside those verifications that are under way when the limit is reached.
 *
 * It is no gate: it refuses early what may be good, and lets nothing pass. Clients behind one address share its account,
 * so those who are known by a key owe for that key alone, and a neighbour's garbage does not hurt them.
 *
 * At most `maxPayers` (10,000, some 2 MB) are remembered. When there are more, the quarter that owes least is forgotten:
 * many addresses with a failure each cannot make room for one with many.
 * @see REQUIREMENTS G19
 */
export class SignatureBudget {
  readonly #limit: number;
  readonly #clock: Clock;
  readonly #maxPayers: number;
  readonly #debts = new Map<string, Debt>();
  readonly verified: (kind: 'proof' | 'token', result: 'ok' | 'failed') => void;

  constructor(options: SignatureBudgetOptions) {
    const { failuresPerMinute, clock, verified = () => {}, maxPayers = defaultMaxPayers } = options;
    this.#limit = failuresPerMinute;
    this.#clock = clock;
    this.#maxPayers = maxPayers;
    this.verified = verified;
  }

  /** payers that are remembered */
  get size(): number {
    return this.#debts.size;
  }

  /** Costs nothing while nobody owes anything. @throws Denial too_many_failed_signatures */
  check(payer: Payer): void {
    if (this.#debts.size === 0) return;
    const name = nameOf(payer);
    const debt = this.#debts.get(name);
    if (debt === undefined) return;
    const owed = this.#owed(debt, this.#clock.nowMs());
    if (owed === 0) this.#debts.delete(name);
    if (owed > this.#limit - 1) {
      throw new Denial('too_many_failed_signatures', `${Math.ceil(owed)} by ${name}, limit ${this.#limit}`);
    }
  }

  /** A verification for this payer bought nothing. */
  charge(payer: Payer): void {
    if (payer.address === '') return;
    const name = nameOf(payer);
    const nowMs = this.#clock.nowMs();
    const debt = this.#debts.get(name);
    if (debt === undefined) {
      if (this.#debts.size >= this.#maxPayers) this.#makeRoom(nowMs);
      this.#debts.set(name, { failures: 1, atMs: nowMs });
      return;
    }
    debt.failures = this.#owed(debt, nowMs) + 1;
    debt.atMs = nowMs;
  }

  #owed({ failures, atMs }: Debt, nowMs: number): number {
    return Math.max(0, failures - ((nowMs - atMs) * this.#limit) / minuteMs);
  }

  /** Rare and for many at once: a search for the least at each new payer would itself be for sale. */
  #makeRoom(nowMs: number): void {
    const owing = [...this.#debts]
      .map(([name, debt]): [string, number] => [name, this.#owed(debt, nowMs)])
      .sort(([, a], [, b]) => a - b);
    const kept = Math.floor(this.#maxPayers * keptOnOverflow);
    for (const [at, [name, owed]] of owing.entries()) {
      if (owed === 0 || at < owing.length - kept) this.#debts.delete(name);
    }
  }
}

function nameOf({ address, key }: Payer): string {
  const network = clientNetwork(address);
  return key === undefined ? network : `${network} ${key}`;
}
