import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { catalogue } from '#holdfast/denial/catalogue.js';
import { type Ca, makeCa } from './certificates.js';
import { type DpopKey, makeDpopKey, makeProof } from './dpop.js';
import { RecordingService, type SeenRequest } from './recording-service.js';
import { authority, request, Sidecar, type SidecarOptions } from './sidecar.js';
import { type Overrides, TokenSigner } from './token-signer.js';
import type { WireResponse, WireTarget } from './wire.js';

export type Scheme = 'Bearer' | 'DPoP';

/** One call through the sidecar. Everything that is left out is as a good client would have it. */
export interface Call {
  readonly method?: string;
  readonly target?: string;
  /** default: a good token bound to `client`; null: no Authorization field */
  readonly token?: string | null;
  readonly scheme?: string;
  /** default: a fresh proof for this call; null: no DPoP field */
  readonly proof?: string | null;
  /** the key of the default proof */
  readonly key?: DpopKey;
  readonly headers?: readonly string[];
  readonly body?: string;
  readonly tls?: WireTarget['tls'];
  /** the address that it comes from; default: 127.0.0.1 */
  readonly from?: string;
}

/** A refusal as the wire and the log have to show it. */
export interface Refused {
  readonly reason: string;
  /** OAuth error, which also decides the status (RFC 6750 §3.1, RFC 9449 §7.1); absent: `status` and `body` say */
  readonly error?: keyof typeof statusOf;
  readonly status?: number;
  /** `error` of the body where there is no OAuth error */
  readonly body?: string;
  /** the schemes whose challenge carries the error. Default: DPoP */
  readonly by?: readonly Scheme[];
  /** the schemes that are challenged. Default: both */
  readonly schemes?: readonly Scheme[];
  readonly scope?: string;
}

const needsAskedIssuer = ['token_key_unknown', 'token_signature_invalid'];

const statusOf = {
  invalid_request: 400,
  invalid_token: 401,
  insufficient_scope: 403,
  invalid_dpop_proof: 401,
  use_dpop_nonce: 401,
} as const;

/** What a refusal may say besides its challenges; anything else would have come from the service (O08). */
const ownFields =
  /^(?:www-authenticate|dpop-nonce|x-request-id|content-(?:type|length)|cache-control|date|connection|keep-alive|retry-after|allow|access-control-(?:allow-origin|expose-headers))$/;

export interface CheckpointOptions extends Omit<SidecarOptions, 'config'> {
  readonly config?: SidecarOptions['config'];
  /** a TLS listener with a certificate made for this run, and this setting of `clientCertificates` */
  readonly tls?: Readonly<Record<string, unknown>>;
  readonly signer?: TokenSigner;
  /** what clients address, where that is not what the listener speaks: a front ends TLS */
  readonly origin?: string;
  /** added to the URL of the service */
  readonly upstream?: Readonly<Record<string, unknown>>;
}

/**
 * A sidecar in front of a recording service, the issuer it trusts, and one client of good conduct. Remembers every
 * credential that passes through it, and on `stop` no trace of them may be found in what the process wrote.
 */
export class Checkpoint {
  readonly service: RecordingService;
  readonly sidecar: Sidecar;
  readonly signer: TokenSigner;
  readonly ca: Ca;
  readonly client = makeDpopKey();
  /** scheme and authority that clients address */
  readonly origin: string;
  /** sent in proofs by default: with the memory store proofs of the first seconds after a start need one (I11) */
  nonce = '';
  readonly #tls: WireTarget['tls'];
  readonly #secrets = new Set<string>();
  #stopped: Promise<void> | undefined;

  private constructor(
    parts: { service: RecordingService; sidecar: Sidecar; signer: TokenSigner; ca: Ca },
    { origin, secure }: { origin: string; secure: boolean },
  ) {
    this.service = parts.service;
    this.sidecar = parts.sidecar;
    this.signer = parts.signer;
    this.ca = parts.ca;
    this.origin = origin;
    this.#tls = secure ? {} : undefined;
  }

  static async start(options: CheckpointOptions = {}): Promise<Checkpoint> {
    const {
      config = {},
      files,
      tls,
      signer = new TokenSigner(),
      origin: addressed,
      upstream,
      ...rest
    } = options;
    const service = await RecordingService.start();
    const ca = await makeCa();
    const server = await ca.issue({ cn: authority, usage: 'server', san: [authority] });
    const secure = tls !== undefined;
    const origin = addressed ?? `${secure ? 'https' : 'http'}://${authority}`;
    let sidecar: Sidecar | undefined;
    try {
      sidecar = await Sidecar.start({
        ...rest,
        config: {
          upstream: { url: service.url, ...upstream },
          issuers: [{ issuer: signer.issuer, audience: signer.audience, keys: { file: 'jwks.json' } }],
          ...config,
          listen: {
            origins: [origin],
            ...(tls && { tls: { certificate: 'server.pem', key: 'server.key', clientCertificates: tls } }),
            ...config.listen,
          },
        },
        files: {
          'jwks.json': signer.jwks,
          'server.pem': server.certPem,
          'server.key': server.keyPem,
          'ca.pem': ca.certPem,
          ...files,
        },
      });
      await sidecar.ready();
      return new Checkpoint({ service, sidecar, signer, ca }, { origin, secure });
    } catch (error) {
      await sidecar?.stop();
      await service.stop();
      throw error;
    }
  }

  /** Takes a nonce for the proofs to come. */
  async fetchNonce({ target = '/', tls, from }: Pick<Call, 'target' | 'tls' | 'from'> = {}): Promise<this> {
    const token = this.token();
    const old = Math.floor(Date.now() / 1000) - 50;
    const proof = this.proof({ token, target, nonce: undefined, claims: { iat: old } });
    const response = await this.send({ token, target, proof, ...(tls && { tls }), ...(from && { from }) });
    const nonce = response.one('dpop-nonce');
    assert.ok(nonce !== undefined, `no nonce: ${response.status} ${response.body}`);
    this.nonce = nonce;
    return this;
  }

  /** A good token bound to `client`. */
  token(claims: Overrides = {}, header: Overrides = {}): string {
    return this.signer.token({ cnf: { jkt: this.client.jkt }, ...claims }, header);
  }

  /** A good proof by `client` for GET /. */
  proof(parts: {
    token: string;
    method?: string;
    target?: string;
    uri?: string;
    key?: DpopKey;
    nonce?: string | undefined;
    claims?: Overrides;
    header?: Overrides;
  }): string {
    const { method = 'GET', target = '/', key = this.client, token, claims = {}, header = {} } = parts;
    const uri = parts.uri ?? this.origin + target.split('?', 1)[0];
    const nonce = 'nonce' in parts ? parts.nonce : this.nonce;
    return makeProof({ method, uri, key, token, claims: { nonce, ...claims }, header });
  }

  /** The bytes of a call. */
  bytes(call: Call = {}): string {
    const { method = 'GET', target = '/', scheme = 'DPoP', headers = [], body = '' } = call;
    const token = call.token === undefined ? this.token() : call.token;
    const proof =
      call.proof === undefined && token !== null
        ? this.proof({ token, method, target, ...(call.key && { key: call.key }) })
        : call.proof;
    const credentials = [
      ...(token === null ? [] : [`Authorization: ${scheme} ${token}`]),
      ...(proof === null || proof === undefined ? [] : [`DPoP: ${proof}`]),
    ];
    for (const secret of [token, proof]) if (secret) this.keepSecret(secret);
    return request({ method, target, headers: [...credentials, ...headers], body });
  }

  /** Sends a call, or bytes as they are. */
  send(call: Call | string = {}): Promise<WireResponse> {
    if (typeof call === 'string') return this.sidecar.send(call, this.#tls);
    return this.sidecar.send(this.bytes(call), call.tls ?? this.#tls, call.from);
  }

  /** Sends the call, which has to reach the service. @returns what the service saw, and the answer */
  async admits(call: Call | string = {}): Promise<{ seen: SeenRequest; response: WireResponse }> {
    const before = this.service.requests.length;
    const response = await this.send(call);
    const why = () => JSON.stringify(this.sidecar.child.events.slice(-3));
    assert.equal(response.status, 200, `${response.body} ${why()}`);
    assert.equal(this.service.requests.length, before + 1, 'the service saw the request once');
    return { seen: this.service.last, response };
  }

  /**
   * Sends the call, which has to be refused: status, challenges, body and caching exactly so on the wire, the reason in
   * the log, and not one byte at the service.
   */
  async refuses(call: Call | string, expected: Refused): Promise<WireResponse> {
    const before = this.service.bytes;
    let response = await this.send(call);
    if (needsAskedIssuer.includes(expected.reason) && response.status === 503) {
      // The issuer was asked a moment ago for another call, and says itself when it will be again (D25).
      assert.equal((await this.sidecar.logged(response)).reason, 'ERR_ISSUER_KEY_PENDING');
      await delay(Number(response.one('retry-after')) * 1000);
      response = await this.send(call);
    }
    await this.checkRefusal(response, expected);
    assert.equal(this.service.bytes, before, 'the service saw bytes of a refused request');
    return response;
  }

  /** Holds an answer against the refusal that is expected. */
  async checkRefusal(response: WireResponse, expected: Refused): Promise<void> {
    const { reason, error } = expected;
    const logged = await this.sidecar.logged(response);
    assert.equal(logged.reason, reason, `reason in the log; detail: ${logged.detail}`);
    assert.equal(logged.outcome, 'refused');
    assert.equal(response.status, expected.status ?? (error && statusOf[error]), response.body);
    assert.deepEqual(response.all('www-authenticate'), this.#challenges(expected));
    assert.equal(response.one('content-type'), 'application/json');
    assert.equal(response.one('cache-control'), 'no-store');
    assert.deepEqual(JSON.parse(response.body), {
      error: error ?? expected.body,
      error_description: sentenceOf(reason),
      request_id: response.one('x-request-id'),
    });
    assert.equal(response.all('dpop-nonce').length, error === 'use_dpop_nonce' ? 1 : 0, 'DPoP-Nonce fields');
    for (const [name] of response.headers) assert.match(name.toLowerCase(), ownFields);
  }

  /** Nothing may be written down of this text: not in the log, not in a metric. */
  keepSecret(secret: string): void {
    this.#secrets.add(secret);
    // The parts give as much away as the whole.
    for (const part of secret.split('.').slice(1)) if (part.length >= 40) this.#secrets.add(part);
  }

  /** S01. Everything that the process wrote, and every metric, holds none of the credentials that were used. Any number of calls. */
  stop(): Promise<void> {
    this.#stopped ??= this.#end();
    return this.#stopped;
  }

  async #end(): Promise<void> {
    const metrics = this.sidecar.child.hasEnded ? '' : (await this.sidecar.admin('/metrics')).text;
    await this.sidecar.stop();
    await this.service.stop();
    const { events, text } = this.sidecar.child;
    const written = `${JSON.stringify(events)}\n${text}\n${metrics}`;
    const found = [...this.#secrets].filter((secret) => secret.length >= 12 && written.includes(secret));
    assert.deepEqual(found, [], 'credentials in the log or the metrics');
  }

  #challenges({ reason, error, by = ['DPoP'], schemes = ['Bearer', 'DPoP'], scope }: Refused): string[] {
    const failed =
      error === undefined
        ? ''
        : `, error="${error}", error_description="${sentenceOf(reason)}"${scope === undefined ? '' : `, scope="${scope}"`}`;
    return schemes.map(
      (scheme) =>
        `${scheme} realm="${this.origin}"${by.includes(scheme) ? failed : ''}` +
        `${scheme === 'DPoP' ? ', algs="ES256 PS256 EdDSA"' : ''}` +
        `, resource_metadata="${this.origin}/.well-known/oauth-protected-resource"`,
    );
  }
}

function sentenceOf(reason: string): string {
  const entry = Object.entries(catalogue).find(([key]) => key === reason)?.[1];
  assert.ok(entry !== undefined, `${reason} is no reason of the catalogue`);
  return entry.sentence;
}

/** A text that occurs nowhere else. */
export function uniqueText(): string {
  return randomUUID().replaceAll('-', '');
}
