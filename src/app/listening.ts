import type { Config } from '../config/config.js';
import { hasClientCertificates, issuersInUse } from '../config/cross-checks.js';
import type { AssertionSigner } from '../forward/assertion.js';
import { ExpiryWatch } from '../forward/expiry.js';
import { Forwarder, type ForwarderOptions } from '../forward/forwarder.js';
import { Gate } from '../gate/gate.js';
import { Listener, type ListenerOptions } from '../listener/server.js';
import { BearerExceptions } from '../policy/exceptions.js';
import { RouteTable } from '../policy/routes.js';
import { DpopVerifier } from '../proof/dpop.js';
import { ResourceMetadata } from '../reply/metadata.js';
import { Replies } from '../reply/reply.js';
import { Origins } from '../request/authority.js';
import type { RequestRules } from '../request/facts.js';
import { HeaderNames } from '../request/header-names.js';
import type { TrustedProxies } from '../request/trusted-proxies.js';
import { sha256Base64url } from '../support/digest.js';
import type { SteadyClock } from '../support/steady-clock.js';
import type { AppOptions, Core } from './core.js';
import { createTrustedProxies } from './fronts.js';

/** Makes the way of a request: listener, gate, forwarder, replies; and tells the shared parts of the listener. */
export function createListener(
  { config, log }: AppOptions,
  core: Core,
  assertion: AssertionSigner | undefined,
): Listener {
  const { clock, metrics, replay, nonces, tokens, upstream, pool } = core;
  const metadata = createMetadata(config);
  const proxies = createTrustedProxies(config, {
    listenerTrust: () => core.tls()?.clientCertificates,
    clock,
  });
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
  const listener = new Listener(listenerOptions(config, core, { proxies, log }), {
    gate,
    forwarder: new Forwarder(forwarderOptions(config, rules, clock), {
      upstream,
      pool,
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

function createDpopVerifier({ dpop }: Config, { clock, nonces, verifications }: Core): DpopVerifier {
  const options = {
    ...dpop,
    nonceRequired: dpop.nonce === 'required',
    memoryBeginsAtStart: true, // there is no store yet that outlives the process
  };
  return new DpopVerifier(options, { clock, nonces, verifications });
}

function createMetadata(config: Config): ResourceMetadata {
  const { listen, dpop, routes } = config;
  return new ResourceMetadata({
    resource: listen.resource,
    authorizationServers: issuersInUse(config),
    dpopAlgorithms: dpop.algorithms,
    clientCertificates: hasClientCertificates(listen),
    routes,
  });
}

function createRules({ listen, upstream, identity }: Config, proxies: TrustedProxies): RequestRules {
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
    refuseUnexpectedBody: upstream.bodyOnGet === 'refuse',
    // Of the resource, not of the process: replicas know each other's loops, sidecars of other services pass.
    pseudonym: `holdfast-${Buffer.from(sha256Base64url(listen.resource), 'base64url').toString('hex', 0, 4)}`,
  };
}

function forwarderOptions(
  { upstream, identity, listen }: Config,
  { names, pseudonym }: RequestRules,
  clock: SteadyClock,
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
    separateBodies: upstream.bodies === 'separate',
    idleTimeoutMs: upstream.idleTimeoutMs,
    streamIdleTimeoutMs: upstream.streamIdleTimeoutMs,
  };
}

function listenerOptions(
  { listen, identity }: Config,
  { clock, metrics }: Core,
  { proxies, log }: { proxies: TrustedProxies } & Pick<AppOptions, 'log'>,
): ListenerOptions {
  const { limits, address, socketMode, tls } = listen;
  const { requestTimeoutMs } = limits;
  // Node takes 0 for "no limit", and Infinity for 1 ms.
  return {
    ...limits,
    address,
    socketMode,
    tls,
    clock,
    proxies,
    keepCertificates: identity.clientCertificate === 'rfc9440',
    connectionRefused: (cause) => metrics.bounds.connectionRefused(cause),
    certificateNotRequested: () => metrics.bounds.certificateNotRequested(),
    handshakesOverBudget: (network) => log.warn('handshakes_over_budget', { network }),
    requestTimeoutMs: Number.isFinite(requestTimeoutMs) ? requestTimeoutMs : 0,
  };
}
