import { BlockList, isIP } from 'node:net';

/**
 * Where clouds answer whoever asks from inside, with credentials among other things. No authorization server is there, so
 * an address of these that keys are to be fetched from is a mistake or an attack.
 */
const ipv4Ranges: readonly (readonly [address: string, bits: number])[] = [
  ['169.254.0.0', 16], // link-local: AWS, Azure, Google, OpenStack
  ['100.100.100.200', 32], // Alibaba
  ['168.63.129.16', 32], // Azure WireServer
  ['192.0.0.0', 24], // IETF protocol assignments: Oracle
];

const list = new BlockList();
for (const [address, bits] of ipv4Ranges) {
  list.addSubnet(address, bits); // and mapped, ::ffff:0:0/96: BlockList sees to that itself
  list.addSubnet(`::${address}`, 96 + bits, 'ipv6'); // compatible, RFC 4291 §2.5.5.1
  list.addSubnet(`::ffff:0:${address}`, 96 + bits, 'ipv6'); // translated, RFC 7915
  list.addSubnet(`64:ff9b::${address}`, 96 + bits, 'ipv6'); // NAT64, RFC 6052 §2.1
  list.addSubnet(`2002:${hexOf(address)}::`, 16 + bits, 'ipv6'); // 6to4, RFC 3056 §2
}
// Where in these the IPv4 address stands depends on the network, or it is scrambled.
list.addSubnet('64:ff9b:1::', 48, 'ipv6'); // local NAT64, RFC 8215
list.addSubnet('2001::', 32, 'ipv6'); // Teredo, RFC 4380 §4
list.addSubnet('fe80::', 10, 'ipv6'); // link-local
list.addAddress('fd00:ec2::254', 'ipv6'); // AWS

/**
 * Whether nothing may be fetched from this address: link-local, a metadata service of a cloud, or an IPv6 spelling of such.
 *
 * @param address - as `isIP` takes it, in any spelling; anything else is not in the list
 * @see REQUIREMENTS P01
 */
export function isMetadataAddress(address: string): boolean {
  const plain = address.replace(/%.*$/, '');
  const family = isIP(plain);
  return family !== 0 && list.check(plain, family === 6 ? 'ipv6' : 'ipv4');
}

/** @returns the two groups of an IPv6 address that an IPv4 address makes: `a9fe:a9fe` */
function hexOf(address: string): string {
  const hex = Buffer.from(address.split('.').map(Number)).toString('hex');
  return `${hex.slice(0, 4)}:${hex.slice(4)}`;
}
