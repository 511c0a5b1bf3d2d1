import { AddressList } from '../support/address-list.js';
import type { FrontCertificates } from './front-certificates.js';

/** A front proxy that is believed what it says about its clients. */
export interface TrustedFront {
  /** how it tells the certificate of its client; undefined: it does not, and nobody has one */
  readonly certificates: FrontCertificates | undefined;
}

export interface TrustedProxiesEntry extends TrustedFront {
  /** CIDRs, or `unix`: whoever may connect to the unix socket we listen on */
  readonly from: readonly string[];
}

/**
 * Who may speak for others. Decided by where the connection comes from, once, and never by what is said on it.
 *
 * Fails closed: an empty list trusts nobody.
 * @see REQUIREMENTS B08, B09, K07
 */
export class TrustedProxies {
  readonly #entries: readonly { front: TrustedFront; addresses: AddressList; unix: boolean }[];

  /** @param entries - the first one that names the peer counts */
  constructor(entries: readonly TrustedProxiesEntry[]) {
    this.#entries = entries.map(({ from, certificates }) => ({
      front: { certificates },
      addresses: new AddressList(from.filter((one) => one !== 'unix')),
      unix: from.includes('unix'),
    }));
  }

  /** @param address - of the peer of a connection; empty on a unix socket */
  find(address: string): TrustedFront | undefined {
    return this.#entries.find(({ addresses, unix }) => (address === '' ? unix : addresses.has(address)))
      ?.front;
  }

  /** @param address - of a hop that a forwarding header names */
  includes(address: string): boolean {
    return this.#entries.some(({ addresses }) => addresses.has(address));
  }
}
