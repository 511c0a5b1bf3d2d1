import { isIP, isIPv4, isIPv6 } from 'node:net';
import type { SocketAddress } from '../support/bind.js';
import { isMetadataAddress } from '../support/metadata-addresses.js';
import type { UpstreamConfig } from './config.js';

const hostPort = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(0|[1-9][0-9]{0,4})$/;

/** @returns undefined unless the text is `host:port`, `[ipv6]:port` or `unix:/path` */
export function parseSocketAddress(text: string): SocketAddress | undefined {
  if (text.startsWith('unix:')) return parseUnix(text);
  const [, host = '', port = ''] = hostPort.exec(text) ?? [];
  return isHost(host) && Number(port) <= 65_535
    ? { host: withoutBrackets(host), port: Number(port) }
    : undefined;
}

export function formatSocketAddress(address: SocketAddress): string {
  if ('socketPath' in address) return `unix:${address.socketPath}`;
  return `${isIPv6(address.host) ? `[${address.host}]` : address.host}:${address.port}`;
}

/** @returns undefined unless the text is `http(s)://host[:port]` without path, or `unix:/path` */
export function parseUpstreamUrl(text: string): UpstreamConfig['target'] | undefined {
  if (text.startsWith('unix:')) return parseUnix(text);
  const [, scheme, authority = ''] = /^(https?):\/\/([^/]*)\/?$/.exec(text) ?? [];
  if (scheme !== 'http' && scheme !== 'https') return undefined;
  const address = parseSocketAddress(
    /:[0-9]+$/.test(authority) ? authority : `${authority}:${scheme === 'http' ? 80 : 443}`,
  );
  if (address === undefined || 'socketPath' in address || address.port === 0) return undefined;
  return { scheme, ...address };
}

export function formatUpstreamUrl(target: UpstreamConfig['target']): string {
  return 'socketPath' in target
    ? `unix:${target.socketPath}`
    : `${target.scheme}://${formatSocketAddress(target)}`;
}

function parseUnix(text: string): { socketPath: string } | undefined {
  const socketPath = text.slice('unix:'.length);
  // 107 bytes: sun_path of Linux, without its terminator. Longer names are cut silently.
  return socketPath.startsWith('/') && Buffer.byteLength(socketPath) <= 107 ? { socketPath } : undefined;
}

/**
 * Whether the text is the public origin of a web server in the one form it is compared in: lower-case ASCII, no
 * userinfo, no path. A host that ends in a number must be a dotted IPv4 address (`127.1` is read differently
 * by different clients).
 * @see RFC 6454 §6.2; REQUIREMENTS N05, N06
 */
export function isOrigin(text: string): boolean {
  const [, host = '', port] =
    /^https?:\/\/(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([1-9][0-9]{0,4}))?$/.exec(text) ?? [];
  return isHost(host) && Number(port ?? 1) <= 65_535;
}

function isHost(host: string): boolean {
  if (host.startsWith('[')) return isIPv6(withoutBrackets(host));
  const labels = host.split('.');
  if (/^(?:[0-9]+|0x[0-9a-f]*)$/i.test(labels.at(-1) ?? '')) return isIPv4(host);
  return (
    host.length <= 253 &&
    labels.every((label) => /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label))
  );
}

function withoutBrackets(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host;
}

/** Whether what is sent to this host stays on the machine. */
export function isLoopback(host: string): boolean {
  const plain = withoutBrackets(host).toLowerCase();
  return plain === 'localhost' || plain === '::1' || (isIPv4(plain) && plain.startsWith('127.'));
}

/** Whether the host of a URL is an address that no keys come from. @see REQUIREMENTS P01 */
export function isMetadataHost(host: string): boolean {
  return isMetadataAddress(withoutBrackets(host));
}

/** Whether the text is a CIDR that leaves something out: `/0` is everybody. */
export function isCidr(text: string): boolean {
  const [, address = '', bits = ''] = /^([0-9a-fA-F:.]+)\/([1-9][0-9]{0,2})$/.exec(text) ?? [];
  const family = isIP(address);
  return family !== 0 && Number(bits) <= (family === 4 ? 32 : 128);
}

/** Whether the text is an absolute http(s) URL without userinfo, query and fragment, in visible ASCII. */
export function isPlainUrl(text: string): boolean {
  return (
    /^https?:\/\/[^/@?#\\]+(?:\/[^?#\\]*)?$/.test(text) && /^[\x21-\x7e]+$/.test(text) && URL.canParse(text)
  );
}
