import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import type { TestContext } from 'node:test';
import type { Reason } from '#holdfast/denial/catalogue.js';
import { Denial } from '#holdfast/denial/denial.js';
import { Fault, type FaultCode } from '#holdfast/denial/fault.js';
import { type Asker, VerificationQueue } from '#holdfast/jws/verification-queue.js';
import { sha256Base64url } from '#holdfast/support/digest.js';
import { TokenVerifier } from '#holdfast/token/verify.js';
import { TestIssuer, type TestIssuerOptions } from '../../support/issuer.js';
import { ManualClock } from '../../support/manual-clock.js';

type IssuerOptions = ConstructorParameters<typeof TokenVerifier>[0][number];
type Parts = ConstructorParameters<typeof TokenVerifier>[1];
export type VerifiedToken = Awaited<ReturnType<TokenVerifier['verify']>>;

/** Times at which nothing happens by itself during a test. */
export const quietTimes = {
  refreshMs: 300_000,
  retryMs: 300_000,
  cooldownMs: 5_000,
  maxStaleMs: 86_400_000,
  timeoutMs: 5_000,
};

export interface BenchOptions {
  readonly issuer?: TestIssuerOptions;
  /** what this verifier's configuration says otherwise about the issuer */
  readonly settings?: Partial<IssuerOptions>;
  readonly times?: Partial<typeof quietTimes>;
  readonly parts?: Partial<Parts>;
  /** runs before the first fetch */
  readonly prepare?: (issuer: TestIssuer) => void;
}

/** Who asks here. */
export const asker = (): Asker => ({ standing: 'stranger', key: undefined, address: '192.0.2.1' });

/** One issuer, one verifier of its tokens, and a clock that both go by. Ends with the test. */
export class Bench {
  readonly clock = new ManualClock();
  readonly ignored: string[] = [];
  readonly refreshed: ('ok' | 'error')[] = [];
  readonly cache: ('hit' | 'miss' | 'stale')[] = [];
  readonly #events = new EventEmitter();
  #issuer: TestIssuer | undefined;
  #verifier: TokenVerifier | undefined;

  static async start(t: TestContext, options: BenchOptions = {}): Promise<Bench> {
    const bench = new Bench();
    const issuer = await TestIssuer.start({ now: () => bench.clock.nowMs() / 1000, ...options.issuer });
    t.after(() => issuer.stop());
    bench.#issuer = issuer;
    options.prepare?.(issuer);
    bench.#verifier = bench.verifierOf([{ ...issuer.settings, ...options.settings }], options);
    t.after(() => bench.verifier.close());
    await bench.verifier.start();
    return bench;
  }

  get issuer(): TestIssuer {
    assert(this.#issuer);
    return this.#issuer;
  }

  get verifier(): TokenVerifier {
    assert(this.#verifier);
    return this.#verifier;
  }

  verifierOf(settings: readonly IssuerOptions[], { times, parts }: BenchOptions = {}): TokenVerifier {
    return new TokenVerifier(settings, {
      clock: this.clock,
      verifications: new VerificationQueue(),
      times: { ...quietTimes, ...times },
      observer: {
        keyIgnored: (_, why) => this.ignored.push(why),
        cacheResult: (result) => this.cache.push(result),
        keysRefreshed: (_, result) => {
          this.refreshed.push(result);
          this.#events.emit('refreshed');
        },
      },
      ...parts,
    });
  }

  /** Resolves after that many fetches have ended since the start, whichever way. */
  async refreshes(count: number): Promise<void> {
    while (this.refreshed.length < count) await once(this.#events, 'refreshed');
  }

  get state(): ReturnType<TokenVerifier['state']>[number] {
    const [state] = this.verifier.state();
    assert(state);
    return state;
  }

  /** As the gate does it. */
  async verify(token: string): Promise<VerifiedToken> {
    return await this.verifier.verify({ scheme: 'DPoP', token, digest: sha256Base64url(token) }, asker);
  }

  async accepts(token: string): Promise<VerifiedToken> {
    const verified = await this.verify(token);
    assert.equal(verified.issuer, this.issuer.issuer);
    return verified;
  }

  async refuses(token: string, reason: Reason): Promise<void> {
    await assert.rejects(this.verify(token), (error) => {
      assert(error instanceof Denial, `not a denial: ${error}`);
      assert.equal(error.reason, reason, error.detail);
      assert.equal(error.entry.status, 401);
      return true;
    });
  }

  /** 503: nobody can know whether the token is good. */
  async cannotTell(token: string, code: FaultCode = 'ERR_ISSUER_KEYS_UNAVAILABLE'): Promise<Fault> {
    const error = await this.verify(token).then(
      () => assert.fail('accepted'),
      (error: unknown) => error,
    );
    assert(error instanceof Fault, `not a fault: ${error}`);
    assert.equal(error.code, code);
    assert((error.retryAfterSeconds ?? 0) >= 1);
    return error;
  }
}
