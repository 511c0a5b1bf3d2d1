import type { KeyObject } from 'node:crypto';
import { randomUUID } from 'node:crypto';
import { type JWK, SignJWT } from 'jose';
import type { Admission } from '../gate/admission.js';
import { type Clock, nowSeconds } from '../support/clock.js';
import { sha256Base64url } from '../support/digest.js';

export interface AssertionOptions {
  readonly header: string;
  readonly key: KeyObject;
  /** JWS algorithm that fits the key */
  readonly algorithm: string;
  /** public key with `kid`, `use` and `alg`, as served on the admin socket */
  readonly publicJwk: JWK;
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
  readonly #options: AssertionOptions;
  readonly #clock: Clock;

  constructor(options: AssertionOptions, clock: Clock) {
    this.header = options.header;
    this.#options = options;
    this.#clock = clock;
  }

  /** @returns compact JWS, typ `pop-assertion+jwt`; undefined for a public route, of whose caller nothing is known */
  async sign({ facts, grant }: Admission): Promise<string | undefined> {
    const { token, constraint, exception, proof } = grant;
    if (token === undefined) return undefined;
    const { key, algorithm, publicJwk, issuer, audience, lifetimeSeconds } = this.#options;
    const { jkt, x5tS256 } = constraint ?? {};
    const iat = nowSeconds(this.#clock);
    const scope = [...token.scopes].join(' ');
    const claims = {
      ...{ iss: issuer, aud: audience, sub: token.subject, client_id: token.clientId, iat, exp: iat + lifetimeSeconds, jti: randomUUID() },
      ...(scope === '' ? {} : { scope }),
      ...(constraint === undefined ? {} : { cnf: { ...(jkt && { jkt }), ...(x5tS256 && { 'x5t#S256': x5tS256 }) } }),
      pop: { method: proof, key: jkt ?? x5tS256 },
      req: { method: facts.method, path_sha256: sha256Base64url(facts.target.rawPath) },
      ...(exception === undefined ? {} : { exception: exception.id }),
    };
    return new SignJWT(claims)
      .setProtectedHeader({ alg: algorithm, typ: 'pop-assertion+jwt', ...(publicJwk.kid && { kid: publicJwk.kid }) })
      .sign(key);
  }
}
