import type { Grant } from '../policy/authorize.js';
import { type CertificateRules, verifyCertificate } from '../proof/certificate.js';
import type { PresentedCertificate } from '../request/client-certificate.js';
import { SharedCache } from '../support/shared-cache.js';

const maxCertificates = 10_000;
// A client gets its next token around the end of the one before.
const keptBehindTokenMs = 3_600_000;

/**
 * Certificates whose holders are no strangers: those that count by a configured CA, and those that a request was admitted
 * with before. It says who is served first while verifications are scarce, and nothing else.
 */
export class KnownCertificates {
  readonly #rules: CertificateRules;
  readonly #admitted: SharedCache<{ readonly usableUntilMs: number }>;

  constructor(rules: CertificateRules) {
    this.#rules = rules;
    this.#admitted = new SharedCache({
      maxBytes: maxCertificates,
      nowMs: () => rules.clock.nowMs(),
      expiresAtMs: ({ usableUntilMs }) => usableUntilMs + keptBehindTokenMs,
    });
  }

  /** @returns the thumbprint of a certificate that is known */
  knownKey(certificate: PresentedCertificate | undefined): string | undefined {
    const thumbprint = verifyCertificate(certificate, this.#rules).evidence?.thumbprint;
    if (thumbprint === undefined || this.#rules.requireTrust) return thumbprint;
    return this.#admitted.get(thumbprint) && thumbprint;
  }

  /** Keeps the certificate that this request was admitted with. */
  remember({ constraint, token }: Grant): void {
    if (token === undefined || constraint?.x5tS256 === undefined || this.#rules.requireTrust) return;
    const { issuer, clientId, usableUntilMs } = token;
    this.#admitted.set(constraint.x5tS256, {
      value: { usableUntilMs },
      owner: `${issuer} ${clientId}`,
      bytes: 1,
    });
  }
}
