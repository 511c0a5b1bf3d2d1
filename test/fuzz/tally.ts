import type { LoggedRequest } from './arrivals.js';

/** What happened in a run, counted. */
export class Tally {
  cases = 0;
  requests = 0;
  readonly forwarded: Record<string, number> = {};
  readonly refused: Record<string, number> = {};
  readonly failed: Record<string, number> = {};
  readonly otherwise: Record<string, number> = {};
  readonly answers: Record<string, number> = {};
  arrivals = 0;
  /** bytes that came to the service behind a 101, and that went to clients */
  tunnelledToService = 0;
  tunnelledToClients = 0;
  good = 0;
  /** of these got no answer of the service in time */
  late = 0;

  logged({ fields }: LoggedRequest): void {
    const { outcome, proof, reason } = fields;
    if (outcome === 'forwarded') count(this.forwarded, proof);
    else if (outcome === 'refused') count(this.refused, reason);
    else if (outcome === 'failed') count(this.failed, reason);
    else count(this.otherwise, outcome);
    count(this.answers, fields.status);
  }
}

function count(into: Record<string, number>, name: unknown): void {
  const key = String(name);
  into[key] = (into[key] ?? 0) + 1;
}
