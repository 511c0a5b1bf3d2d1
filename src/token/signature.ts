import { type CryptoKey, compactVerify, errors } from 'jose';
import { Denial } from '../denial/denial.js';
import type { CompactJws } from '../jws/compact.js';
import { algorithmNames } from '../jws/ed25519.js';
import type { Payer, SignatureBudget } from '../jws/signature-budget.js';
import type { JsonObject } from '../jws/strict-json.js';
import type { TokenAlgorithm } from './algorithms.js';
import type { IssuerOptions } from './issuer.js';
import type { IssuerKeys } from './keys/issuer-keys.js';
import type { IssuerKey } from './keys/key-set.js';
import { maxKidCharacters } from './keys/published-key.js';

/** An authorization server and its keys. */
export interface Issuer {
  readonly options: IssuerOptions;
  readonly keys: IssuerKeys;
}

interface Signed {
  readonly issuer: Issuer;
  readonly key: IssuerKey;
  readonly claims: JsonObject;
}

let sealSigned: (signed: Signed) => SignedClaims;

/** Claims that this issuer signed with this key of its set. Nothing about the claims themselves has been checked. */
export class SignedClaims {
  readonly #signed: Signed;

  private constructor(signed: Signed) {
    this.#signed = signed;
  }

  static {
    sealSigned = (signed) => new SignedClaims(signed);
  }

  get issuer(): Issuer {
    return this.#signed.issuer;
  }

  get key(): IssuerKey {
    return this.#signed.key;
  }

  get claims(): JsonObject {
    return this.#signed.claims;
  }
}

/**
 * Verifies the signature with a key from the issuer's own set, and no other: `jwk`, `jku`, `x5u` and `x5c` of the
 * header are not looked at.
 *
 * @param token - the text, and what was parsed from it
 * @param issuer - the one that `iss` names
 * @param spending - who owes when no key fits
 * @throws Denial token_algorithm_refused, token_key_unknown, token_signature_invalid, too_many_failed_signatures
 * @throws Fault ERR_ISSUER_KEYS_UNAVAILABLE when the key may exist but cannot be had
 * @see RFC 7515 §5.2; RFC 8725 §3.1, §3.8, §3.10; REQUIREMENTS D03-D05, D20, P08, P10
 */
export async function verifySignature(
  { text, jws }: { readonly text: string; readonly jws: CompactJws },
  issuer: Issuer,
  { budget, payer }: { readonly budget: SignatureBudget; readonly payer: Payer },
): Promise<SignedClaims> {
  const algorithm = checkAlgorithm(jws.header.alg, issuer.options);
  const kid = parseKid(jws.header.kid);
  const candidates = await findCandidates(issuer.keys, kid, algorithm);
  budget.check(payer);
  for (const key of candidates) {
    const verifier = key.verifiers.get(algorithm);
    if (verifier === undefined) continue;
    const isSigned = await isSignedWith(verifier, algorithm, text);
    budget.verified('token', isSigned ? 'ok' : 'failed');
    if (isSigned) return sealSigned({ issuer, key, claims: jws.claims });
  }
  budget.charge(payer);
  throw new Denial('token_signature_invalid', `kid ${kid ?? 'absent'}, alg ${algorithm}`);
}

function checkAlgorithm(alg: unknown, { algorithms }: IssuerOptions): TokenAlgorithm {
  const algorithm =
    typeof alg === 'string' ? algorithms.find((name) => algorithmNames(name).includes(alg)) : undefined;
  if (algorithm === undefined)
    throw new Denial('token_algorithm_refused', `alg is none of ${algorithms.join(' ')}`);
  return algorithm;
}

/** `kid` is a name to look up in a Map and nothing else: never part of a path, a URL or a query. */
function parseKid(kid: unknown): string | undefined {
  if (kid === undefined || (typeof kid === 'string' && kid !== '' && kid.length <= maxKidCharacters))
    return kid;
  throw new Denial('token_key_unknown', `kid is not a string of 1 to ${maxKidCharacters} characters`);
}

async function findCandidates(
  keys: IssuerKeys,
  kid: string | undefined,
  algorithm: TokenAlgorithm,
): Promise<readonly IssuerKey[]> {
  const known = await keys.obtain();
  // Only a kid that was never seen is worth asking the issuer: a known one for another algorithm stays what it is.
  const set = known.hasKid(kid) ? known : await keys.renew();
  const candidates = set.candidates(kid, algorithm);
  if (candidates.length === 0)
    throw new Denial('token_key_unknown', `kid ${kid ?? 'absent'}, alg ${algorithm}`);
  return candidates;
}

async function isSignedWith(key: CryptoKey, algorithm: TokenAlgorithm, token: string): Promise<boolean> {
  try {
    await compactVerify(token, key, { algorithms: [...algorithmNames(algorithm)] });
    return true;
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return false;
    throw error;
  }
}
