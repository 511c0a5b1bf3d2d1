import { AdminServer } from './admin/admin-server.js';
import { createTrustedProxies } from './app/fronts.js';
import { TlsUpkeep } from './app/tls-upkeep.js';
import type { Config } from './config/config.js';
import { hasClientCertificates } from './config/cross-checks.js';
import type { TlsFiles } from './config/tls-files.js';
import { AssertionSigner } from './forward/assertion.js';
import { ExpiryWatch } from './forward/expiry.js';
import { Forwarder, type ForwarderOptions } from './forward/forwarder.js';
import { Pool } from './forward/pool.js';
import { Upstream } from './forward/upstream.js';
import { Gate } from './gate/gate.js';
import { SignatureBudget } from './jws/signature-budget.js';
import { Listener, type ListenerOptions } from './listener/server.js';
import { certificateExpiries, type TlsOptions } from './listener/tls.js';
import type { Log } from './observability/log.js';
import { Metrics } from './observability/metrics.js';
import { BearerExceptions } from './policy/exceptions.js';
import { RouteTable } from './policy/routes.js';
import { DpopVerifier } from './proof/dpop.js';
import { NonceIssuer } from './proof/nonce.js';
import { MemoryReplayStore } from './proof/replay/memory.js';
import { ResourceMetadata } from './reply/metadata.js';
import { Replies } from './reply/reply.js';
import { Origins } from './request/authority.js';
import type { RequestRules } from './request/facts.js';
import { HeaderNames } from './request/header-names.js';
import type { TrustedProxies } from './request/trusted-proxies.js';
import { type Clock, monotonicClock } from './support/clock.js';
import { sha256Base64url } from './support/digest.js';
import { TokenVerifier } from './token/verify.js';

export interface AppOptions {
  readonly config: Config;
  /** of the effective configuration */
  readonly configHash: string;
  /** undefined without TLS */
  readonly tlsFiles: TlsFiles | undefined;
  readonly log: Log;
}

/** A sidecar that listens. */
export interface Running {
  /** of the public listener; 0 for a unix socket */
  readonly port: number;
  /** of the admin socket; 0 for a unix socket */
  readonly adminPort: number;
  /** Readiness fails from now on, for this reason; nothing else changes. */
  markNotReady(reason: string): void;
  /** Reads again what can be read again, the TLS files. @returns undefined when there is nothing of the kind */
  reload(): Promise<void> | undefined;
  /** Lets what is under way finish, for the configured grace at most, and closes everything. */
  stop(): Promise<void>;
}

/**
 * Composition root: makes every part from its section of the configuration, connects them, and starts to listen. The
 * one place that knows the whole; it looks at no request.
 *
 * @throws Error when an address cannot be bound
 */
export async function startApp(options: AppOptions): Promise<Running> {
  const { config, log } = options;
  const core = createCore(options);
  const assertion =
    config.identity.assertion && (await AssertionSigner.create(config.identity.assertion, core.clock));
  const listener = createListener(options, core, assertion);
  const admin = createAdmin(options, core, { listener, assertion });
  core.tlsUpkeep = createTlsUpkeep(options, core, listener);

  const adminPort = await admin.listen(config.admin.address);
  const port = await listener.listen().catch((error: unknown) => {
    admin.close();
    throw error;
  });
  // Not awaited: a sidecar that cannot reach its authorization server yet is alive, answers 503, and keeps trying.
  void core.tokens.start();
  core.tlsUpkeep?.start();
  log.info('listening', { port, admin_port: adminPort, config: options.configHash });
  return {
    port,
    adminPort,
    markNotReady: (reason) => void core.notReady.add(reason),
    reload: () => core.tlsUpkeep?.reload(),
    async stop() {
      core.notReady.add('draining');
      core.tlsUpkeep?.stop();
      await listener.drain(config.shutdown.graceMs);
      core.close();
      admin.close();
    },
  };
}

/** What several parts share. */
interface Core {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly replay: MemoryReplayStore;
  readonly nonces: NonceIssuer;
  readonly budget: SignatureBudget;
  readonly tokens: TokenVerifier;
  readonly upstream: Upstream;
  /** open client connections, once there is a listener */
  connections: () => number;
  /** in force, once there is a listener */
  tls: () => TlsOptions | undefined;
  /** undefined without TLS */
  tlsUpkeep: TlsUpkeep | undefined;
  /** why no traffic is wanted now */
  readonly notReady: Set<string>;
  close(): void;
}

function createCore({ config, configHash, log }: AppOptions): Core {
  const clock = monotonicClock(Date.now, () => metrics.clockSteppedBack());
  const replay = new MemoryReplayStore(config.replay, clock);
  const lifetimeMs = config.dpop.nonceLifetimeSeconds * 1000;
  const nonces = new NonceIssuer({ secret: config.dpop.nonceSecret, lifetimeMs, clock });
  const budget = new SignatureBudget({
    failuresPerMinute: config.listen.limits.failedSignaturesPerAddress,
    clock: { nowMs: () => performance.now() },
    verified: (kind, result) => metrics.bounds.signatureVerified(kind, result),
  });
  const tokens = new TokenVerifier(config.issuers, {
    clock,
    budget,
    observer: {
      keysRefreshed: (issuer, result, detail) => {
        metrics.keysRefreshed(issuer, result);
        if (result === 'error') log.warn('issuer_keys_not_refreshed', { issuer, detail });
      },
      keyIgnored: (issuer, why) => log.warn('issuer_key_ignored', { issuer, why }),
      cacheResult: (result) => metrics.tokenCache(result),
    },
  });
  const upstream = new Upstream(config.upstream);
  const metrics: Metrics = new Metrics({
    configHash,
    replay,
    issuers: () => tokens.state(),
    connections: () => [{ listener: 'public', count: core.connections() }],
    exceptions: config.exceptions,
    certificates: () => certificateExpiries(core.tls()),
    reload: () => core.tlsUpkeep?.result,
  });
  const core: Core = {
    ...{ clock, metrics, replay, nonces, budget, tokens, upstream },
    connections: () => 0,
    tls: () => config.listen.tls,
    tlsUpkeep: undefined,
    notReady: new Set(),
    close() {
      tokens.close();
      replay.close();
      upstream.close();
    },
  };
  return core;
}

function createListener(
  { config, log }: AppOptions,
  core: Core,
  assertion: AssertionSigner | undefined,
): Listener {
  const { clock, metrics, replay, nonces, tokens, upstream } = core;
  const metadata = createMetadata(config);
  const proxies = createTrustedProxies(config, () => core.tls()?.clientCertificates.ca ?? []);
  const rules = createRules(config, proxies);
  const issueNonce = (origin: string) => nonces.issue(origin);
  const gate = new Gate({
    rules,
    routes: new RouteTable(config.routes),
    exceptions: new BearerExceptions(config.exceptions, clock),
    tokens,
    dpop: createDpopVerifier(config, core),
    replay,
    // With CAs only certificates count that chain to one.
    certificateRules: { requireTrust: (config.listen.tls?.clientCertificates.ca.length ?? 0) > 0, clock },
    isMetadataPath: metadata.isMetadataPath,
  });
  const listener = new Listener(listenerOptions(config, core, proxies), {
    gate,
    forwarder: new Forwarder(forwarderOptions(config, rules, clock), {
      upstream,
      pool: createPool(config),
      assertion,
      expiry: new ExpiryWatch({ graceMs: config.upstream.expiryGraceMs, clock }),
      issueNonce,
    }),
    replies: new Replies({
      realm: config.listen.resource,
      resourceMetadata: metadata.url,
      dpopAlgorithms: config.dpop.algorithms,
      issueNonce,
    }),
    metadata,
    record: (record) => {
      metrics.request(record);
      log.request(record);
    },
  });
  core.connections = () => listener.connectionCount;
  core.tls = () => listener.tls;
  return listener;
}

function createTlsUpkeep(
  { config, tlsFiles, log }: AppOptions,
  { clock, metrics }: Core,
  listener: Listener,
): TlsUpkeep | undefined {
  const current = config.listen.tls;
  return tlsFiles && current && new TlsUpkeep({ files: tlsFiles, current, listener, clock, metrics, log });
}

// Proofs that were dated before this moment may have been used with an earlier process, whose memory is gone (I11).
const processStartedAtMs = Math.ceil(performance.timeOrigin);

function createDpopVerifier({ dpop }: Config, { clock, nonces, budget }: Core): DpopVerifier {
  const options = {
    ...dpop,
    nonceRequired: dpop.nonce === 'required',
    replayMemorySinceMs: processStartedAtMs,
  };
  return new DpopVerifier(options, { clock, nonces, budget });
}

function createPool({ upstream: { connections, queue } }: Config): Pool {
  return new Pool({ connections, queueLength: queue.length, queueWaitMs: queue.waitMs });
}

function createMetadata({ listen, issuers, dpop, routes }: Config): ResourceMetadata {
  return new ResourceMetadata({
    resource: listen.resource,
    authorizationServers: issuers.map(({ issuer }) => issuer),
    dpopAlgorithms: dpop.algorithms,
    clientCertificates: hasClientCertificates(listen),
    routes,
  });
}

function createRules({ listen, identity }: Config, proxies: TrustedProxies): RequestRules {
  const written = [
    ...identity.headers.map(({ name }) => name),
    ...(identity.assertion ? [identity.assertion.header] : []),
  ];
  return {
    names: new HeaderNames([...written, ...identity.strip]),
    proxies,
    frontsOnly: listen.frontsOnly,
    maxCount: listen.limits.headerCount,
    refuseOddNames: listen.headerNames === 'refuse',
    origins: new Origins(listen.origins),
    pathPrefix: listen.pathPrefix,
    maxTargetBytes: listen.limits.targetBytes,
    maxBodyBytes: listen.limits.bodyBytes,
    // Of the resource, not of the process: replicas know each other's loops, sidecars of other services pass.
    pseudonym: `holdfast-${Buffer.from(sha256Base64url(listen.resource), 'base64url').toString('hex', 0, 4)}`,
  };
}

function forwarderOptions(
  { upstream, identity, listen }: Config,
  { names, pseudonym }: RequestRules,
  clock: Clock,
): ForwarderOptions {
  const { authorization } = identity;
  const basic =
    typeof authorization === 'object' ? Buffer.from(authorization.basic).toString('base64') : undefined;
  return {
    hygiene: {
      ...{ names, pseudonym, pathPrefix: listen.pathPrefix },
      authorization: typeof authorization === 'object' ? { basic: basic ?? '' } : authorization,
      certificateClock: identity.clientCertificate === 'rfc9440' ? clock : undefined,
    },
    identity,
    maxBodyBytes: listen.limits.bodyBytes,
    idleTimeoutMs: upstream.idleTimeoutMs,
    streamIdleTimeoutMs: upstream.streamIdleTimeoutMs,
  };
}

function listenerOptions(
  { listen, identity }: Config,
  { clock, metrics }: Core,
  proxies: TrustedProxies,
): ListenerOptions {
  const { limits, address, tls } = listen;
  const { requestTimeoutMs } = limits;
  // Node takes 0 for "no limit", and Infinity for 1 ms.
  return {
    ...limits,
    address,
    tls,
    clock,
    proxies,
    keepCertificates: identity.clientCertificate === 'rfc9440',
    connectionRefused: (cause) => metrics.bounds.connectionRefused(cause),
    requestTimeoutMs: Number.isFinite(requestTimeoutMs) ? requestTimeoutMs : 0,
  };
}

function createAdmin(
  { config, configHash }: AppOptions,
  core: Core,
  { listener, assertion }: { listener: Listener; assertion: AssertionSigner | undefined },
): AdminServer {
  const { tokens, replay, metrics, notReady, clock } = core;
  return new AdminServer({
    notReady: () => [
      ...notReady,
      ...tokens.state().flatMap(({ issuer, ready }) => (ready ? [] : [`no keys of ${issuer}`])),
    ],
    metrics: async () => ({ contentType: metrics.contentType, text: await metrics.render() }),
    jwks: { keys: assertion === undefined ? [] : [assertion.publicJwk] },
    status: () => ({
      config: { hash: configHash },
      issuers: tokens.state().map(({ issuer, keys, ageSeconds, ready, lastError }) => ({
        issuer,
        keys,
        age_seconds: ageSeconds,
        ready,
        last_error: lastError,
      })),
      reload: core.tlsUpkeep?.describe(),
      certificates: certificateExpiries(listener.tls).map(({ name, expiresAtMs }) => ({
        name,
        expires: new Date(expiresAtMs).toISOString(),
      })),
      exceptions: config.exceptions.map(
        ({ id, owner, reason, ticket, clients, createdAtMs, expiresAtMs }) => ({
          ...{ id, owner, reason, ticket, clients },
          created: new Date(createdAtMs).toISOString(),
          expires: new Date(expiresAtMs).toISOString(),
          days_left: Math.max(0, Math.floor((expiresAtMs - clock.nowMs()) / 86_400_000)),
        }),
      ),
      replay: { store: config.replay.store, entries: replay.size, capacity: replay.capacity },
      connections: listener.connectionCount,
      issuers_with_relaxed_type: config.issuers
        .filter(({ tokenType }) => tokenType === 'jwt')
        .map(({ issuer }) => issuer),
    }),
  });
}
