import { createAdmin } from './app/admin.js';
import { type AppOptions, type Core, createCore } from './app/core.js';
import { createListener } from './app/listening.js';
import { TlsUpkeep } from './app/tls-upkeep.js';
import { AssertionSigner } from './forward/assertion.js';
import type { Listener } from './listener/server.js';

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
  const { config } = options;
  const core = createCore(options);
  const assertion =
    config.identity.assertion && (await AssertionSigner.create(config.identity.assertion, core.clock));
  const listener = createListener(options, core, assertion);
  const admin = createAdmin(options, core, { listener, assertion });
  core.tlsUpkeep = createTlsUpkeep(options, core, listener);

  const adminPort = await admin.listen(config.admin);
  const port = await listener.listen().catch((error: unknown) => {
    admin.close();
    throw error;
  });
  // Not awaited: a sidecar that cannot reach its authorization server yet is alive, answers 503, and keeps trying.
  void core.tokens.start();
  core.tlsUpkeep?.start();
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

function createTlsUpkeep(
  { config, tlsFiles, log }: AppOptions,
  { clock, metrics }: Core,
  listener: Listener,
): TlsUpkeep | undefined {
  const current = config.listen.tls;
  return tlsFiles && current && new TlsUpkeep({ files: tlsFiles, current, listener, clock, metrics, log });
}
