/**
 * We or something we depend on failed: always a 5xx, never a 401, and never an admission.
 * Closed like the catalogue of reasons: a key is the log field `reason`, the metric label and the docs anchor.
 */
export interface FaultEntry {
  readonly status: 500 | 502 | 503 | 504;
  readonly sentence: string;
  readonly hint: string;
}

const entries = {
  ERR_INTERNAL: {
    status: 500,
    sentence: 'The gateway failed.',
    hint: 'an error of Holdfast itself: the stack is in the log; please report it',
  },
  ERR_ISSUER_KEYS_UNAVAILABLE: {
    status: 503,
    sentence: 'The keys of the authorization server are not available.',
    hint: 'no usable key set, or an unknown key while the authorization server is unreachable; its error is in detail',
  },
  ERR_ISSUER_KEY_PENDING: {
    status: 503,
    sentence: 'The key of the access token is not known yet.',
    hint: 'the authorization server was asked for its keys less than 5 seconds ago, before this token came: normal for seconds after a rotation; all the time, somebody sends tokens with made-up keys',
  },
  ERR_REPLAY_STORE_FULL: {
    status: 503,
    sentence: 'The gateway is at its capacity.',
    hint: 'replay.capacity live proofs: nothing is forgotten to make room. Raise the capacity or lower dpop.maxAge',
  },
  ERR_SHUTTING_DOWN: {
    status: 503,
    sentence: 'The gateway is shutting down.',
    hint: 'not done when shutdown.grace had passed after SIGTERM, and cut off: raise it, and the time that the platform gives',
  },
  ERR_UPSTREAM_BUSY: {
    status: 503,
    sentence: 'The service is at its capacity.',
    hint: 'the caller has its share of upstream.connections, or all are in use; and of upstream.queue, or its wait has passed. See holdfast_places_refused_total',
  },
  ERR_UPSTREAM_UNREACHABLE: {
    status: 502,
    sentence: 'The service could not be reached.',
    hint: 'no connection to upstream.url, or its TLS certificate was refused; the cause is in detail',
  },
  ERR_UPSTREAM_RESPONSE_INVALID: {
    status: 502,
    sentence: 'The service gave no valid answer.',
    hint: 'the service closed early or answered with something that is not a valid HTTP/1.1 response',
  },
  ERR_UPSTREAM_TIMEOUT: {
    status: 504,
    sentence: 'The service did not answer in time.',
    hint: 'longer than upstream.connectTimeout or responseTimeout',
  },
  ERR_VERIFICATION_BUSY: {
    status: 503,
    sentence: 'The gateway is at its capacity.',
    hint: 'a signature had waited for a second to be verified: more callers want that than a processor can serve. Of many strangers others may have been served first; see holdfast_verifications_shed_total',
  },
} satisfies Record<string, FaultEntry>;

export type FaultCode = keyof typeof entries;

export const faults: Readonly<Record<FaultCode, FaultEntry>> = Object.freeze(entries);

/** A failure of ours or of a dependency. The status is the catalogue's; the cause stays in the log. */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: FaultCode;
  readonly detail: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: FaultCode,
    {
      detail,
      cause,
      retryAfterSeconds,
    }: { detail?: string; cause?: unknown; retryAfterSeconds?: number } = {},
  ) {
    super(code, cause === undefined ? undefined : { cause });
    this.code = code;
    this.detail = detail;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  get entry(): FaultEntry {
    return faults[this.code];
  }
}
