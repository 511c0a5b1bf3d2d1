import { isIPv6 } from 'node:net';

/**
 * What limits for each client address count as one: an IPv4 address, or the /64 of an IPv6 address, because that is what
 * a single subscriber gets and can choose from at will. IPv4 inside of IPv6 (mapped, or through the well-known prefix of
 * NAT64) counts as the IPv4 address.
 *
 * @param address - as Node writes it; the zone of a link-local address does not count
 * @returns a name for it; the text itself when it is no IPv6 address
 * @see RFC 4291 §2.5.4, §2.5.5.2; RFC 6052 §2.1; RFC 6177 §2
 */
export function clientNetwork(address: string): string {
  if (!isIPv6(address)) return address;
  const groups = parseGroups(address.split('%', 1)[0] ?? '');
  const prefix = groups.slice(0, 6).join(':');
  if (prefix === '0:0:0:0:0:ffff' || prefix === '64:ff9b:0:0:0:0') return formatIpv4(groups);
  return `${groups.slice(0, 4).join(':')}::/64`;
}

/** @param address - valid, without zone. @returns its eight groups, in lower-case hexadecimal without leading zeros */
function parseGroups(address: string): string[] {
  const [head = '', tail] = address.toLowerCase().split('::');
  const before = parsePart(head);
  const after = tail === undefined ? [] : parsePart(tail);
  const zeros: string[] = new Array(8 - before.length - after.length).fill('0');
  return [...before, ...zeros, ...after];
}

function parsePart(part: string): string[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return Number.parseInt(group, 16).toString(16);
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [(a * 256 + b).toString(16), (c * 256 + d).toString(16)];
  });
}

function formatIpv4(groups: readonly string[]): string {
  return groups
    .slice(6)
    .map((group) => Number.parseInt(group, 16))
    .flatMap((value) => [value >> 8, value & 255])
    .join('.');
}
