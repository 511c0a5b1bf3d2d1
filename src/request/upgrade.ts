import { Denial } from '../denial/denial.js';
import type { Framing } from './framing.js';
import type { RequestHead } from './head.js';

/** What a connection may be upgraded to. */
export type UpgradeProtocol = 'websocket';

const handshakeFields = ['sec-websocket-key', 'sec-websocket-version'] as const;

/** base64 of 16 bytes, in the one canonical form */
const websocketKey = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

/** What a request line and the parser say about it. */
interface UpgradeLine {
  readonly method: string;
  readonly httpVersion: string;
  /** the parser took it for an upgrade; absent: false */
  readonly isUpgrade?: boolean;
}

/**
 * Reads whether the client asks for another protocol on this connection. An Upgrade field without `Connection:
 * upgrade`, or the reverse, asks for nothing: hygiene removes it, and the request is an ordinary one.
 *
 * Fails closed: where we and the parser do not agree on whether it is an upgrade, it is refused, because the parser has
 * stopped, or goes on, to read requests from the connection.
 * @param framing - an opening handshake has no body, so that whatever follows its head belongs to nobody yet
 * @returns undefined for an ordinary request
 * @throws Denial upgrade_invalid, upgrade_unsupported, upgrade_version_unsupported
 * @see RFC 9110 §7.8; RFC 6455 §4.1, §4.2.1, §4.4; REQUIREMENTS A23
 */
export function parseUpgrade(
  head: RequestHead,
  { isUpgrade = false, method, httpVersion }: UpgradeLine,
  framing: Framing,
): UpgradeProtocol | undefined {
  const protocols = head.values('upgrade');
  const isAskedFor = protocols.length > 0 && head.nominated.has('upgrade');
  if (!isAskedFor && !isUpgrade) return undefined;
  const [protocol = ''] = protocols;
  if (protocols.length !== 1 || protocol.includes(','))
    throw invalid(`${protocols.length} upgrade fields, the first: ${shorten(protocol)}`);
  if (protocol.toLowerCase() !== 'websocket') throw new Denial('upgrade_unsupported', shorten(protocol));
  if (isAskedFor !== isUpgrade) throw invalid('connection can be read in two ways');
  if (method !== 'GET' || httpVersion !== '1.1') throw invalid(`${method} in HTTP/${httpVersion}`);
  if (framing.kind !== 'none') throw invalid('with a body');
  if (head.values('expect').length > 0) throw invalid('with an expectation');
  checkHandshake(head);
  // Removed before the service sees it, and the service would read another handshake than we did (RFC 9110 §7.6.1).
  if (handshakeFields.some((name) => head.nominated.has(name))) throw invalid('handshake field nominated');
  return 'websocket';
}

function checkHandshake(head: RequestHead): void {
  const keys = head.values('sec-websocket-key');
  if (keys.length !== 1 || !websocketKey.test(keys[0] ?? '')) throw invalid('sec-websocket-key');
  const versions = head.values('sec-websocket-version');
  if (versions.length !== 1) throw invalid(`${versions.length} sec-websocket-version fields`);
  if (versions[0] !== '13') throw new Denial('upgrade_version_unsupported', shorten(versions[0] ?? ''));
}

// For the log: enough for any name of a protocol, and for no credential that got into its place.
function shorten(text: string): string {
  return text.slice(0, 16);
}

function invalid(detail: string): Denial {
  return new Denial('upgrade_invalid', detail.slice(0, 128));
}
