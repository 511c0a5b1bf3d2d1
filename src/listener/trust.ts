import { randomBytes, X509Certificate } from 'node:crypto';
import type { ServerOptions } from 'node:https';
import { createSecureContext, type TLSSocket } from 'node:tls';
import { buildClientCert } from '../request/client-cert-field.js';
import type { PresentedCertificate } from '../request/client-certificate.js';
import { sha256Base64url } from '../support/digest.js';
import { Intermediates } from './intermediates.js';
import { buildTlsOptions, type TlsOptions, withoutRequest } from './tls.js';
import { parseTlsSession, type TlsSession } from './tls-session.js';

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
  /** the same for connections that are not asked for a certificate */
  readonly unaskedOptions: ServerOptions;
  readonly #sessionContext = randomBytes(16).toString('hex');
  /** of contexts before this one whose verdicts are the same */
  readonly #heirOf: string | undefined;
  readonly #intermediates: Intermediates;
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
    const anchors = ca.map((pem) => new X509Certificate(pem));
    this.#createdAtMs = nowMs;
    const ends = [
      ...anchors.map(({ validTo }) => Date.parse(validTo)),
      ...crl.map(({ nextUpdateMs }) => nextUpdateMs ?? Number.POSITIVE_INFINITY),
    ];
    this.#endsAtMs = Math.min(...ends.filter((endsAtMs) => endsAtMs > nowMs));
    const isHeir = before !== undefined && this.isSameAs(before, nowMs);
    if (isHeir) this.#heirOf = before.#sessionContext;
    this.#intermediates = new Intermediates(anchors, isHeir ? before.#intermediates : undefined);
    this.serverOptions = buildTlsOptions(options, this.#sessionContext);
    this.unaskedOptions = withoutRequest(this.serverOptions);
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
   * To be called while `secureConnection` is emitted. OpenSSL leaves what it finds wrong with a certificate in its queue of
   * errors (a signature, by the key of a CA or over a revocation list, that does not verify). A client clears the queue, a
   * server does not, and Node would take what is left for the end of the connection once this returns. Reading the
   * certificate clears it.
   *
   * Fails closed: a handshake that began under other CAs or revocation lists is not taken, as its verdict is theirs.
   * Where the handshake goes on in a later piece than the certificate's, Node has ended the connection before this is called.
   */
  accepts(socket: TLSSocket, nowMs: number): boolean {
    if (this.meaning === 'off') return true;
    let session: TlsSession | undefined;
    let leaf: X509Certificate | undefined;
    try {
      session = sessionOf(socket);
      leaf = readCertificate(session?.certificate);
    } catch {
      return false; // An error here would end the process, and a stranger has chosen what is read.
    }
    if (session === undefined) return false;
    // The id of a context is random, and never sent in clear text.
    if (session.idContext !== this.#sessionContext && session.idContext !== this.#heirOf) return false;
    if (leaf !== undefined && socket.authorized && this.meaning === 'trust')
      this.#intermediates.learn(leaf, socket, nowMs);
    if (this.options.clientCertificates.mode !== 'required') return true;
    return leaf !== undefined && (this.meaning === 'possession' || socket.authorized);
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
    const leaf = readCertificate(sessionOf(socket)?.certificate);
    if (leaf === undefined) return undefined;
    const thumbprint = sha256Base64url(leaf.raw);
    if (this.meaning === 'possession') return { thumbprint, trusted: false, distrust: undefined };
    if (!socket.authorized)
      return { thumbprint, trusted: false, distrust: String(socket.authorizationError) };
    const path = this.#intermediates.pathOf(leaf, nowMs);
    const fields = keepFields
      ? buildClientCert({ leaf: leaf.raw, others: path.map(({ raw }) => raw) })
      : undefined;
    const dates = [leaf, ...path].map(datesOf);
    return {
      thumbprint,
      trusted: true,
      notBeforeMs: Math.max(...dates.map(({ notBeforeMs }) => notBeforeMs)),
      notAfterMs: Math.min(...dates.map(({ notAfterMs }) => notAfterMs)),
      fields,
    };
  }
}

/** @returns undefined when the connection is gone */
function sessionOf(socket: TLSSocket): TlsSession | undefined {
  const session: Buffer | null | undefined = socket.getSession();
  return session ? parseTlsSession(session) : undefined;
}

/** @throws Error from OpenSSL, when it cannot read again what it has read in the handshake */
function readCertificate(der: Buffer | undefined): X509Certificate | undefined {
  return der && new X509Certificate(der);
}

/** ms since the epoch */
function datesOf({ validFrom, validTo }: X509Certificate): { notBeforeMs: number; notAfterMs: number } {
  return { notBeforeMs: Date.parse(validFrom), notAfterMs: Date.parse(validTo) };
}
