import { randomBytes, X509Certificate } from 'node:crypto';
import type { ServerOptions } from 'node:https';
import {
  createSecureContext,
  type DetailedPeerCertificate,
  type PeerCertificate,
  type TLSSocket,
} from 'node:tls';
import { buildClientCert } from '../request/client-cert-field.js';
import type { PresentedCertificate } from '../request/client-certificate.js';
import { sha256Base64url } from '../support/digest.js';
import { buildTlsOptions, type TlsOptions } from './tls.js';

/**
 * What a client certificate says: nothing, as none is asked for; that its key is held; or that it also chains to
 * a configured CA.
 */
export type CertificateMeaning = 'off' | 'possession' | 'trust';

// A resumed session has the verdict of its first handshake, on a chain that nobody sees again: not for long.
const maxTicketKeyAgeMs = 3_600_000;

/**
 * One TLS context and what its verdicts on client certificates rest on. Each has a session id context and ticket keys of
 * its own, so that no session of another one is resumed: OpenSSL keeps the verdict of the first handshake in the session,
 * and would repeat it after the CA was removed or the certificate revoked.
 * @see REQUIREMENTS J10, J14; RFC 8705 §7
 */
export class TlsTrust {
  readonly options: TlsOptions;
  readonly meaning: CertificateMeaning;
  /** everything that the listener is created with, and that has to be said again when its context is exchanged */
  readonly serverOptions: ServerOptions;
  readonly #sessionContext = randomBytes(16).toString('hex');
  /** of contexts before this one whose verdicts are the same */
  readonly #heirOf: string | undefined;
  readonly #anchors: readonly X509Certificate[];
  readonly #createdAtMs: number;
  /** when the first CA or revocation list ends */
  readonly #endsAtMs: number;

  /**
   * @param before - the one that it takes the place of
   * @throws Error from OpenSSL, when it refuses what the options hold
   */
  constructor(options: TlsOptions, nowMs: number, before?: TlsTrust) {
    const { mode, ca, crl } = options.clientCertificates;
    this.options = options;
    this.meaning = mode === 'off' ? 'off' : ca.length === 0 ? 'possession' : 'trust';
    this.#anchors = ca.map((pem) => new X509Certificate(pem));
    this.#createdAtMs = nowMs;
    const ends = [
      ...this.#anchors.map(({ validTo }) => Date.parse(validTo)),
      ...crl.map(({ nextUpdateMs }) => nextUpdateMs ?? Number.POSITIVE_INFINITY),
    ];
    this.#endsAtMs = Math.min(...ends.filter((endsAtMs) => endsAtMs > nowMs));
    if (before !== undefined && this.isSameAs(before, nowMs)) this.#heirOf = before.#sessionContext;
    this.serverOptions = buildTlsOptions(options, this.#sessionContext);
    createSecureContext(this.serverOptions);
  }

  /** Whether verdicts under the other one are still what they would be under this one. */
  isSameAs(other: TlsTrust, nowMs: number): boolean {
    const [one, two] = [this, other].map(({ options: { clientCertificates } }) =>
      JSON.stringify(clientCertificates),
    );
    return one === two && !other.hasEnded(nowMs);
  }

  /** A CA or a revocation list has come to its end: what rests on it has to be judged anew. */
  hasEnded(nowMs: number): boolean {
    return nowMs >= this.#endsAtMs;
  }

  isOld(nowMs: number): boolean {
    return nowMs - this.#createdAtMs >= maxTicketKeyAgeMs;
  }

  /**
   * Whether a connection may be used whose handshake is done. With mode `required` one without a certificate, or with
   * one that does not chain to the CAs, ends here: no byte of HTTP is read from it. `authorized` alone does not say
   * that there is a certificate: Node says so of every resumed TLS 1.3 session.
   *
   * To be called while `secureConnection` is emitted, as the certificate has to be taken then. OpenSSL leaves what it finds
   * wrong with a certificate among its errors (a signature, by the key of a CA or over a revocation list, that does not
   * verify). A client clears them, a server does not, and Node would take them for the end of the connection once this
   * returns. Node's call for the certificate clears them too.
   *
   * Fails closed: a handshake that began under other CAs or revocation lists is not taken, as its verdict is theirs.
   * Where the handshake goes on in a later piece than the certificate's, Node has ended the connection before this is called.
   */
  accepts(socket: TLSSocket): boolean {
    if (this.meaning === 'off') return true;
    const certificate = certificateOf(socket);
    if (!this.#isOfThis(socket)) return false;
    if (this.options.clientCertificates.mode !== 'required') return true;
    if (certificate === undefined) return false;
    return this.meaning === 'possession' || socket.authorized;
  }

  /** The session holds the id of the context that it was made in, which is random and never sent in clear text. */
  #isOfThis(socket: TLSSocket): boolean {
    const session = socket.getSession();
    if (session === undefined) return false;
    return (
      session.includes(this.#sessionContext) || (this.#heirOf !== undefined && session.includes(this.#heirOf))
    );
  }

  /**
   * What the connection proves about a certificate. Without configured CAs OpenSSL's verdict, against none or the
   * system's, means nothing, and neither do the dates: a certificate without a CA is a key with a name nobody vouches for.
   * @param keepFields - whether the service is to be told of a trusted certificate (RFC 9440)
   * @see RFC 8705 §3.1, §6.2; REQUIREMENTS J01, J05, J12, K03, K09
   */
  capture(
    socket: TLSSocket,
    { keepFields, nowMs }: { keepFields: boolean; nowMs: number },
  ): PresentedCertificate | undefined {
    if (this.meaning === 'off') return undefined;
    const raw = certificateOf(socket);
    if (raw === undefined) return undefined;
    const thumbprint = sha256Base64url(raw);
    if (this.meaning === 'possession') return { thumbprint, trusted: false, distrust: undefined };
    if (!socket.authorized)
      return { thumbprint, trusted: false, distrust: String(socket.authorizationError) };
    const others = this.#intermediatesOf(socket);
    const fields = keepFields
      ? buildClientCert({ leaf: raw, others: others.map((other) => other.raw) })
      : undefined;
    const validity = this.#validity(new X509Certificate(raw), others, nowMs);
    return { thumbprint, trusted: true, ...validity, fields };
  }

  /**
   * Within what time the verdict holds: that of the certificate and of the intermediates that came with it, up to the first
   * that a configured CA vouches for. Decides nothing about trust, it can only end it; CAs are watched by `hasEnded`.
   *
   * Of several intermediates with one name Node tells the first. One that is out of date now is not the one that OpenSSL has
   * gone by, and says nothing.
   */
  #validity(
    leaf: X509Certificate,
    others: readonly X509Certificate[],
    nowMs: number,
  ): { notBeforeMs: number; notAfterMs: number } {
    const validity = datesOf(leaf);
    for (const [index, one] of [leaf, ...others].entries()) {
      const { notBeforeMs, notAfterMs } = datesOf(one);
      if (index > 0 && notBeforeMs <= nowMs && nowMs < notAfterMs) {
        validity.notBeforeMs = Math.max(validity.notBeforeMs, notBeforeMs);
        validity.notAfterMs = Math.min(validity.notAfterMs, notAfterMs);
      }
      if (this.#anchors.some((anchor) => one.checkIssued(anchor))) break;
    }
    return validity;
  }

  /**
   * The certificates that lead from the client's own to a configured CA, as far as the client has sent them: each vouches for
   * the one before. What else came along is left out. A resumed session has none of them.
   *
   * Node takes those that the client did not send from our CAs.
   */
  #intermediatesOf(socket: TLSSocket): X509Certificate[] {
    const found: X509Certificate[] = [];
    // Null on a closed socket.
    const own: Partial<DetailedPeerCertificate> | null = socket.getPeerCertificate(true);
    for (let last = own, next = own?.issuerCertificate; next !== undefined && next !== last; ) {
      const one = new X509Certificate(next.raw);
      if (this.#anchors.some(({ raw }) => raw.equals(one.raw))) break;
      found.push(one);
      last = next;
      next = next.issuerCertificate;
    }
    return found;
  }
}

/**
 * The client's own certificate in DER, as long as the connection is there. By Node's older call: the newer one,
 * `getPeerX509Certificate`, takes the others that came along out of OpenSSL's list and frees them never, up to 100 KB
 * of encoded certificates for each handshake that anybody makes.
 */
function certificateOf(socket: TLSSocket): Buffer | undefined {
  // Without a certificate the object is empty, and on a closed socket it is null, whatever its type says.
  const told: Partial<PeerCertificate> | null = socket.getPeerCertificate();
  return told?.raw;
}

/** ms since the epoch */
function datesOf({ validFrom, validTo }: X509Certificate): { notBeforeMs: number; notAfterMs: number } {
  return { notBeforeMs: Date.parse(validFrom), notAfterMs: Date.parse(validTo) };
}
