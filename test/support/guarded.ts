import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type DpopKey, makeDpopKey, makeProof } from './dpop.js';
import { RecordingService } from './recording-service.js';
import { authority, type RequestParts, request, Sidecar, type SidecarOptions } from './sidecar.js';
import { type Overrides, TokenSigner } from './token-signer.js';
import { Wire, type WireResponse } from './wire.js';

/** A request that is to be refused, and how. */
export interface Refused {
  readonly bytes: string | Buffer;
  readonly status: number;
  /** of the log */
  readonly reason: string;
  /** whether the connection must end with the answer */
  readonly closes: boolean;
}

export interface ProvenParts extends RequestParts {
  /** what the proof is made for; the target without its query when absent */
  readonly path?: string;
}

/** A sidecar in front of a service that records, and a caller who can prove possession of the key of its token. */
export class Guarded {
  readonly sidecar: Sidecar;
  readonly service: RecordingService;
  readonly #signer: TokenSigner;
  readonly #key = makeDpopKey();
  #token: string;
  #nonce = '';

  private constructor(sidecar: Sidecar, service: RecordingService, signer: TokenSigner) {
    this.sidecar = sidecar;
    this.service = service;
    this.#signer = signer;
    this.#token = this.mint(this.#key);
  }

  /** @param options - one route must lead to `/`; upstream and issuers are filled in; what is given in `upstream` is added to the URL */
  static async start({ config = {}, files = {}, ...rest }: Partial<SidecarOptions> = {}): Promise<Guarded> {
    const service = await RecordingService.start();
    const signer = new TokenSigner();
    const { issuer, audience } = signer;
    const upstream = { url: service.url, ...(config.upstream as object | undefined) };
    let sidecar: Sidecar | undefined;
    try {
      sidecar = await Sidecar.start({
        ...rest,
        config: { ...config, upstream, issuers: [{ issuer, audience, keys: { file: 'jwks.json' } }] },
        files: { ...files, 'jwks.json': signer.jwks },
      });
      await sidecar.ready();
      const guarded = new Guarded(sidecar, service, signer);
      guarded.#nonce = await sidecar.nonce(guarded.#token, guarded.#key);
      return guarded;
    } catch (error) {
      await sidecar?.stop();
      await service.stop();
      throw error;
    }
  }

  /** whose requests pass */
  get caller(): Caller {
    return { key: this.#key, token: this.#token, nonce: this.#nonce };
  }

  /** An access token of the issuer that is bound to the key. @param claims - changed or, with undefined, left out */
  mint({ jkt }: DpopKey, claims: Overrides = {}): string {
    return this.#signer.token({ client_id: 'c1', scope: 'read', cnf: { jkt }, ...claims });
  }

  /** The caller goes on with a new token for its key. */
  renewToken(): void {
    this.#token = this.mint(this.#key);
  }

  /** `Authorization` and `DPoP` lines for one request. */
  credentials(method: string, path: string, origin = `http://${authority}`): string[] {
    const { key, token, nonce } = this.caller;
    const proof = makeProof({ key, method, uri: `${origin}${path}`, token, nonce });
    return [`Authorization: DPoP ${token}`, `DPoP: ${proof}`];
  }

  /** The bytes of a request that passes the gate. */
  proven({ method = 'GET', target = '/', path, headers = [], body = '' }: ProvenParts = {}): string {
    const [bare = ''] = target.split('?');
    return request({
      method,
      target,
      headers: [...this.credentials(method, path ?? bare), ...headers],
      body,
    });
  }

  /** Sends a proven request on a connection of its own. */
  send(parts: ProvenParts = {}): Promise<WireResponse> {
    return this.sidecar.send(this.proven(parts));
  }

  open(): Promise<Wire> {
    return Wire.open({ port: this.sidecar.port });
  }

  /** Holds when a good request on a connection of its own gets the answer of the service. */
  async serves(): Promise<void> {
    const target = `/good-${randomUUID()}`;
    const response = await this.send({ target });
    assert.equal(response.status, 200, response.body);
    assert.equal(this.service.last.line, `GET ${target} HTTP/1.1`);
  }

  /**
   * Holds when the request is answered with exactly one refusal, in our form; when the service saw no byte of it; when
   * the connection ends or goes on, as stated; and when the next request is served.
   */
  async refuses({ bytes, status, reason, closes }: Refused): Promise<WireResponse> {
    const { requests, bytes: before } = this.service;
    const seen = requests.length;
    const wire = await this.open();
    try {
      wire.send(bytes);
      const response = await wire.response({ head: String(bytes).startsWith('HEAD ') });
      assert.equal(response.status, status, response.body);
      assert.match(response.one('x-request-id') ?? '', /^[0-9a-f-]{36}$/);
      assert.equal((await this.sidecar.logged(response)).reason, reason);
      assert.equal(response.one('connection') === 'close', closes, 'connection field');
      if (closes) assert.equal(await wire.closed(), '', 'nothing follows the refusal');
      assert.equal(this.service.bytes, before, 'the service saw no byte');
      assert.equal(requests.length, seen);
      if (!closes) await this.#goesOn(wire);
      await this.serves();
      return response;
    } finally {
      wire.close();
    }
  }

  async refusesAll(all: readonly Refused[]): Promise<void> {
    for (const one of all) await this.refuses(one);
  }

  async #goesOn(wire: Wire): Promise<void> {
    wire.send(this.proven({ target: '/next' }));
    assert.equal((await wire.response()).status, 200);
    assert.equal(this.service.last.line, 'GET /next HTTP/1.1');
  }

  async stop(): Promise<void> {
    await this.sidecar.stop();
    await this.service.stop();
  }
}

interface Caller {
  readonly key: DpopKey;
  readonly token: string;
  readonly nonce: string;
}

/** Waits until it holds. For states of the other side that nothing announces. @throws Error when it does not, after 10 s or as given */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  patienceMs = 10_000,
): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${patienceMs / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
