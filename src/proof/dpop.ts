import { Denial } from '../denial/denial.js';
import { type CompactSegments, parseClaimsSegment, splitCompactJws } from '../jws/compact.js';
import type { JsonObject } from '../jws/strict-json.js';
import type { VerificationQueue } from '../jws/verification-queue.js';
import { nowSeconds, type Timekeeper } from '../support/clock.js';
import { isSha256Base64url } from '../support/digest.js';
import { type KnownHeader, type NewHeader, ProofHeaders } from './dpop-header.js';
import { equalsHtu } from './htu.js';
import type { ProofAlgorithm } from './jwk.js';
import type { AcceptedNonce, NonceIssuer } from './nonce.js';
import { type Presenter, SignatureCheck } from './signature-check.js';

/** What a proof must belong to. */
export interface DpopContext extends Presenter {
  /** as sent: the value that `htm` must equal */
  readonly method: string;
  /** effective request URI without query, already normalised: the value that `htu` must equal */
  readonly uri: string;
  /** base64url SHA-256 of the access token: the value that `ath` must equal */
  readonly tokenDigest: string;
  /** thumbprint of the key that the access token is bound to */
  readonly boundKey: string;
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
  readonly verifications: VerificationQueue;
}

interface ReadProof {
  readonly segments: CompactSegments;
  readonly header: KnownHeader | NewHeader;
  readonly claims: ProofClaims;
  readonly context: DpopContext;
}

let sealUnproven: (proof: ReadProof) => UnprovenDpop;
let openUnproven: (proof: UnprovenDpop) => ReadProof;

/**
 * A proof that says of itself that it was made for this request and token, now, by the key that the token is bound to. Its
 * signature has not been verified.
 */
export class UnprovenDpop {
  readonly #proof: ReadProof;

  private constructor(proof: ReadProof) {
    this.#proof = proof;
  }

  static {
    sealUnproven = (proof) => new UnprovenDpop(proof);
    openUnproven = (unproven) => unproven.#proof;
  }

  /** thumbprint of the key that it names, which the token is bound to */
  get jkt(): string {
    return this.#proof.context.boundKey;
  }

  get jti(): string {
    return this.#proof.claims.jti;
  }
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
 * Verifies DPoP proofs as a resource server does. What is left to others: whether the proof was used before (replay/,
 * looked at between the two steps and claimed last, both by the gate), and whether other keys of the token were proven
 * (binding/).
 *
 * In two steps, because a verification costs more than all the rest: what is not for this request, token and key never
 * gets to the second.
 * @see RFC 9449 §4.3, §7.1
 */
export class DpopVerifier {
  readonly #options: DpopOptions;
  readonly #clock: Timekeeper;
  readonly #nonces: NonceIssuer;
  readonly #headers: ProofHeaders;
  readonly #signatures: SignatureCheck;

  constructor(options: DpopOptions, { clock, nonces, verifications }: DpopVerifierParts) {
    this.#options = options;
    this.#headers = new ProofHeaders(options.algorithms, clock);
    this.#clock = clock;
    this.#nonces = nonces;
    this.#signatures = new SignatureCheck(verifications, this.#headers);
  }

  /**
   * The thumbprint of the key in these fields, if one has signed a proof with that header before, for a token that was
   * bound to it. Says nothing about who sends it now: everybody can who has seen it once.
   */
  knownKey(fields: readonly string[]): string | undefined {
    const [proof = ''] = fields;
    return this.#headers.knownKey(proof.split('.', 1)[0] ?? '');
  }

  /**
   * All checks but those of signature and nonce. The key is held against the token's before anything is verified, and
   * before it is asked for a nonce: who has a token and another key is a thief, not a client that lacks a nonce.
   *
   * @param fields - the values of all DPoP field lines, as sent
   * @throws Denial dpop_*, but for dpop_signature_invalid and those of nonces
   */
  read(fields: readonly string[], context: DpopContext): UnprovenDpop {
    const segments = splitCompactJws(checkSingle(fields), { maxBytes: maxProofBytes, malformed }); // check 2
    const typed = this.#headers.read(segments.header); // checks 4 and 5
    const object = parseClaimsSegment(segments.payload, malformed);
    const claims = parseClaims(object); // check 3
    checkTarget(claims, context); // checks 8 and 9
    checkTokenHash(claims, context); // check 12, first half
    this.#checkTime(object, claims.iat); // check 11
    const header = 'known' in typed ? typed : this.#headers.readKey(typed); // check 7
    checkKey(header, context); // check 12, second half
    return sealUnproven({ segments, header, claims, context });
  }

  /**
   * @returns evidence that the holder of the key made this proof for this request and token, now
   * @throws Denial dpop_signature_invalid, dpop_key_invalid, dpop_nonce_*, dpop_proof_predates_start; Fault
   *   ERR_VERIFICATION_BUSY
   */
  async verify(proof: UnprovenDpop): Promise<DpopEvidence> {
    const { segments, header, claims, context } = openUnproven(proof);
    const jkt = await this.#signatures.verify(segments, header, context); // checks 6 and 7
    // Check 10 comes last: only the holder of the key gets a nonce for a proof that is otherwise good.
    const nonceExpiresSoon = this.#checkNonce(claims, context.origin);
    return sealEvidence({
      jkt,
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
    if (nbf === undefined) return;
    const begins = this.#clock.steadyMs() / 1000 + clockSkewSeconds;
    if (!(typeof nbf === 'number' && nbf <= Math.max(begins, iat))) {
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

/** Check 12, second half. @see RFC 9449 §6.1, §7.1 */
function checkKey(header: KnownHeader | NewHeader, { boundKey }: DpopContext): void {
  const { thumbprint } = 'known' in header ? header.known : header.parsed;
  if (thumbprint !== boundKey)
    throw new Denial('dpop_key_mismatch', `expected ${boundKey}, got ${thumbprint}`);
}
