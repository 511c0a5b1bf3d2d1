import { Denial } from '../denial/denial.js';
import { algorithmNames } from '../jws/ed25519.js';
import { maxKidCharacters } from '../jws/published-key.js';
import type { JwsAlgorithm } from '../jws/signature.js';
import type { JsonObject } from '../jws/strict-json.js';
import type { Asker, VerificationQueue } from '../jws/verification-queue.js';
import type { TokenContents } from './claims.js';
import type { IssuerOptions } from './issuer.js';
import type { IssuerKeys } from './keys/issuer-keys.js';
import type { IssuerKey, KeySet } from './keys/key-set.js';

/** An authorization server and its keys. */
export interface Issuer {
  readonly options: IssuerOptions;
  readonly keys: IssuerKeys;
}

interface Signed {
  readonly issuer: Issuer;
  readonly key: IssuerKey;
  readonly contents: TokenContents;
}

let sealSigned: (signed: Signed) => SignedClaims;

/** A token as it was read, before anybody has verified who signed it. */
export interface UnsignedToken {
  /** as received */
  readonly text: string;
  readonly header: JsonObject;
  readonly contents: TokenContents;
}

/** Claims that this issuer signed with this key of its set. Whether it is still their time has not been checked. */
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

  get contents(): TokenContents {
    return this.#signed.contents;
  }
}

/**
 * Verifies the signature with a key from the issuer's own set, and no other: `jwk`, `jku`, `x5u` and `x5c` of the
 * header are not looked at.
 *
 * @param issuer - the one that `iss` names
 * @param queue - where the verification waits for its turn, and for whom
 * @throws Denial token_algorithm_refused, token_key_unknown, token_signature_invalid
 * @throws Fault ERR_ISSUER_KEYS_UNAVAILABLE, ERR_ISSUER_KEY_PENDING when the key may exist but cannot be had;
 *   ERR_VERIFICATION_BUSY
 * @see RFC 7515 §5.2; RFC 8725 §3.1, §3.8, §3.10; REQUIREMENTS D03-D05, D20, D25, P08, P10, P12
 */
export async function verifySignature(
  { text, header, contents }: UnsignedToken,
  issuer: Issuer,
  { queue, asker }: { readonly queue: VerificationQueue; readonly asker: Asker },
): Promise<SignedClaims> {
  const algorithm = checkAlgorithm(header.alg, issuer.options);
  const kid = parseKid(header.kid);
  const trial: Trial = (candidates) =>
    queue.run(() => {
      const signer = findSigner(text, algorithm, candidates);
      queue.observer.verified?.('token', signer === undefined ? 'failed' : 'ok');
      return signer;
    }, asker);
  const key = await (kid === undefined
    ? findAmongAll(issuer.keys, algorithm, trial)
    : findByKid(issuer.keys, { kid, algorithm }, trial));
  return sealSigned({ issuer, key, contents });
}

/** Tries keys one after the other. @returns the one that has signed */
type Trial = (candidates: readonly IssuerKey[]) => Promise<IssuerKey | undefined>;

// So that a token never costs more verifications than that. More keys of one algorithm than of one kid are the rule.
const maxOfKid = 4;
const maxOfAll = 8;

async function findByKid(
  keys: IssuerKeys,
  { kid, algorithm }: { readonly kid: string; readonly algorithm: JwsAlgorithm },
  trial: Trial,
): Promise<IssuerKey> {
  const known = await keys.obtain();
  // Only a kid that was never seen is worth asking the issuer: a known one for another algorithm stays what it is.
  const set = known.hasKid(kid) ? known : await keys.renew((renewed) => renewed.hasKid(kid));
  const candidates = set.candidates(kid, algorithm);
  if (candidates.length === 0) throw new Denial('token_key_unknown', `kid ${kid}, alg ${algorithm}`);
  const tried = candidates.slice(0, maxOfKid);
  return (await trial(tried)) ?? refuseSignature(`kid ${kid}, alg ${algorithm}`, tried, candidates);
}

/** For a token without `kid` a signature that fits no known key is what an unknown `kid` is for others. */
async function findAmongAll(keys: IssuerKeys, algorithm: JwsAlgorithm, trial: Trial): Promise<IssuerKey> {
  const known = (await keys.obtain()).candidates(undefined, algorithm);
  const tried = known.slice(0, maxOfAll);
  const key = tried.length === 0 ? undefined : await trial(tried);
  if (key !== undefined) return key;
  const addedTo = (set: KeySet) =>
    set.candidates(undefined, algorithm).filter((candidate) => !known.includes(candidate));
  const renewed = await keys.renew((set) => addedTo(set).length > 0);
  const added = addedTo(renewed).slice(0, maxOfAll);
  const newKey = added.length === 0 ? undefined : await trial(added);
  if (newKey !== undefined) return newKey;
  const candidates = renewed.candidates(undefined, algorithm);
  if (candidates.length === 0) throw new Denial('token_key_unknown', `kid absent, alg ${algorithm}`);
  return refuseSignature(`kid absent, alg ${algorithm}`, added.length === 0 ? tried : added, candidates);
}

function refuseSignature(what: string, tried: readonly IssuerKey[], candidates: readonly IssuerKey[]): never {
  throw new Denial('token_signature_invalid', `${what}, tried ${tried.length} of ${candidates.length} keys`);
}

function checkAlgorithm(alg: unknown, { algorithms }: IssuerOptions): JwsAlgorithm {
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

/** @returns the key that has signed this token */
function findSigner(
  token: string,
  algorithm: JwsAlgorithm,
  candidates: readonly IssuerKey[],
): IssuerKey | undefined {
  const end = token.lastIndexOf('.');
  const signed = {
    data: Buffer.from(token.slice(0, end), 'latin1'),
    signature: Buffer.from(token.slice(end + 1), 'base64url'),
  };
  return candidates.find((key) => key.hasSigned(algorithm, signed));
}
