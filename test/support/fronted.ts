import assert from 'node:assert/strict';
import type { Ca, IssuedCertificate } from './certificates.js';
import { type Call, Checkpoint } from './checkpoint.js';
import { clientCert, envoyEscaped, nginxEscaped } from './client-cert-dialects.js';
import {
  adapt,
  envoyConfig,
  Front,
  type FrontProgram,
  frontAddress,
  haproxyConfig,
  nginxConfig,
  type Site,
} from './fronts.js';
import { exchangeHttp2 } from './http2-exchange.js';
import type { SeenRequest } from './recording-service.js';
import { authority } from './sidecar.js';
import { exchange, Wire, type WireResponse } from './wire.js';

const origin = `https://${authority}`;

/** One way to put a front before the sidecar. */
export interface Setup {
  readonly program: FrontProgram;
  /** where the program is; default: its name, to be found in PATH */
  readonly command?: string;
  /** its clients speak HTTP/2; default: HTTP/1.1 */
  readonly http2?: boolean;
  readonly dialect: string;
  /** the request ids that it makes; absent: it makes none */
  readonly requestId?: RegExp;
  /** it tells the address of a client on loopback; otherwise it puts one of this machine in its place */
  readonly tellsLoopback: boolean;
  /** the field that carries the certificate, as its client would forge it */
  forge(certificate: IssuedCertificate): string;
  readonly configure: (port: number, site: Site) => string;
}

export const nginx: Setup = {
  program: 'nginx',
  dialect: 'nginx-escaped-pem',
  requestId: /^[0-9a-f]{32}$/,
  tellsLoopback: true,
  forge: ({ certPem }) => `ssl-client-cert: ${nginxEscaped(certPem)}`,
  configure: nginxConfig,
};

export const haproxy: Setup = {
  program: 'haproxy',
  dialect: 'rfc9440',
  tellsLoopback: true,
  forge: (certificate) => `Client-Cert: ${clientCert(certificate)}`,
  configure: haproxyConfig,
};

/**
 * @param command - the program; it is in few archives, so PATH is not asked
 * @param changes - to the configuration of docs/fronts.md: what is there to what is to be in its place
 */
export function envoy(command: string, changes: Readonly<Record<string, string>> = {}): Setup {
  return {
    program: 'envoy',
    command,
    dialect: 'xfcc',
    requestId: /^[0-9a-f-]{36}$/,
    tellsLoopback: false,
    forge: ({ certPem }) => `X-Forwarded-Client-Cert: Hash=00;Cert="${envoyEscaped(certPem)}"`,
    configure: (port, site) => adapt(envoyConfig(port, site), changes),
  };
}

export interface FrontedOptions {
  /** of clients; the sidecar asks certificates to chain to it */
  readonly ca?: Ca;
  /** the name of a unix socket for the sidecar */
  readonly socket?: string;
  readonly pathPrefix?: string;
  /** a path that the front strips */
  readonly prefix?: string;
}

/** A sidecar, the front before it, and the service behind. */
export class Fronted {
  readonly guarded: Checkpoint;
  readonly front: Front;
  readonly #exchange: typeof exchangeHttp2;

  private constructor(guarded: Checkpoint, front: Front, { http2 = false }: Setup) {
    this.guarded = guarded;
    this.front = front;
    this.#exchange = http2 ? exchangeHttp2 : exchange;
  }

  static async start(
    setup: Setup,
    { ca, socket, pathPrefix, prefix = '' }: FrontedOptions = {},
  ): Promise<Fronted> {
    const { program, command, dialect, configure } = setup;
    const from = socket === undefined ? [`${frontAddress}/32`] : ['unix'];
    const entry = { from, clientCertificate: dialect, ...(ca && { ca: ['clients.pem'] }) };
    const guarded = await Checkpoint.start({
      origin,
      config: {
        routes: [{ path: '/**', websocket: true }],
        listen: {
          trustedProxies: [entry],
          ...(socket && { address: `unix:${socket}` }),
          ...(pathPrefix && { pathPrefix }),
        },
      },
      files: ca === undefined ? {} : { 'clients.pem': ca.certPem },
    });
    const server = await guarded.ca.issue({ cn: authority, usage: 'server', san: [authority] });
    const front = await Front.start({
      program,
      command,
      files: {
        'server.pem': server.certPem,
        'server.key': server.keyPem,
        'server-and-key.pem': server.certPem + server.keyPem,
        'ca.pem': guarded.ca.certPem,
      },
      configure: (port) =>
        configure(port, { upstream: socket ?? `127.0.0.1:${guarded.sidecar.port}`, prefix }),
    });
    return new Fronted(guarded, front, setup);
  }

  /** Sends a call through the front. */
  send(call: Call): Promise<WireResponse> {
    return this.#exchange({ port: this.front.port, tls: call.tls ?? {} }, this.guarded.bytes(call));
  }

  /** Opens a connection to the front. */
  open(tls: NonNullable<Call['tls']> = {}): Promise<Wire> {
    return Wire.open({ port: this.front.port, tls });
  }

  /** Takes a nonce for the proofs to come, through the front. */
  async fetchNonce(target = '/'): Promise<void> {
    const token = this.guarded.token();
    const old = Math.floor(Date.now() / 1000) - 50;
    const proof = this.guarded.proof({ token, target, nonce: undefined, claims: { iat: old } });
    this.guarded.nonce = (await this.send({ target, token, proof })).one('dpop-nonce') ?? '';
  }

  async admits(call: Call): Promise<{ seen: SeenRequest; response: WireResponse }> {
    const before = this.guarded.service.requests.length;
    const response = await this.send(call);
    assert.equal(response.status, 200, `${response.body} ${this.front.text}`);
    assert.equal(this.guarded.service.requests.length, before + 1);
    return { seen: this.guarded.service.last, response };
  }

  /** Holds when the call is refused for this reason, and the service saw no byte of it. */
  async refuses(call: Call, reason: string): Promise<void> {
    const before = this.guarded.service.bytes;
    const response = await this.send(call);
    assert.equal((await this.guarded.sidecar.logged(response)).reason, reason, response.body);
    assert.equal(this.guarded.service.bytes, before, 'the service saw bytes of a refused request');
  }

  async stop(): Promise<void> {
    await this.front.stop();
    await this.guarded.stop();
  }
}
