import { AdminServer } from '../admin/admin-server.js';
import { issuersInUse } from '../config/cross-checks.js';
import type { AssertionSigner } from '../forward/assertion.js';
import type { Listener } from '../listener/server.js';
import { certificateExpiries } from '../listener/tls.js';
import type { AppOptions, Core } from './core.js';

/** Makes the socket for operators: probes, metrics, status and assertion keys. */
export function createAdmin(
  { config, configHash }: AppOptions,
  core: Core,
  { listener, assertion }: { listener: Listener; assertion: AssertionSigner | undefined },
): AdminServer {
  const { tokens, replay, metrics, notReady, clock } = core;
  // Without the keys of any other this replica serves as well as any.
  const needed = new Set(issuersInUse(config));
  return new AdminServer({
    notReady: () => [
      ...notReady,
      ...describeClock(clock.offsetMs / 1000, config.dpop.clockSkewSeconds),
      ...tokens
        .state()
        .flatMap(({ issuer, ready }) => (ready || !needed.has(issuer) ? [] : [`no keys of ${issuer}`])),
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
        ({ id, owner, reason, ticket, issuer, clients, createdAtMs, expiresAtMs }) => ({
          ...{ id, owner, reason, ticket, issuer, clients },
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

// What NTP corrects in one go is no reason to get no traffic, however little is granted to clients.
const minSkewSeconds = 1;

/** While nobody knows which clock is right, a replica whose clocks agree serves better. @see REQUIREMENTS I12 */
function describeClock(offsetSeconds: number, skewSeconds: number): string[] {
  if (Math.abs(offsetSeconds) <= Math.max(skewSeconds, minSkewSeconds)) return [];
  return [`the wall clock was stepped by ${Math.round(offsetSeconds)} s`];
}
