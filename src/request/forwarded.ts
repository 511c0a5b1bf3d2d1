import { isIP } from 'node:net';
import { Denial } from '../denial/denial.js';
import { type Origin, type Origins, parseHost } from './authority.js';
import { type RequestHead, valuesOf } from './head.js';
import type { TrustedProxies } from './trusted-proxies.js';

const requestId = /^[\x21-\x7e]{1,128}$/;
const maxHops = 64;

/**
 * The request id that a trusted front gave, so that one id is found in its log and in ours.
 *
 * @param rawHeaders - name, value, …
 * @returns undefined when there is none, several, or one that is no 1 to 128 visible ASCII characters: then ours is used
 */
export function findRequestId(rawHeaders: readonly string[]): string | undefined {
  let found: string | undefined;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() !== 'x-request-id') continue;
    if (found !== undefined) return undefined;
    found = rawHeaders[i + 1];
  }
  return found !== undefined && requestId.test(found) ? found : undefined;
}

/**
 * The address of the client, as the fronts that are trusted vouch for it: each one writes its own peer at the right end
 * of X-Forwarded-For, so the client is the right-most address that is no trusted proxy. What stands further to
 * the left is what that client sent, and not even looked at. `Forwarded` (RFC 7239) is not read.
 *
 * @returns empty when the front does not tell: then nobody knows it, and the front's own address would let everyone
 *   pass as its neighbour
 * @throws Denial forwarded_field_malformed
 * @see REQUIREMENTS B08
 */
export function findClientAddress(head: RequestHead, proxies: TrustedProxies): string {
  const hops = valuesOf(head, 'x-forwarded-for').flatMap((line) => line.split(','));
  if (hops.length > maxHops)
    throw new Denial('forwarded_field_malformed', `x-forwarded-for of ${hops.length} hops`);
  let address = '';
  for (let hop = hops.pop(); hop !== undefined; hop = hops.pop()) {
    address = parseHop(hop.trim());
    if (!proxies.includes(address)) break;
  }
  return address;
}

/** An address with or without port; IPv6 with a port stands in brackets. */
function parseHop(hop: string): string {
  const [, bracketed, dotted] = /^(?:\[([^\]]+)\](?::\d{1,5})?|([\d.]+):\d{1,5})$/.exec(hop) ?? [];
  const address = bracketed ?? dotted ?? hop;
  // A zone (`%eth0`) means something on the front's machine only.
  if (isIP(address) === 0 || address.includes('%'))
    throw new Denial('forwarded_field_malformed', 'x-forwarded-for does not end in addresses');
  return address;
}

/**
 * The origin that the client addressed, by X-Forwarded-Proto and X-Forwarded-Host where the front sends them. They
 * choose among the configured ones and name no other.
 *
 * @throws Denial forwarded_field_malformed, host_invalid (400), host_not_served (421)
 * @see DESIGN section 2, listen.origins
 */
export function selectForwardedOrigin(head: RequestHead, origins: Origins): Origin {
  const scheme = singleValue(head, 'x-forwarded-proto')?.toLowerCase();
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https')
    throw new Denial('forwarded_field_malformed', 'x-forwarded-proto is neither http nor https');
  const host = singleValue(head, 'x-forwarded-host');
  // What the front connected with is still a message with one valid Host, even where the public one is another.
  const addressed = head.values('host');
  if (host === undefined) return origins.select(addressed, scheme);
  parseHost(addressed);
  return origins.select([host], scheme);
}

/** A list would leave open which of the proxies on the way is to be believed. */
function singleValue(head: RequestHead, name: string): string | undefined {
  const values = valuesOf(head, name);
  if (values.length > 1 || values[0]?.includes(','))
    throw new Denial('forwarded_field_malformed', `more than one value in ${name}`);
  return values[0];
}
