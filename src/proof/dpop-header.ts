import { LRUCache } from 'lru-cache';
import { Denial } from '../denial/denial.js';
import { parseJoseHeader } from '../jws/compact.js';
import { algorithmNames } from '../jws/ed25519.js';
import { type ParsedProofKey, type ProofAlgorithm, type ProofKey, parseProofKey } from './jwk.js';

/** The header of a proof, all of it checked. */
export interface ProofHeader {
  readonly algorithm: ProofAlgorithm;
  readonly key: ProofKey;
}

/** The header of a proof whose key has not signed one before, and waits for its import. */
export interface NewHeader {
  readonly algorithm: ProofAlgorithm;
  readonly key: ParsedProofKey;
}

/** The header of a proof whose key has not been looked at. */
interface TypedHeader {
  readonly algorithm: ProofAlgorithm;
  readonly jwk: unknown;
}

// An entry is a header segment of at most 8 KiB and a key: 16 MiB in all.
const cacheBytes = 16 * 1024 * 1024;
const keyObjectBytes = 2048;

/**
 * Headers of proofs, by their segment: a client sends the same text with every proof, so its key is imported once.
 * Only what has passed all checks is kept; forgetting costs an import.
 */
export class ProofHeaders {
  readonly #algorithms: readonly ProofAlgorithm[];
  readonly #known = new LRUCache<string, ProofHeader>({
    maxSize: cacheBytes,
    sizeCalculation: (_, segment) => segment.length + keyObjectBytes,
  });

  constructor(algorithms: readonly ProofAlgorithm[]) {
    this.#algorithms = algorithms;
  }

  /**
   * Checks 4 and 5. Unlike for access tokens `typ` is compared exactly: RFC 9449 §4.2 gives the value itself. Check 7,
   * the key, is left to `readKey`.
   *
   * @throws Denial dpop_proof_malformed, dpop_type_refused, dpop_algorithm_refused
   */
  read(segment: string): ProofHeader | TypedHeader {
    const known = this.#known.get(segment);
    if (known !== undefined) return known;
    const { typ, alg, jwk } = parseJoseHeader(segment, 'dpop_proof_malformed');
    if (typ !== 'dpop+jwt') throw new Denial('dpop_type_refused', 'typ is not dpop+jwt');
    const algorithm =
      typeof alg === 'string'
        ? this.#algorithms.find((name) => algorithmNames(name).includes(alg))
        : undefined;
    if (algorithm === undefined)
      throw new Denial('dpop_algorithm_refused', `alg is none of ${this.#algorithms.join(' ')}`);
    return { algorithm, jwk };
  }

  /** Check 7, all that is cheap of it. @throws Denial dpop_key_invalid */
  async readKey({ algorithm, jwk }: TypedHeader): Promise<NewHeader> {
    return { algorithm, key: await parseProofKey(jwk, algorithm) };
  }

  /** The thumbprint in this header, if it was remembered. Says nothing about who sends it now. */
  knownKey(segment: string): string | undefined {
    return this.#known.peek(segment)?.key.thumbprint;
  }

  /**
   * Keeps a header whose key has just signed a proof for a token that is bound to it: nobody can push out others' keys with
   * keys that no authorization server has bound a token to.
   */
  remember(segment: string, header: ProofHeader): void {
    if (this.#known.has(segment)) return;
    // A copy: the segment is a slice that would keep the whole proof in memory.
    this.#known.set(Buffer.from(segment, 'latin1').toString('latin1'), header);
  }
}
