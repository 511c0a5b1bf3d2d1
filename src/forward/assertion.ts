import { createPublicKey, type KeyObject, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, type JWK, SignJWT } from 'jose';
import type { Admission } from '../gate/admission.js';
import { type Clock, nowSeconds } from '../support/clock.js';
import { sha256Base64url } from '../support/digest.js';

export interface AssertionOptions {
  readonly header: string;
  /** private: EC P-256 or P-384, Ed25519, or RSA */
  readonly key: KeyObject;
  readonly issuer: string;
  readonly audience: string;
  readonly lifetimeSeconds: number;
}

/**
 * Signs what the gate has established about a request, so that the service can tell it from anything that reached it
 * another way. Of a type of its own, for one audience, for this method and path only.
 * @see RFC 8725 §3.9, §3.11; REQUIREMENTS L06
 */
export class AssertionSigner {
  readonly header: string;
  /** what services verify with, as served on the admin socket: `kid` is the thumbprint. @see RFC 7638 */
  readonly publicJwk: JWK;
  readonly #options: AssertionOptions;
  readonly #algorithm: string;
  readonly #clock: Clock;

  private constructor(
    options: AssertionOptions,
    publicJwk: JWK,
    { algorithm, clock }: { algorithm: string; clock: Clock },
  ) {
    this.header = options.header;
    this.publicJwk = publicJwk;
    this.#options = options;
    this.#algorithm = algorithm;
    this.#clock = clock;
  }

  static async create(options: AssertionOptions, clock: Clock): Promise<AssertionSigner> {
    const algorithm = algorithmFor(options.key);
    const jwk = await exportJWK(createPublicKey(options.key));
    const kid = await calculateJwkThumbprint(jwk, 'sha256');
    return new AssertionSigner(options, { ...jwk, kid, alg: algorithm, use: 'sig' }, { algorithm, clock });
  }

  /** @returns compact JWS, typ `pop-assertion+jwt`; undefined for a public route, of whose caller nothing is known */
  async sign({ facts, grant }: Admission): Promise<string | undefined> {
    const { token, constraint, exception, proof } = grant;
    if (token === undefined) return undefined;
    const { key, issuer, audience, lifetimeSeconds } = this.#options;
    const { jkt, x5tS256 } = constraint ?? {};
    const iat = nowSeconds(this.#clock);
    const scope = [...token.scopes].join(' ');
    const claims = {
      ...{
        iss: issuer,
        aud: audience,
        client_id: token.clientId,
        iat,
        exp: iat + lifetimeSeconds,
        jti: randomUUID(),
      },
      ...(token.subject === undefined ? {} : { sub: token.subject }),
      ...(scope === '' ? {} : { scope }),
      ...(constraint === undefined
        ? {}
        : { cnf: { ...(jkt && { jkt }), ...(x5tS256 && { 'x5t#S256': x5tS256 }) } }),
      // `sub` and `client_id` are names that this issuer gave: those of another may be somebody else's.
      token: { iss: token.issuer },
      pop: { method: proof, key: jkt ?? x5tS256 },
      req: { method: facts.method, path_sha256: sha256Base64url(facts.target.rawPath) },
      ...(exception === undefined ? {} : { exception: exception.id }),
    };
    return new SignJWT(claims)
      .setProtectedHeader({
        alg: this.#algorithm,
        typ: 'pop-assertion+jwt',
        ...(this.publicJwk.kid && { kid: this.publicJwk.kid }),
      })
      .sign(key);
  }
}

/** @see RFC 7518 §3.1; RFC 8037 §3.1 */
function algorithmFor({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
  if (asymmetricKeyType === 'ed25519') return 'EdDSA';
  if (asymmetricKeyType === 'rsa') return 'PS256';
  return asymmetricKeyDetails?.namedCurve === 'secp384r1' ? 'ES384' : 'ES256';
}
