import { constants, type KeyObject, randomUUID, sign } from 'node:crypto';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { makeKeyPair } from './keys.js';

export type SigningAlgorithm = 'ES256' | 'ES384' | 'PS256' | 'RS256' | 'EdDSA';

/** A signing key of an authorization server, made at run time. */
export interface SigningKey {
  readonly kid: string | undefined;
  readonly alg: SigningAlgorithm;
  readonly privateKey: KeyObject;
  /** as published: public members, kid, alg, use */
  readonly jwk: Readonly<Record<string, unknown>>;
}

/** A JWT as it is to be signed. Text stands for itself, so that what no serializer writes can be sent too. */
export interface TokenParts {
  /** replace the default claims one by one; with undefined, leave one out */
  readonly claims?: Readonly<Record<string, unknown>> | string;
  readonly header?: Readonly<Record<string, unknown>> | string;
  /** the first key of the issuer when absent */
  readonly key?: SigningKey;
}

export type Answer = (request: http.IncomingMessage, response: http.ServerResponse) => void;

export interface TestIssuerOptions {
  /** of the first key; ES256 when absent */
  readonly algorithm?: SigningAlgorithm;
  /** path of the issuer identifier, empty or starting with a slash */
  readonly path?: string;
  readonly audience?: string;
  /** seconds since the epoch, for iat and exp of tokens; the real time when absent */
  readonly now?: () => number;
}

/** What a sidecar's configuration says about the issuer, complete with defaults. */
export interface TestIssuerSettings {
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly keys: 'discovery';
  readonly algorithms: readonly ('ES256' | 'PS256' | 'EdDSA' | 'RS256')[];
  readonly leewaySeconds: number;
  readonly requiredClaims: readonly string[];
  readonly clientClaim: string;
  readonly scopeClaim: 'scope';
  readonly allowCleartext: boolean;
  readonly tokenType: 'at+jwt';
}

/**
 * An authorization server as far as a resource server sees it: metadata and key set over HTTP on loopback, and access
 * tokens. Its keys can be rotated, its answers replaced, and the whole be switched off and on.
 */
export class TestIssuer {
  readonly #server: http.Server;
  readonly #options: TestIssuerOptions;
  readonly #answers = new Map<string, Answer>();
  readonly #counts = new Map<string, number>();
  readonly #waiting: { path: string; count: number; resolve: () => void }[] = [];
  #isOn = true;
  #keys: SigningKey[];
  /** entries of the key set beside the issuer's own keys */
  extraKeys: unknown[] = [];

  private constructor(server: http.Server, options: TestIssuerOptions) {
    this.#server = server;
    this.#options = options;
    this.#keys = [makeSigningKey(options.algorithm)];
  }

  static async start(options: TestIssuerOptions = {}): Promise<TestIssuer> {
    const server = http.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const issuer = new TestIssuer(server, options);
    server.on('request', (request, response) => issuer.#answer(request, response));
    server.on('connection', (socket) => {
      // Of a server that is down: the connection breaks. Its port stays ours, so that it can come back.
      if (!issuer.#isOn) socket.destroy();
    });
    return issuer;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get issuer(): string {
    return `${this.origin}${this.#options.path ?? ''}`;
  }

  get audience(): string {
    return this.#options.audience ?? 'https://api.example.com';
  }

  get settings(): TestIssuerSettings {
    return {
      issuer: this.issuer,
      audience: [this.audience],
      keys: 'discovery',
      algorithms: ['ES256', 'PS256', 'EdDSA', 'RS256'],
      leewaySeconds: 10,
      requiredClaims: ['sub', 'client_id', 'iat', 'jti'],
      clientClaim: 'client_id',
      scopeClaim: 'scope',
      allowCleartext: false,
      tokenType: 'at+jwt',
    };
  }

  /** the key that signs */
  get key(): SigningKey {
    const [key] = this.#keys;
    if (key === undefined) throw new Error('the issuer has no key');
    return key;
  }

  get keySet(): { keys: unknown[] } {
    return { keys: [...this.#keys.map(({ jwk }) => jwk), ...this.extraKeys] };
  }

  /** @returns an access token for a user, with whatever the test wants different */
  mint({ claims = {}, header = {}, key = this.key }: TokenParts = {}): string {
    const now = this.#options.now?.() ?? Math.floor(Date.now() / 1000);
    const defaults = {
      ...{ iss: this.issuer, aud: this.audience, sub: 'user-1', client_id: 'client-1' },
      ...{ scope: 'read write', jti: randomUUID(), iat: now, exp: now + 300 },
    };
    return signJws(
      typeof header === 'string'
        ? header
        : JSON.stringify({ typ: 'at+jwt', alg: key.alg, kid: key.kid, ...header }),
      typeof claims === 'string' ? claims : JSON.stringify({ ...defaults, ...claims }),
      key,
    );
  }

  /** A new key signs from now on; the old ones stay published only with `keepOld`. */
  rotate({
    keepOld = false,
    algorithm,
  }: {
    keepOld?: boolean;
    algorithm?: SigningAlgorithm;
  } = {}): SigningKey {
    const key = makeSigningKey(algorithm ?? this.#options.algorithm);
    this.#keys = keepOld ? [key, ...this.#keys] : [key];
    return key;
  }

  switchOff(): void {
    this.#isOn = false;
    this.#server.closeAllConnections();
  }

  switchOn(): void {
    this.#isOn = true;
  }

  /** Replaces the answer at a path (`/jwks`, a well-known path, or a new one); with undefined the usual one is back. */
  respond(path: string, answer: Answer | undefined): void {
    if (answer === undefined) this.#answers.delete(path);
    else this.#answers.set(path, answer);
  }

  /** Requests that have come for this path. Those that came while it was off are not counted. */
  requests(path = '/jwks'): number {
    return this.#counts.get(path) ?? 0;
  }

  /** Resolves once that many requests have come for the path. */
  requested(count: number, path = '/jwks'): Promise<void> {
    if (this.requests(path) >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ path, count, resolve }));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    const path = request.url ?? '';
    this.#counts.set(path, this.requests(path) + 1);
    for (const { path: awaited, count, resolve } of this.#waiting)
      if (this.requests(awaited) >= count) resolve();
    const answer = this.#answers.get(path);
    if (answer !== undefined) answer(request, response);
    else if (path === '/jwks') answerJson(response, this.keySet);
    else if (path === `/.well-known/oauth-authorization-server${this.#options.path ?? ''}`) {
      answerJson(response, { issuer: this.issuer, jwks_uri: `${this.origin}/jwks` });
    } else response.writeHead(404).end();
  }
}

export function answerJson(response: http.ServerResponse, value: unknown, type = 'application/json'): void {
  response.writeHead(200, { 'content-type': type }).end(JSON.stringify(value));
}

/** @param kid - random when absent; undefined in the published key with null */
export function makeSigningKey(
  alg: SigningAlgorithm = 'ES256',
  kid: string | null = randomUUID(),
): SigningKey {
  const { privateKey, publicKey } = generateKeys(alg);
  const named = kid === null ? {} : { kid };
  return {
    kid: kid ?? undefined,
    alg,
    privateKey,
    jwk: { ...publicKey.export({ format: 'jwk' }), ...named, alg, use: 'sig' },
  };
}

function generateKeys(alg: SigningAlgorithm): { privateKey: KeyObject; publicKey: KeyObject } {
  switch (alg) {
    case 'ES256':
      return makeKeyPair('ec', { namedCurve: 'P-256' });
    case 'ES384':
      return makeKeyPair('ec', { namedCurve: 'P-384' });
    case 'PS256':
    case 'RS256':
      return makeKeyPair('rsa', { modulusLength: 2048 });
    case 'EdDSA':
      return makeKeyPair('ed25519');
  }
}

/** Signs the two texts as they are, in the way of the key's algorithm whatever `alg` of the header says. */
export function signJws(header: string, payload: string, { alg, privateKey: key }: SigningKey): string {
  const input = `${Buffer.from(header).toString('base64url')}.${Buffer.from(payload).toString('base64url')}`;
  return `${input}.${signBytes(Buffer.from(input), alg, key).toString('base64url')}`;
}

function signBytes(data: Buffer, alg: SigningAlgorithm, key: KeyObject): Buffer {
  switch (alg) {
    case 'ES256':
      return sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' });
    case 'ES384':
      return sign('sha384', data, { key, dsaEncoding: 'ieee-p1363' });
    case 'PS256':
      return sign('sha256', data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
    case 'RS256':
      return sign('sha256', data, key);
    case 'EdDSA':
      return sign(null, data, key);
  }
}
