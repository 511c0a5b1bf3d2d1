import { Denial } from '../denial/denial.js';
import { parseClaimsSegment, splitCompactJws } from '../jws/compact.js';
import type { Payer, SignatureBudget } from '../jws/signature-budget.js';
import type { JsonObject } from '../jws/strict-json.js';
import { nowSeconds, type Timekeeper } from '../support/clock.js';
import { isSha256Base64url } from '../support/digest.js';
import { ProofHeaders } from './dpop-header.js';
import { equalsHtu } from './htu.js';
import type { ProofAlgorithm } from './jwk.js';
import type { AcceptedNonce, NonceIssuer } from './nonce.js';
import { type Claimant, SignatureCheck } from './signature-check.js';

/** What a proof must belong to. */
export interface DpopContext extends Claimant {
  /** as sent: the value that `htm` must equal */
  readonly method: string;
  /** effective request URI without query, already normalised: the value that `htu` must equal */
  readonly uri: string;
  /** base64url SHA-256 of the access token: the value that `ath` must equal */
  readonly tokenDigest: string;
  /** `scheme://authority` that the client addressed: nonces belong to one origin */
  readonly origin: string;
}

export interface DpopOptions {
  readonly algorithms: readonly ProofAlgorithm[];
  readonly maxAgeSeconds: number;
  readonly clockSkewSeconds: number;
  readonly nonceRequired: boolean;
  /** whether an earlier process may have accepted proofs that the replay store has not seen: it lives in the process */
  readonly memoryBeginsAtStart: boolean;
}

export interface DpopVerifierParts {
  readonly clock: Timekeeper;
  readonly nonces: NonceIssuer;
  readonly budget: SignatureBudget;
}

interface ProvenProof {
  readonly jkt: string;
  readonly jti: string;
  readonly acceptableUntilMs: number;
  readonly nonceExpiresSoon: boolean;
}

let sealEvidence: (proof: ProvenProof) => DpopEvidence;

/** A proof that was made for this request, by the holder of the key with this thumbprint. Not yet claimed. */
export class DpopEvidence {
  readonly #proof: ProvenProof;

  private constructor(proof: ProvenProof) {
    this.#proof = proof;
  }

  static {
    // Only this module can build evidence, and it does so in one place: where the last check has passed.
    sealEvidence = (proof) => new DpopEvidence(proof);
  }

  /** thumbprint of the key that signed. @see RFC 7638 §3 */
  get jkt(): string {
    return this.#proof.jkt;
  }

  get jti(): string {
    return this.#proof.jti;
  }

  /** until when this proof would be accepted again if it were forgotten, ms since the epoch */
  get acceptableUntilMs(): number {
    return this.#proof.acceptableUntilMs;
  }

  /** the client should get a new nonce with its answer. @see RFC 9449 §8.2 */
  get nonceExpiresSoon(): boolean {
    return this.#proof.nonceExpiresSoon;
  }
}

interface ProofClaims {
  readonly jti: string;
  readonly htm: string;
  readonly htu: string;
  readonly iat: number;
  readonly ath: string;
  readonly nonce: string | undefined;
}

interface Doubt {
  readonly reason: 'dpop_proof_predates_start' | 'dpop_clock_in_doubt';
  readonly isDispelledBy: (nonce: AcceptedNonce) => boolean;
}

const malformed = 'dpop_proof_malformed';
const maxProofBytes = 8192;
const maxJtiCharacters = 256;
/**
 * Verifies DPoP proofs as a resource server does. What is left to others: whether the key is the one that the token
 * is bound to (binding/), and whether the proof was used before (replay/, claimed last by the gate).
 *
 * Cheap checks come before the signature, so that a proof for another request never costs a verification, and what
 * verifications that fail may cost is bounded.
 * @see RFC 9449 §4.3, §7.1
 */
export class DpopVerifier {
  readonly #options: DpopOptions;
  readonly #clock: Timekeeper;
  readonly #nonces: NonceIssuer;
  readonly #headers: ProofHeaders;
  readonly #signatures: SignatureCheck;

  constructor(options: DpopOptions, { clock, nonces, budget }: DpopVerifierParts) {
    this.#options = options;
    this.#headers = new ProofHeaders(options.algorithms);
    this.#clock = clock;
    this.#nonces = nonces;
    this.#signatures = new SignatureCheck(budget);
  }

  /**
   * Who owes for the access token that comes with these fields. A client whose key has signed a proof before gets its
   * renewed token verified although others at its address send garbage. That account is not the one of its proofs: to
   * know a public key is not enough to use that one up.
   */
  payer(fields: readonly string[], remoteAddress: string): Payer {
    const [proof = ''] = fields;
    const known = this.#headers.knownKey(proof.split('.', 1)[0] ?? '');
    return { address: remoteAddress, key: known && `${known} (token)` };
  }

  /**
   * @param fields - the values of all DPoP field lines, as sent
   * @returns evidence that the holder of the key made this proof for this request and token, now
   * @throws Denial dpop_*, too_many_failed_signatures
   */
  async verify(fields: readonly string[], context: DpopContext): Promise<DpopEvidence> {
    const proof = splitCompactJws(checkSingle(fields), { maxBytes: maxProofBytes, malformed }); // check 2
    const header = this.#headers.read(proof.header); // checks 4 and 5
    const object = parseClaimsSegment(proof.payload, malformed);
    const claims = parseClaims(object); // check 3
    checkTarget(claims, context); // checks 8 and 9
    checkTokenHash(claims, context); // check 12, first half; the second half is binding/
    this.#checkTime(object, claims.iat); // check 11
    const signer = 'key' in header ? header : await this.#headers.readKey(header); // check 7
    const known = await this.#signatures.verify(proof, signer, context); // checks 6 and 7
    // Of any other key nothing is kept: whoever makes keys by the dozen would be known by each of them.
    if (known.key.thumbprint === context.boundKey) this.#headers.remember(proof.header, known);
    // Check 10 comes last: only the holder of the key gets a nonce for a proof that is otherwise good.
    const nonceExpiresSoon = this.#checkNonce(claims, context.origin);
    return sealEvidence({
      jkt: known.key.thumbprint,
      jti: claims.jti,
      acceptableUntilMs: this.#acceptableUntilMs(claims.iat),
      nonceExpiresSoon,
    });
  }

  /** Check 11, and `exp` and `nbf` when a proof has them. A nonce does not replace `iat` (RFC 9449 §11.1). */
  #checkTime({ exp, nbf }: JsonObject, iat: number): void {
    const now = nowSeconds(this.#clock);
    const { maxAgeSeconds, clockSkewSeconds } = this.#options;
    if (!(iat >= now - maxAgeSeconds && iat <= now + clockSkewSeconds)) {
      throw new Denial(
        'dpop_iat_outside_window',
        `iat is ${Math.round(now - iat)} s ago, allowed ${-clockSkewSeconds} to ${maxAgeSeconds}`,
      );
    }
    if (exp !== undefined && !(Number.isFinite(exp) && Number(exp) > now - clockSkewSeconds)) {
      throw new Denial('dpop_validity_ended', 'exp has passed or is no number');
    }
    const begins = this.#clock.steadyMs() / 1000 + clockSkewSeconds;
    if (nbf !== undefined && !(typeof nbf === 'number' && nbf <= Math.max(begins, iat))) {
      throw new Denial('dpop_validity_ended', 'nbf lies ahead or is no number');
    }
  }

  // One second more because time is compared in whole seconds, one because the clock may be set back by less without notice.
  #acceptableUntilMs(iat: number): number {
    return (Math.ceil(iat) + this.#options.maxAgeSeconds + 2) * 1000;
  }

  #checkNonce({ iat, nonce }: ProofClaims, origin: string): boolean {
    const doubt = this.#findDoubt(iat);
    if (!this.#options.nonceRequired && doubt === undefined) return false;
    if (nonce === undefined) throw new Denial(doubt?.reason ?? 'dpop_nonce_missing');
    const accepted = this.#nonces.verify(nonce, origin);
    if (accepted === undefined) throw new Denial('dpop_nonce_invalid');
    // An older one says nothing: it can be that of a use that is forgotten, or have been put into a proof that was dated ahead.
    if (doubt !== undefined && !doubt.isDispelledBy(accepted)) throw new Denial(doubt.reason);
    return accepted.expiresSoon;
  }

  /** Why the date of a proof alone does not say that it is new and was not used before; and which nonces say so. */
  #findDoubt(iat: number): Doubt | undefined {
    const { memoryBeginsAtStart, clockSkewSeconds } = this.#options;
    const { startedAtMs, forgottenBeforeMs } = this.#clock;
    const earliestMs = (iat - clockSkewSeconds) * 1000;
    // A clock that runs ahead can have dated a proof after our start that an earlier process accepted before it.
    const predatesStart = memoryBeginsAtStart && !(earliestMs > startedAtMs);
    // Used, perhaps, and forgotten before the clock was set back; or made ahead of its time, which a step has brought about.
    const isForgotten = !(this.#acceptableUntilMs(iat) >= forgottenBeforeMs);
    if (isForgotten || !(earliestMs <= this.#clock.steadyMs() + 1000)) {
      const sinceMs = Math.floor(this.#clock.unbrokenSinceMs);
      return {
        reason: predatesStart ? 'dpop_proof_predates_start' : 'dpop_clock_in_doubt',
        isDispelledBy: ({ issuedAtMs }) => issuedAtMs >= sinceMs,
      };
    }
    if (!predatesStart) return undefined;
    return {
      reason: 'dpop_proof_predates_start',
      // With a shared secret it outlives the process that has forgotten which proofs carried it.
      isDispelledBy: ({ issuedAtMs, isOfThisProcess }) => isOfThisProcess || issuedAtMs >= startedAtMs,
    };
  }
}

/** Check 1: one field. Node would join two lines with a comma, which no compact JWS contains. */
function checkSingle(fields: readonly string[]): string {
  const [proof] = fields;
  if (proof === undefined) throw new Denial('dpop_proof_missing');
  if (fields.length > 1) throw new Denial('dpop_proof_repeated', `${fields.length} dpop fields`);
  if (proof.includes(',')) throw new Denial('dpop_proof_repeated', 'several proofs in one field');
  return proof;
}

/** Check 3. `ath` is required here because a proof without it would fit any token (RFC 9449 §4.3 check 12). */
function parseClaims({ jti, htm, htu, iat, ath, nonce }: JsonObject): ProofClaims {
  if (typeof jti !== 'string' || jti === '' || jti.length > maxJtiCharacters) {
    throw new Denial('dpop_claims_invalid', `jti is not a string of 1 to ${maxJtiCharacters} characters`);
  }
  if (typeof htm !== 'string' || htm === '') throw new Denial('dpop_claims_invalid', 'htm is not a string');
  if (typeof htu !== 'string' || htu === '') throw new Denial('dpop_claims_invalid', 'htu is not a string');
  if (typeof iat !== 'number' || !Number.isFinite(iat))
    throw new Denial('dpop_claims_invalid', 'iat is not a number');
  if (typeof ath !== 'string' || !isSha256Base64url(ath)) {
    throw new Denial('dpop_claims_invalid', 'ath is not a base64url SHA-256');
  }
  if (nonce !== undefined && typeof nonce !== 'string')
    throw new Denial('dpop_claims_invalid', 'nonce is not a string');
  return { jti, htm, htu, iat, ath, nonce };
}

/** Checks 8 and 9. */
function checkTarget({ htm, htu }: ProofClaims, { method, uri }: DpopContext): void {
  if (htm !== method) throw new Denial('dpop_htm_mismatch', `expected ${method}, got ${htm.slice(0, 32)}`);
  if (!equalsHtu(htu, uri)) throw new Denial('dpop_htu_mismatch', `expected ${uri}, got ${describeHtu(htu)}`);
}

// Neither user information nor query: both can hold secrets. What looks like a token the log masks.
function describeHtu(htu: string): string {
  const [bare = ''] = htu.split(/[?#]/, 1);
  return bare.replace(/\/\/[^/]*@/, '//');
}

/** Check 12, first half. Digests of a token the caller knows: no secret to leak by timing. */
function checkTokenHash({ ath }: ProofClaims, { tokenDigest }: DpopContext): void {
  if (ath !== tokenDigest)
    throw new Denial('dpop_ath_mismatch', `expected ${tokenDigest.slice(0, 12)}…, got ${ath.slice(0, 12)}…`);
}
