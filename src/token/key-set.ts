import { type CryptoKey, importJWK, type JWK } from 'jose';

/** One public key of an issuer. */
export interface IssuerKey {
  readonly kid: string | undefined;
  /** identifies the key across fetches: its members as sent */
  readonly identity: string;
  /** the JWS algorithms that it may verify: one, unless it is an RSA key that does not say */
  readonly algorithms: readonly string[];
  /** imported for one algorithm, once. @throws Error when the key is no good */
  verifier(algorithm: string): Promise<CryptoKey>;
}

const maxKeys = 100;
const maxKidCharacters = 256;
const maxCandidates = 4;
const minRsaBytes = 256;

const algorithmsByCurve: Readonly<Record<string, readonly string[]>> = {
  'EC P-256': ['ES256'],
  'EC P-384': ['ES384'],
  'EC P-521': ['ES512'],
  'OKP Ed25519': ['EdDSA', 'Ed25519'],
};
const rsaAlgorithms = ['PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'];
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/**
 * The usable keys of a fetched JWK set. Keys that cannot be used are left out one by one, so that a single odd entry
 * never disables the others.
 * @see RFC 7517 §5; RFC 8725 §3.1; REQUIREMENTS D05, P07-P10
 */
export class KeySet {
  readonly #keys: readonly IssuerKey[];
  readonly #identities: ReadonlySet<string>;

  private constructor(keys: readonly IssuerKey[]) {
    this.#keys = keys;
    this.#identities = new Set(keys.map(({ identity }) => identity));
  }

  /**
   * @param ignored - told why a key was left out; `kid` bounded
   * @throws Error when this is no JWK set, or holds no usable key: such a set never replaces a good one (P03)
   */
  static parse(document: unknown, ignored: (why: string) => void): KeySet {
    const keys: unknown =
      typeof document === 'object' && document !== null ? Reflect.get(document, 'keys') : undefined;
    if (!Array.isArray(keys)) throw new Error('not a JWK set');
    if (keys.length > maxKeys) throw new Error(`more than ${maxKeys} keys`);
    const usable = keys.flatMap((jwk: unknown) => {
      const key = parseKey(jwk);
      if (typeof key !== 'string') return [key];
      ignored(key);
      return [];
    });
    if (usable.length === 0) throw new Error('no usable key in the set');
    return new KeySet(usable);
  }

  get size(): number {
    return this.#keys.length;
  }

  has({ identity }: IssuerKey): boolean {
    return this.#identities.has(identity);
  }

  /** The keys that may have signed a token with this header, at most four. @see RFC 7515 §4.1.4 */
  candidates(kid: unknown, algorithm: string): readonly IssuerKey[] {
    return this.#keys
      .filter((key) => (kid === undefined || key.kid === kid) && key.algorithms.includes(algorithm))
      .slice(0, maxCandidates);
  }
}

/** @returns the key, or why it is left out */
function parseKey(value: unknown): IssuerKey | string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not an object';
  const jwk = value as JWK;
  const { kid, use, key_ops: operations } = jwk;
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > maxKidCharacters))
    return 'kid is not a short string';
  const secret = privateMembers.find((name) => Object.hasOwn(jwk, name));
  // A secret in a public place: whoever fetched the set can sign with it (P09).
  if (jwk.kty === 'oct' || secret !== undefined) return `kid ${kid}: symmetric or private key material`;
  if (use !== undefined && use !== 'sig') return `kid ${kid}: not for signatures`;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return `kid ${kid}: not for verification`;
  }
  const algorithms = algorithmsOf(jwk);
  return typeof algorithms === 'string' ? `kid ${kid}: ${algorithms}` : createKey(jwk, algorithms);
}

function algorithmsOf({ kty, crv, alg, n }: JWK): readonly string[] | string {
  const possible = kty === 'RSA' ? rsaAlgorithms : algorithmsByCurve[`${kty} ${crv}`];
  if (possible === undefined) return 'unknown kind of key';
  if (kty === 'RSA' && !(typeof n === 'string' && Buffer.from(n, 'base64url').length >= minRsaBytes))
    return 'RSA key below 2048 bits';
  if (alg === undefined) return possible;
  if (!possible.includes(alg)) return 'alg does not fit the key';
  return alg === 'EdDSA' || alg === 'Ed25519' ? ['EdDSA', 'Ed25519'] : [alg];
}

function createKey(jwk: JWK, algorithms: readonly string[]): IssuerKey {
  const imported = new Map<string, Promise<CryptoKey>>();
  const { kty, crv, n, e, x, y } = jwk;
  const members = Object.fromEntries(
    Object.entries({ kty, crv, n, e, x, y }).filter(([, value]) => value !== undefined),
  );
  return {
    kid: jwk.kid,
    identity: JSON.stringify([jwk.kid, jwk.alg, members]),
    algorithms,
    verifier(algorithm) {
      const known = imported.get(algorithm);
      if (known !== undefined) return known;
      const key = importJWK(members, algorithm).then((result) => {
        if (result instanceof Uint8Array) throw new TypeError('symmetric key');
        return result;
      });
      imported.set(algorithm, key);
      return key;
    },
  };
}
