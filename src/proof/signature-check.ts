import { Denial } from '../denial/denial.js';
import type { CompactSegments } from '../jws/compact.js';
import { isSignedWith } from '../jws/signature.js';
import type { VerificationQueue } from '../jws/verification-queue.js';
import type { BoundToken, KnownHeader, NewHeader, ProofHeaders } from './dpop-header.js';

/** Who presents the proof. */
export interface Presenter {
  /** verified, and bound to the key in the header of the proof */
  readonly token: BoundToken;
  /** of the client; empty where it is not known */
  readonly remoteAddress: string;
}

/** Verifies the signatures of proofs, together for many, and remembers headers that keys have signed. */
export class SignatureCheck {
  readonly #queue: VerificationQueue;
  readonly #headers: ProofHeaders;

  constructor(queue: VerificationQueue, headers: ProofHeaders) {
    this.#queue = queue;
    this.#headers = headers;
  }

  /**
   * @param header - of this proof, with the key that the token is bound to
   * @returns the thumbprint of the key, which has signed this proof
   * @throws Denial dpop_signature_invalid, dpop_key_invalid; Fault ERR_VERIFICATION_BUSY (as rejections)
   * @see RFC 9449 §4.3 check 6, and the import of check 7
   */
  verify(
    proof: CompactSegments,
    header: KnownHeader | NewHeader,
    { token, remoteAddress }: Presenter,
  ): Promise<string> {
    const key = 'known' in header ? header.known.thumbprint : header.parsed.thumbprint;
    return this.#queue.run(
      () => {
        this.#verifyNow(proof, header, token);
        return key;
      },
      { standing: 'bound', key, address: remoteAddress },
    );
  }

  #verifyNow(
    { header: segment, signingInput, signature }: CompactSegments,
    header: KnownHeader | NewHeader,
    token: BoundToken,
  ): void {
    const { algorithm } = header;
    const known = 'known' in header ? header.known : this.#headers.import(header.parsed, token);
    const signed = {
      data: Buffer.from(signingInput, 'latin1'),
      signature: Buffer.from(signature, 'base64url'),
    };
    const isSigned = isSignedWith(known.key, algorithm, signed);
    this.#queue.observer.verified?.('proof', isSigned ? 'ok' : 'failed');
    if (!isSigned) throw new Denial('dpop_signature_invalid', `key ${known.thumbprint}`);
    this.#headers.remember(segment, { algorithm, known }, token);
  }
}
