import type { Config } from '../config/config.js';
import type { TlsFiles } from '../config/tls-files.js';
import { Pool } from '../forward/pool.js';
import { Upstream } from '../forward/upstream.js';
import { VerificationQueue } from '../jws/verification-queue.js';
import { certificateExpiries, type TlsOptions } from '../listener/tls.js';
import type { Log } from '../observability/log.js';
import { Metrics } from '../observability/metrics.js';
import { NonceIssuer } from '../proof/nonce.js';
import { MemoryReplayStore } from '../proof/replay/memory.js';
import { SteadyClock } from '../support/steady-clock.js';
import { TokenVerifier } from '../token/verify.js';
import type { TlsUpkeep } from './tls-upkeep.js';

export interface AppOptions {
  readonly config: Config;
  /** of the effective configuration */
  readonly configHash: string;
  /** undefined without TLS */
  readonly tlsFiles: TlsFiles | undefined;
  readonly log: Log;
}

/** What several parts share. */
export interface Core {
  readonly clock: SteadyClock;
  readonly metrics: Metrics;
  readonly replay: MemoryReplayStore;
  readonly nonces: NonceIssuer;
  readonly verifications: VerificationQueue;
  readonly tokens: TokenVerifier;
  readonly upstream: Upstream;
  readonly pool: Pool;
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

const clockCheckMs = 1000;

/** Makes the shared parts; what comes of the listener is filled in when there is one. */
export function createCore({ config, configHash, log }: AppOptions): Core {
  const clock = createClock(log, () => metrics);
  const replay = new MemoryReplayStore(config.replay, clock);
  const lifetimeMs = config.dpop.nonceLifetimeSeconds * 1000;
  const nonces = new NonceIssuer({ secret: config.dpop.nonceSecret, lifetimeMs, clock });
  const verifications = new VerificationQueue({
    observer: {
      verified: (kind, result) => metrics.bounds.signatureVerified(kind, result),
      shed: (standing) => metrics.bounds.verificationShed(standing),
    },
  });
  const tokens = new TokenVerifier(config.issuers, {
    clock,
    verifications,
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
  const pool = createPool(config, () => metrics);
  const metrics: Metrics = new Metrics({
    configHash,
    replay,
    issuers: () => tokens.state(),
    connections: () => [{ listener: 'public', count: core.connections() }],
    places: (kind) => ({ inFlight: pool.inFlight(kind), waiting: pool.waiting(kind) }),
    exceptions: config.exceptions,
    certificates: () => certificateExpiries(core.tls()),
    reload: () => core.tlsUpkeep?.result,
    clockOffsetSeconds: () => clock.offsetMs / 1000,
    lostLogLines: () => log.lostLines,
  });
  // Steps are noticed also while nobody asks for the time.
  const clockWatch = setInterval(() => clock.nowMs(), clockCheckMs).unref();
  const core: Core = {
    ...{ clock, metrics, replay, nonces, verifications, tokens, upstream, pool },
    connections: () => 0,
    tls: () => config.listen.tls,
    tlsUpkeep: undefined,
    notReady: new Set(),
    close() {
      clearInterval(clockWatch);
      tokens.close();
      replay.close();
      upstream.close();
    },
  };
  return core;
}

function createPool({ upstream: { connections, queue } }: Config, metrics: () => Metrics): Pool {
  return new Pool({
    connections,
    queueLength: queue.length,
    queueWaitMs: queue.waitMs,
    refused: (kind, cause) => metrics().bounds.placeRefused(kind, cause),
  });
}

function createClock(log: Log, metrics: () => Metrics): SteadyClock {
  return new SteadyClock({
    stepped: (byMs) => {
      metrics().clockStepped(byMs < 0 ? 'back' : 'forward');
      log.warn('clock_stepped', { seconds: byMs / 1000 });
    },
    adopted: (byMs) => log.warn('clock_adopted', { seconds: byMs / 1000 }),
  });
}
