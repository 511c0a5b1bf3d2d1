import { type Ca, type IssuedCertificate, makeCa } from '../support/certificates.js';
import { envoyEscaped } from '../support/client-cert-dialects.js';
import { type DpopKey, makeDpopKey, makeProof } from '../support/dpop.js';
import type { Event } from '../support/process.js';
import { authority, request, Sidecar } from '../support/sidecar.js';
import { TokenSigner } from '../support/token-signer.js';
import { privateKeyPem } from '../unit/config/workspace.js';

/** `front`: plain HTTP, behind front proxies */
export type Listening = 'plain' | 'tls' | 'front';
export const listenings: readonly Listening[] = ['plain', 'tls', 'front'];

export type Dialect = 'rfc9440' | 'xfcc';

/** The peers that the `front` deployment trusts, and how each tells of certificates; whoever comes from elsewhere is a client. */
export const fronts: ReadonlyMap<string, Dialect> = new Map([
  ['127.0.0.2', 'rfc9440'],
  ['127.0.0.3', 'xfcc'],
]);
export const clientAddress = '127.0.0.1';

/** What clients address; where Host leaves open which, the first one. */
export const origins: Readonly<Record<Listening, readonly [string, ...string[]]>> = {
  plain: [`http://${authority}`],
  tls: [`https://${authority}`],
  front: [`https://${authority}`, `http://${authority}`, 'https://shop.test'],
};

/** What the fronts strip from the path. */
export const pathPrefix: Readonly<Record<Listening, string>> = { plain: '', tls: '', front: '/edge' };

/** Two who have nothing to do with each other, whatever their tokens call clients and users. */
const issuers = { own: 'https://as.test', other: 'https://other.test' } as const;

/** What is configured for a prefix of the path. */
export interface RouteRule {
  readonly path: string;
  readonly proof: 'any' | 'dpop' | 'mtls' | 'both' | 'none';
  readonly methods?: readonly string[];
  readonly encodedSlashes?: 'pass';
  readonly preflight?: 'forward';
  readonly websocket?: true;
  readonly issuers?: readonly string[];
  readonly clients?: readonly string[];
}

export const routes: readonly RouteRule[] = [
  { path: '/public/**', proof: 'none' },
  { path: '/read/**', proof: 'none', methods: ['GET', 'HEAD'] },
  { path: '/slashes/**', proof: 'none', encodedSlashes: 'pass' },
  { path: '/protected/**', proof: 'any' },
  { path: '/own/**', proof: 'any', issuers: [issuers.own], clients: ['shop'] },
  { path: '/dpop/**', proof: 'dpop' },
  { path: '/mtls/**', proof: 'mtls' },
  { path: '/both/**', proof: 'both' },
  { path: '/legacy/**', proof: 'any' },
  { path: '/cors/**', proof: 'any', methods: ['GET', 'POST'], preflight: 'forward' },
  { path: '/socket/**', proof: 'any', websocket: true },
  { path: '/feed/**', proof: 'none', websocket: true },
];

export const exceptionId = 'legacy-batch';
/** whose clients it is for */
export const exceptionIssuers: readonly string[] = [issuers.own];
export const assertionAudience = 'service';
export const limits = { headerBytes: 6144, headerCount: 40, targetBytes: 512, bodyBytes: 16_384 } as const;

/** Somebody who holds an access token. */
export interface Caller {
  readonly issuer: string;
  readonly subject: string;
  readonly client: string;
  readonly token: string;
  readonly key?: DpopKey;
  readonly certificate?: IssuedCertificate;
}

/** Somebody who has a certificate and no token, and would like to pass for a caller. */
export interface Stranger {
  readonly certificate: IssuedCertificate;
  /** a DNS name in it, that is to be taken for another's certificate */
  readonly name: string;
}

/** The issuers, the callers, and what they sign; made anew for every run. */
export class Cast {
  readonly signer = new TokenSigner({ issuer: issuers.own });
  /** calls its clients, users and key as the first one does */
  readonly otherSigner = new TokenSigner({ issuer: issuers.other });
  readonly ca: Ca;
  readonly server: IssuedCertificate;
  readonly callers: readonly Caller[];
  /** of nobody */
  readonly strangerKey = makeDpopKey();
  readonly strangers: readonly Stranger[];
  /** of nobody either, and of a CA that is not trusted */
  readonly elsewhere: Stranger;

  private constructor(
    { ca, server, strangers, elsewhere }: Pick<Cast, 'ca' | 'server' | 'strangers' | 'elsewhere'>,
    certificates: readonly IssuedCertificate[],
  ) {
    this.ca = ca;
    this.server = server;
    this.strangers = strangers;
    this.elsewhere = elsewhere;
    const [one, other] = certificates;
    const keys = [makeDpopKey(), makeDpopKey(), makeDpopKey(), makeDpopKey()];
    this.callers = [
      this.#caller('alice', 'shop', { key: keys[0] }),
      // Of every kind that the encoding has to cope with.
      this.#caller(' zoë 100%\r\nX-Auth-Subject: root ', 'app-2', { key: keys[1] }),
      this.#caller('machine', 'batch', { certificate: one }),
      this.#caller('carol', 'bank', { key: keys[2], certificate: other }),
      this.#caller('alice', 'shop', { key: keys[3], signer: this.otherSigner }),
      this.#caller('dave', 'legacy', { signer: this.otherSigner }),
      this.#caller('dave', 'legacy', {}),
    ];
  }

  static async create(): Promise<Cast> {
    const ca = await makeCa();
    const server = await ca.issue({ cn: authority, usage: 'server', san: [authority] });
    const clients = [];
    for (const cn of ['one', 'other']) clients.push(await ca.issue({ cn, usage: 'client' }));
    const certificate = await (await makeCa()).issue({ cn: 'one', usage: 'client' });
    const elsewhere = { certificate, name: 'one' };
    const strangers: Stranger[] = [];
    for (const { certPem } of clients) {
      const field = `Cert="${envoyEscaped(certPem)}"`;
      for (const name of [`a,${field}`, `a;${field}`, `a",${field}`, `a,Hash=00;${field},Hash=00`])
        strangers.push({ certificate: await ca.issue({ cn: 'a', usage: 'client', san: [name] }), name });
    }
    return new Cast({ ca, server, strangers, elsewhere }, clients);
  }

  /** all that are trusted */
  get certificates(): IssuedCertificate[] {
    return [...this.callers, ...this.strangers].flatMap(({ certificate }) => certificate ?? []);
  }

  #caller(
    subject: string,
    client: string,
    {
      key,
      certificate,
      signer = this.signer,
    }: { key?: DpopKey | undefined; certificate?: IssuedCertificate | undefined; signer?: TokenSigner },
  ): Caller {
    const cnf = {
      ...(key && { jkt: key.jkt }),
      ...(certificate && { 'x5t#S256': certificate.thumbprint }),
    };
    const bound = key !== undefined || certificate !== undefined;
    const iat = Math.floor(Date.now() / 1000);
    const token = signer.token({
      sub: subject,
      client_id: client,
      exp: iat + 24 * 3600,
      ...(bound && { cnf }),
    });
    const { issuer } = signer;
    return { issuer, subject, client, token, ...(key && { key }), ...(certificate && { certificate }) };
  }
}

export interface DeploymentParts {
  readonly cast: Cast;
  readonly upstreamUrl: string;
  /** gets every event that the process logs */
  readonly onEvent: (event: Event) => void;
  /** sections in place of what is configured here */
  readonly changes: Readonly<Record<string, unknown>>;
  /** who is trusted besides the fronts, to tell of certificates as RFC 9440 has it */
  readonly trusted: readonly string[];
}

/** @returns the process, ready, configured to decide much and to hold little */
export async function deploy(
  listening: Listening,
  { cast, upstreamUrl, onEvent, changes, trusted }: DeploymentParts,
): Promise<Sidecar> {
  const { signer, otherSigner, server, ca } = cast;
  const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
  const sidecar = await Sidecar.start({
    onEvent,
    config: {
      listen: {
        origins: origins[listening],
        ...(listening === 'tls' && {
          tls: { certificate: 'server.pem', key: 'server.key', clientCertificates: { ca: ['ca.pem'] } },
        }),
        ...(listening === 'front' && {
          pathPrefix: pathPrefix.front,
          trustedProxies: [...fronts].map(([address, clientCertificate], index) => ({
            from: [`${address}/32`, ...(index === 0 ? trusted : [])],
            clientCertificate,
            ca: ['ca.pem'],
          })),
        }),
        limits: {
          headerBytes: '6KiB',
          headerCount: limits.headerCount,
          targetBytes: '512B',
          bodyBytes: '16KiB',
          ...{ headersTimeout: '1s', requestTimeout: '2s', idleTimeout: '5s' },
          connections: 300,
        },
      },
      upstream: {
        url: upstreamUrl,
        ...{
          connectTimeout: '5s',
          responseTimeout: '1500ms',
          idleTimeout: '1500ms',
          streamIdleTimeout: '1500ms',
        },
        connections: 16,
        queue: { length: 200, wait: '5s' },
      },
      issuers: [
        { issuer: signer.issuer, audience: signer.audience, keys: { file: 'jwks.json' } },
        { issuer: otherSigner.issuer, audience: otherSigner.audience, keys: { file: 'other.json' } },
      ],
      // Nobody can show a certificate there.
      routes: routes.filter(({ proof }) => listening !== 'plain' || (proof !== 'mtls' && proof !== 'both')),
      identity: {
        headers: {
          ...{ 'X-Auth-Subject': 'sub', 'X-Auth-Type': '$type', 'X-Auth-Client': '$client' },
          ...{ 'X-Auth-Issuer': '$issuer', 'X-Auth-Scope': 'scope', 'X-Auth-Proof': '$proof' },
          ...{ 'X-Auth-Key': '$key', 'X-Auth-Exception': '$exception' },
        },
        strip: ['X-Internal-Role'],
        ...(listening !== 'plain' && { clientCertificate: 'rfc9440' }),
        assertion: { key: 'assertion.pem', audience: assertionAudience },
      },
      exceptions: [
        {
          ...{ id: exceptionId, kind: 'bearer', owner: 'team batch', reason: 'no keys yet', ticket: 'T-1' },
          ...{ created: day(-1), expires: day(30), issuer: signer.issuer },
          ...{ clients: ['legacy'], routes: ['/legacy/**'] },
        },
      ],
      shutdown: { grace: '1s' },
      ...changes,
    },
    files: {
      'jwks.json': signer.jwks,
      'other.json': otherSigner.jwks,
      'assertion.pem': privateKeyPem(),
      'server.pem': server.certPem,
      'server.key': server.keyPem,
      'ca.pem': ca.certPem,
    },
  });
  return sidecar.ready();
}

/** A nonce of this process for an origin, for proofs of the first seconds after its start. */
export async function fetchNonce(
  sidecar: Sidecar,
  { listening, origin, cast }: { listening: Listening; origin: string; cast: Cast },
): Promise<string> {
  const [caller] = cast.callers;
  if (caller?.key === undefined) throw new Error('the first caller holds a key');
  const { key, token } = caller;
  const uri = `${origin}${pathPrefix[listening]}/protected/nonce`;
  const iat = Math.floor(Date.now() / 1000) - 50;
  const proof = makeProof({ key, token, uri, method: 'GET', claims: { iat } });
  const [scheme = '', host = ''] = origin.split('://');
  const [front] = listening === 'front' ? fronts.keys() : [];
  const bytes = request({
    target: '/protected/nonce',
    headers: [
      `Authorization: DPoP ${token}`,
      `DPoP: ${proof}`,
      ...(front === undefined ? [] : [`X-Forwarded-Proto: ${scheme}`, `X-Forwarded-Host: ${host}`]),
    ],
  });
  const response = await sidecar.send(bytes, listening === 'tls' ? {} : undefined, front);
  const nonce = response.one('dpop-nonce');
  if (nonce === undefined) throw new Error(`no nonce: ${response.status} ${response.body}`);
  return nonce;
}
