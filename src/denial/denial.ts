import { type CatalogueEntry, catalogue, type Reason } from './catalogue.js';

interface DenialOptions {
  readonly cause?: unknown;
  readonly allow?: readonly string[];
}

/**
 * The caller failed a check. `reason` decides status, OAuth error and public sentence; `detail` says what was
 * expected and what came, for the log only.
 *
 * `detail` never holds a token, proof, secret or key: name those by thumbprint or digest.
 */
export class Denial extends Error {
  override readonly name = 'Denial';
  readonly reason: Reason;
  /** for the log only; lower case, no trailing period */
  readonly detail: string | undefined;
  /** the methods that would have been allowed, for a 405. @see RFC 9110 §10.2.1 */
  readonly allow: readonly string[] | undefined;

  constructor(reason: Reason, detail?: string, { allow, ...options }: DenialOptions = {}) {
    super(reason, options);
    this.reason = reason;
    this.detail = detail;
    this.allow = allow;
  }

  get entry(): CatalogueEntry {
    return catalogue[this.reason];
  }
}
