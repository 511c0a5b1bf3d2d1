import { Denial } from '../denial/denial.js';
import { parseJoseHeader } from '../jws/compact.js';
import { algorithmNames } from '../jws/ed25519.js';
import type { Clock } from '../support/clock.js';
import { SharedCache } from '../support/shared-cache.js';
import {
  importProofKey,
  type ParsedProofKey,
  type ProofAlgorithm,
  type ProofKey,
  parseProofKey,
} from './jwk.js';

/** The header of a proof whose key has signed one before: all of it checked. */
export interface KnownHeader {
  readonly algorithm: ProofAlgorithm;
  readonly known: KnownKey;
}

/** The header of a proof that was not seen before, all that is cheap of it checked. */
export interface NewHeader {
  readonly algorithm: ProofAlgorithm;
  readonly parsed: ParsedProofKey;
}

/** The header of a proof whose key has not been looked at. */
interface TypedHeader {
  readonly algorithm: ProofAlgorithm;
  readonly jwk: unknown;
}

/** A key that an authorization server has bound a token to. */
export interface KnownKey extends ProofKey {
  /** header segments that came with good signatures by it */
  readonly texts: readonly string[];
  /** of the last token that was bound to it, ms since the epoch */
  usableUntilMs: number;
}

/** The verified token that a proof comes with. */
export interface BoundToken {
  readonly issuer: string;
  readonly clientId: string;
  readonly usableUntilMs: number;
}

const cacheBytes = 16 * 1024 * 1024;
const keyObjectBytes = 2048;
// A client sends the same text with every proof; the instances of one that share a key may each have their own.
const maxTexts = 4;
// Twice what the largest key needs.
const maxTextCharacters = 2048;
// A client gets its next token around the end of the one before.
const keptBehindTokenMs = 3_600_000;

/**
 * Keys of proofs, and headers by their segment: a client sends the same text with every proof, so that it is read once and
 * its key imported once. Forgetting costs that again.
 *
 * Of keys only those get in that an authorization server has bound a token to, of headers those that such a key has
 * signed, and few for each key; and what one client brings is kept at nobody else's expense.
 */
export class ProofHeaders {
  readonly #algorithms: readonly ProofAlgorithm[];
  readonly #headers = new Map<string, KnownHeader>();
  /** by thumbprint */
  readonly #keys: SharedCache<KnownKey>;

  constructor(algorithms: readonly ProofAlgorithm[], clock: Clock) {
    this.#algorithms = algorithms;
    this.#keys = new SharedCache({
      maxBytes: cacheBytes,
      nowMs: () => clock.nowMs(),
      expiresAtMs: ({ usableUntilMs }) => usableUntilMs + keptBehindTokenMs,
      forgotten: ({ texts }) => {
        for (const text of texts) this.#headers.delete(text);
      },
    });
  }

  /** headers that are remembered */
  get size(): number {
    return this.#headers.size;
  }

  /**
   * Checks 4 and 5. Unlike for access tokens `typ` is compared exactly: RFC 9449 §4.2 gives the value itself. Check 7,
   * the key, is left to `readKey`.
   *
   * @throws Denial dpop_proof_malformed, dpop_type_refused, dpop_algorithm_refused
   */
  read(segment: string): KnownHeader | TypedHeader {
    const known = this.#headers.get(segment);
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
  readKey({ algorithm, jwk }: TypedHeader): NewHeader {
    return { algorithm, parsed: parseProofKey(jwk, algorithm) };
  }

  /** The thumbprint in this header, if it was remembered. Says nothing about who sends it now. */
  knownKey(segment: string): string | undefined {
    return this.#headers.get(segment)?.known.thumbprint;
  }

  /**
   * The rest of check 7. Costs an import once, whatever the signatures turn out to be.
   * @param token - that is bound to this key
   * @throws Denial dpop_key_invalid
   */
  import(parsed: ParsedProofKey, token: BoundToken): KnownKey {
    const known = this.#keys.get(parsed.thumbprint);
    if (known !== undefined) return known;
    return this.#keep({ ...importProofKey(parsed), texts: [], usableUntilMs: token.usableUntilMs }, token);
  }

  /** Keeps the header of a proof that this key has just signed. */
  remember(segment: string, { algorithm, known }: KnownHeader, token: BoundToken): void {
    if (known.usableUntilMs < token.usableUntilMs) known.usableUntilMs = token.usableUntilMs;
    if (this.#headers.has(segment) || segment.length > maxTextCharacters) return;
    // A copy: the segment is a slice that would keep the whole proof in memory.
    const text = Buffer.from(segment, 'latin1').toString('latin1');
    const texts = this.#keys.get(known.thumbprint)?.texts.slice(1 - maxTexts) ?? [];
    const algorithms = texts.map((one) => this.#headers.get(one)?.algorithm);
    const kept = this.#keep({ ...known, texts: [...texts, text] }, token);
    // An RSA key serves two algorithms, and each text names its own.
    for (const [at, one] of kept.texts.entries())
      this.#headers.set(one, { algorithm: algorithms[at] ?? algorithm, known: kept });
  }

  #keep(known: KnownKey, { issuer, clientId }: BoundToken): KnownKey {
    const bytes = known.texts.reduce((sum, text) => sum + text.length, keyObjectBytes);
    this.#keys.set(known.thumbprint, { value: known, owner: `${issuer} ${clientId}`, bytes });
    return known;
  }
}
