import { BlockList, isIPv4, isIPv6 } from 'node:net';

/**
 * A set of address ranges, and the one place that compares a peer's address with any. IPv4 and IPv6 ranges are kept
 * apart: a single BlockList takes an IPv6 range around ::ffff:0:0/96 (`::/8` is one) for the whole of IPv4.
 *
 * Fails closed: what is no address (a unix socket has none) is in no list, and an empty list has nobody.
 */
export class AddressList {
  readonly #ipv4 = new BlockList();
  readonly #ipv6 = new BlockList();

  /** @param cidrs - addresses and `address/bits`, checked by the configuration */
  constructor(cidrs: readonly string[]) {
    for (const cidr of cidrs) {
      const [address = '', bits] = cidr.split('/');
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      const list = isIPv6(address) ? this.#ipv6 : this.#ipv4;
      if (bits === undefined) list.addAddress(address, family);
      else list.addSubnet(address, Number(bits), family);
    }
  }

  /** @param address - as the socket or a forwarding header tells it: IPv4, also mapped into IPv6; IPv6, also with a zone */
  has(address: string): boolean {
    // A dual-stack listener sees IPv4 peers as ::ffff:a.b.c.d.
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
    if (isIPv4(plain)) return this.#ipv4.check(plain, 'ipv4');
    return isIPv6(plain) && this.#ipv6.check(plain, 'ipv6');
  }
}
