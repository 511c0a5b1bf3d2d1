import type { Admission } from '../gate/admission.js';
import { clientNetwork } from '../support/client-network.js';
import type { CallerKind } from './shares.js';

/** Somebody who has requests at the service, or waiting for it. */
export interface Caller {
  readonly kind: CallerKind;
  /** requests of theirs that hold a place at the service */
  atService: number;
  /** requests of theirs that wait for one */
  waiting: number;
  /** among the callers of its kind and, for clients, of its issuer, who are in `home` */
  readonly name: string;
  readonly home: Map<string, Caller>;
}

/** What tells callers apart. */
export type Requester = Pick<Admission, 'facts' | 'grant'>;

/**
 * All callers that have requests under way: clients by issuer and client id, as a client id is a name within its issuer;
 * everybody else by address, a /64 of IPv6 counting as one. Bounded by the requests under way.
 * @see REQUIREMENTS S14; RFC 6749 §2.2
 */
export class Callers {
  readonly #strangers = new Map<string, Caller>();
  /** by issuer; as many as there are in the configuration */
  readonly #clients = new Map<string, Map<string, Caller>>();

  /** To be let go with `settle` when nothing of theirs is under way any more. */
  of({ facts, grant: { token } }: Requester): Caller {
    if (token === undefined)
      return findOrAdd(this.#strangers, 'stranger', clientNetwork(facts.remoteAddress));
    let clients = this.#clients.get(token.issuer);
    if (clients === undefined) {
      clients = new Map();
      this.#clients.set(token.issuer, clients);
    }
    return findOrAdd(clients, 'client', token.clientId);
  }

  /** Forgets the caller unless something of theirs is under way. */
  settle(caller: Caller): void {
    if (caller.atService === 0 && caller.waiting === 0) caller.home.delete(caller.name);
  }

  /** how many are known now */
  get size(): number {
    let size = this.#strangers.size;
    for (const clients of this.#clients.values()) size += clients.size;
    return size;
  }
}

function findOrAdd(home: Map<string, Caller>, kind: CallerKind, name: string): Caller {
  let caller = home.get(name);
  if (caller === undefined) {
    caller = { kind, atService: 0, waiting: 0, name, home };
    home.set(name, caller);
  }
  return caller;
}
