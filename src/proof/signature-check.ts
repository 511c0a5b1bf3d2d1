import { Denial } from '../denial/denial.js';
import type { CompactSegments } from '../jws/compact.js';
import type { SignatureBudget } from '../jws/signature-budget.js';
import type { NewHeader, ProofHeader } from './dpop-header.js';
import { importProofKey } from './jwk.js';
import { isSignedWith } from './signature.js';
import { VerificationQueue } from './verification-queue.js';

/** Whose proof it may be. */
export interface Claimant {
  /** thumbprint that the token names as its key: whoever's proof has it owes for failures on its own account */
  readonly boundKey: string | undefined;
  /** of the client; empty on a unix socket */
  readonly remoteAddress: string;
}

/** Verifies the signatures of proofs, together for many, and bounds what those cost that buy nothing. */
export class SignatureCheck {
  readonly #budget: SignatureBudget;
  readonly #verifications = new VerificationQueue();

  constructor(budget: SignatureBudget) {
    this.#budget = budget;
  }

  /**
   * @returns the header, whose key has signed this proof
   * @throws Denial dpop_signature_invalid, dpop_key_invalid, too_many_failed_signatures (as rejections)
   * @see RFC 9449 §4.3 check 6, and the import of check 7
   */
  verify(proof: CompactSegments, header: ProofHeader | NewHeader, claimant: Claimant): Promise<ProofHeader> {
    return this.#verifications.run(() => this.#verifyNow(proof, header, claimant));
  }

  /** What is owed is looked at here and no earlier: of proofs that came together, each knows how the last one ended. */
  #verifyNow(
    { signingInput, signature }: CompactSegments,
    { algorithm, key }: ProofHeader | NewHeader,
    { boundKey, remoteAddress }: Claimant,
  ): ProofHeader {
    const isBound = key.thumbprint === boundKey;
    const payer = { address: remoteAddress, key: isBound ? boundKey : undefined };
    this.#budget.check(payer);
    let isWorthIt = false;
    try {
      const imported = 'key' in key ? key : importProofKey(key);
      const signed = {
        data: Buffer.from(signingInput, 'latin1'),
        signature: Buffer.from(signature, 'base64url'),
      };
      const verified = isSignedWith(imported.key, algorithm, signed);
      this.#budget.verified('proof', verified ? 'ok' : 'failed');
      if (!verified) throw new Denial('dpop_signature_invalid', `key ${key.thumbprint}`);
      // A good signature by any other key has cost as much, and binding/ will refuse it.
      isWorthIt = isBound;
      return { algorithm, key: imported };
    } finally {
      if (!isWorthIt) this.#budget.charge(payer);
    }
  }
}
