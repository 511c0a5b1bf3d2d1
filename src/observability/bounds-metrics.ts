import type { Registry } from 'prom-client';
import { type Count, Tally } from './series.js';

/** The values of `cause` of `holdfast_connections_refused_total`. */
type RefusedConnection = 'total' | 'address' | 'displaced' | 'handshake_time' | 'handshake_bytes';

/** whether a verified token names the caller */
type Caller = 'client' | 'stranger';

/** What the bounds on strangers have done. Label values are the closed sets of the methods' parameters (S03). */
export class BoundsMetrics {
  readonly #verifications: Readonly<Record<'proof' | 'token', Readonly<Record<'ok' | 'failed', Count>>>>;
  readonly #shed: Readonly<Record<'bound' | 'known' | 'stranger', Count>>;
  readonly #refused: Readonly<Record<RefusedConnection, Count>>;
  readonly #unasked: Count;

  readonly #places: Readonly<Record<Caller, Readonly<Record<'queue_full' | 'waited', Count>>>>;

  constructor(registry: Registry) {
    const verifications = new Tally({
      name: 'holdfast_signature_verifications_total',
      help: 'Signatures that were verified',
      labelNames: ['kind', 'result'],
      registry,
    });
    const shed = new Tally({
      name: 'holdfast_verifications_shed_total',
      help: 'Requests that were answered 503 because a signature was not verified in time',
      labelNames: ['caller'],
      registry,
    });
    const refused = new Tally({
      name: 'holdfast_connections_refused_total',
      help: 'Client connections that were closed by a limit',
      labelNames: ['cause'],
      registry,
    });
    this.#unasked = new Tally({
      name: 'holdfast_client_certificates_not_requested_total',
      help: 'Client connections that were not asked for a certificate because of what handshakes of their address have cost',
      labelNames: [],
      registry,
    }).series({});
    const places = new Tally({
      name: 'holdfast_places_refused_total',
      help: 'Requests that were answered 503 because they got no place at the service',
      labelNames: ['caller', 'cause'],
      registry,
    });
    const causes = (caller: Caller) => ({
      queue_full: places.series({ caller, cause: 'queue_full' }),
      waited: places.series({ caller, cause: 'waited' }),
    });
    this.#places = { client: causes('client'), stranger: causes('stranger') };
    const results = (kind: string) => ({
      ok: verifications.series({ kind, result: 'ok' }),
      failed: verifications.series({ kind, result: 'failed' }),
    });
    this.#verifications = { proof: results('proof'), token: results('token') };
    this.#shed = {
      bound: shed.series({ caller: 'bound' }),
      known: shed.series({ caller: 'known' }),
      stranger: shed.series({ caller: 'stranger' }),
    };
    this.#refused = {
      total: refused.series({ cause: 'total' }),
      address: refused.series({ cause: 'address' }),
      displaced: refused.series({ cause: 'displaced' }),
      handshake_time: refused.series({ cause: 'handshake_time' }),
      handshake_bytes: refused.series({ cause: 'handshake_bytes' }),
    };
  }

  signatureVerified(kind: 'proof' | 'token', result: 'ok' | 'failed'): void {
    this.#verifications[kind][result].value++;
  }

  verificationShed(caller: 'bound' | 'known' | 'stranger'): void {
    this.#shed[caller].value++;
  }

  placeRefused(caller: Caller, cause: 'queue_full' | 'waited'): void {
    this.#places[caller][cause].value++;
  }

  connectionRefused(cause: RefusedConnection): void {
    this.#refused[cause].value++;
  }

  certificateNotRequested(): void {
    this.#unasked.value++;
  }
}
