import { lookup as resolve } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { isMetadataAddress } from '../../support/metadata-addresses.js';

/** Where a request to an authorization server may go. */
export interface DestinationRules {
  /** http:// to any host; otherwise only to loopback */
  readonly allowCleartext: boolean;
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/**
 * Checks a URL that keys or metadata are to be fetched from: https, or http where nobody is on the way. A host name is
 * judged a second time by the addresses it resolves to (`guardedLookup`).
 *
 * @throws Error with the cause, fit for the log
 * @see RFC 8414 §3; RFC 8725 §3.10; REQUIREMENTS P01
 */
export function checkDestination(url: URL, { allowCleartext }: DestinationRules): void {
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new Error(`${url.protocol} is not http or https`);
  if (url.username !== '' || url.password !== '') throw new Error('URL with credentials');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isAddress = isIP(host) !== 0;
  if (isAddress) checkAddress(host);
  if (url.protocol === 'https:' || allowCleartext) return;
  if (isAddress ? !isWithin(loopback, host) : host !== 'localhost') throw new Error(`cleartext to ${host}`);
}

/**
 * A `lookup` for sockets that refuses a name when any address it resolves to is refused: what a name means is decided
 * by whoever answers DNS at the moment of connecting, so a check beforehand would be worth nothing.
 *
 * @param url - already checked; a cleartext one without `allowCleartext` must resolve to loopback
 */
export function guardedLookup(
  url: URL,
  { allowCleartext }: DestinationRules,
  resolver = resolve,
): LookupFunction {
  const loopbackOnly = url.protocol === 'http:' && !allowCleartext;
  return (hostname, options, callback) => {
    resolver(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, []);
      try {
        for (const { address } of addresses) checkAddress(address, loopbackOnly);
      } catch (refusal) {
        return callback(refusal instanceof Error ? refusal : new Error('refused'), []);
      }
      const [first] = addresses;
      if (options.all === true || first === undefined) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

function checkAddress(address: string, loopbackOnly = false): void {
  if (isMetadataAddress(address)) throw new Error(`${address} is link-local or a metadata service`);
  if (loopbackOnly && !isWithin(loopback, address)) throw new Error(`cleartext to ${address}`);
}

function isWithin(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
