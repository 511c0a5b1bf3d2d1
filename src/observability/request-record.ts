import type { Denial } from '../denial/denial.js';
import type { Fault } from '../denial/fault.js';
import type { ProofLabel } from '../policy/authorize.js';
import type { RouteOptions } from '../policy/route-options.js';
import type { RequestFacts } from '../request/facts.js';
import type { VerifiedToken } from '../token/verified-token.js';

/** What became of a request. `local`: answered by the sidecar itself; `aborted`: the client left first. */
export type Outcome = 'forwarded' | 'refused' | 'failed' | 'local' | 'aborted';

/** Of a request line, as sent. */
export interface SentLine {
  readonly method: string;
  readonly target: string;
}

/** All there is to say about one request; log and metrics choose from it. */
export interface RequestRecord {
  readonly requestId: string;
  readonly outcome: Outcome;
  /** 0 when the client left before it got an answer */
  readonly status: number;
  readonly facts: RequestFacts | undefined;
  /** without facts, when it was refused for its form: what it asked for all the same, as far as a request line came */
  readonly sent: SentLine | undefined;
  readonly route: RouteOptions | undefined;
  readonly token: VerifiedToken | undefined;
  readonly proof: ProofLabel | undefined;
  /** thumbprint of the key that was proven */
  readonly key: string | undefined;
  readonly exception: string | undefined;
  readonly cause: Denial | Fault | undefined;
  readonly remoteAddress: string;
  readonly durationMs: number;
  readonly gateMs: number | undefined;
  readonly upstreamMs: number | undefined;
}

/** The record of a request that is under way. */
export type OpenRecord = { -readonly [Name in keyof RequestRecord]: RequestRecord[Name] };

/** All fields at once and in one order: every record has the same shape, which keeps reading them cheap. */
export function openRecord(requestId: string, remoteAddress: string): OpenRecord {
  return {
    requestId,
    outcome: 'aborted',
    status: 0,
    facts: undefined,
    sent: undefined,
    route: undefined,
    token: undefined,
    proof: undefined,
    key: undefined,
    exception: undefined,
    cause: undefined,
    remoteAddress,
    durationMs: 0,
    gateMs: undefined,
    upstreamMs: undefined,
  };
}
