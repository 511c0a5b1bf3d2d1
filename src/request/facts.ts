import { Denial } from '../denial/denial.js';
import type { Origin, Origins } from './authority.js';
import type { PresentedCertificate } from './client-certificate.js';
import { findClientAddress, selectForwardedOrigin } from './forwarded.js';
import { type Framing, hasBody, isBodyUnexpected, parseFraming } from './framing.js';
import { type HeadRules, parseHead, type RequestHead } from './head.js';
import { parseTarget, type RequestTarget } from './target.js';
import type { TrustedFront, TrustedProxies } from './trusted-proxies.js';
import { parseUpgrade, type UpgradeProtocol } from './upgrade.js';

/** One request as the HTTP parser delivered it, before anything about it was checked. */
export interface RequestMessage {
  readonly requestId: string;
  readonly method: string;
  readonly target: string;
  /** `1.1`, `1.0`, … */
  readonly httpVersion: string;
  /** name, value, name, value, … as sent */
  readonly rawHeaders: readonly string[];
  /** the address of the peer; empty on a unix socket */
  readonly remoteAddress: string;
  /** of the connection: the peer's, whoever that is */
  readonly certificate: PresentedCertificate | undefined;
  /** the peer is a front proxy that speaks for its clients */
  readonly front?: TrustedFront | undefined;
  /** the parser took it for an upgrade and reads nothing behind it; absent: false */
  readonly isUpgrade?: boolean;
}

/** What was sent, checked for being one unambiguous HTTP/1.1 request to this gateway. Nothing in it is trusted. */
export interface RequestFacts {
  readonly requestId: string;
  /** as sent; methods are case-sensitive (RFC 9110 §9.1) */
  readonly method: string;
  readonly httpVersion: '1.0' | '1.1';
  readonly target: RequestTarget;
  /** the public origin that the client addressed */
  readonly origin: Origin;
  /** effective request URI without query, as clients see it: what `htu` must equal. @see RFC 9449 §4.3 check 9 */
  readonly uri: string;
  readonly head: RequestHead;
  readonly framing: Framing;
  /** the protocol that the client asks for on this connection; undefined: an ordinary request */
  readonly upgrade: UpgradeProtocol | undefined;
  /** of the client; empty where it is not known: on a unix socket, or behind a front that does not tell */
  readonly remoteAddress: string;
  /** of the client */
  readonly certificate: PresentedCertificate | undefined;
}

export interface RequestRules extends HeadRules {
  readonly origins: Origins;
  /** public prefix that a front proxy strips; part of the effective URI. @see REQUIREMENTS G13 */
  readonly pathPrefix: string;
  readonly maxTargetBytes: number;
  readonly maxBodyBytes: number;
  /** a body on a method that gives it no meaning is refused. @see REQUIREMENTS B18 */
  readonly refuseUnexpectedBody: boolean;
  /** the name under which we stand in Via. @see RFC 9110 §7.6.3 */
  readonly pseudonym: string;
  readonly proxies: TrustedProxies;
  /** the listener speaks plain HTTP where others can reach it: nobody but trusted front proxies has business there */
  readonly frontsOnly: boolean;
}

/**
 * Checks that the message is one unambiguous HTTP/1.0 or 1.1 request to a configured origin, and freezes what it
 * says: of the client, where a trusted front speaks for it. Does not look at credentials (credentials.ts) or routes (policy/).
 *
 * @throws Denial for the whole of section A: peer_not_trusted, http_version_refused, target_*, path_ambiguous, header_*, host_*,
 *   framing_invalid, transfer_coding_unsupported, body_too_large, body_unexpected, upgrade_*, method_not_allowed, loop_detected;
 *   from a trusted front also forwarded_field_malformed, client_certificate_header_malformed
 * @see RFC 9112 §2-6; RFC 9110 §7
 */
export function parseRequest(message: RequestMessage, rules: RequestRules): RequestFacts {
  const { method, httpVersion, front } = message;
  if (rules.frontsOnly && front === undefined) throw new Denial('peer_not_trusted', message.remoteAddress);
  if (httpVersion !== '1.1' && httpVersion !== '1.0') throw new Denial('http_version_refused', httpVersion);
  const head = parseHead(message.rawHeaders, rules);
  const framing = parseFraming(head.values('transfer-encoding'), head.values('content-length'), {
    httpVersion,
    maxBodyBytes: rules.maxBodyBytes,
  });
  const { origins, proxies } = rules;
  const origin =
    front === undefined ? origins.select(head.values('host')) : selectForwardedOrigin(head, origins);
  checkMethod(message);
  if (rules.refuseUnexpectedBody && hasBody(framing) && isBodyUnexpected(method))
    throw new Denial('body_unexpected', method);
  checkExpectation(head);
  const upgrade = parseUpgrade(head, message, framing);
  checkVia(head, rules.pseudonym);
  const target = parseTarget(message.target, rules.maxTargetBytes);
  return Object.freeze({
    requestId: message.requestId,
    method,
    httpVersion,
    target,
    origin,
    uri: origin.uri + rules.pathPrefix + target.path,
    head,
    framing,
    upgrade,
    remoteAddress: front === undefined ? message.remoteAddress : findClientAddress(head, proxies),
    // Never that of the front's own connection: a token bound to it would pass for everybody who calls through the front.
    certificate: front === undefined ? message.certificate : front.certificates?.read(head),
  });
}

/** Methods that no route can allow: TRACE reflects credentials, CONNECT asks for a tunnel. @see REQUIREMENTS A20 */
export const neverForwarded: ReadonlySet<string> = new Set(['TRACE', 'CONNECT']);

function checkMethod({ method, target }: RequestMessage): void {
  if (neverForwarded.has(method)) throw new Denial('method_not_allowed', method);
  // `OPTIONS *` asks about the server as a whole; we offer it nothing, and no service may see it as a path (A06).
  if (target === '*' && method === 'OPTIONS') throw new Denial('method_not_allowed', 'OPTIONS *');
}

// Node tells apart only whether the word 100-continue occurs somewhere in it. @see RFC 9110 §10.1.1
function checkExpectation(head: RequestHead): void {
  const values = head.values('expect');
  if (values.length === 0) return;
  if (values.length > 1 || values[0]?.toLowerCase() !== '100-continue')
    throw new Denial('expectation_failed');
}

function checkVia(head: RequestHead, pseudonym: string): void {
  const via = head.values('via').filter((line) => line.includes(pseudonym));
  const passed = via
    .flatMap((line) => line.split(','))
    .some((entry) => entry.trim().split(/[ \t]+/)[1] === pseudonym);
  if (passed) throw new Denial('loop_detected');
}
