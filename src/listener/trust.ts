import { randomBytes, X509Certificate } from 'node:crypto';
import type { ServerOptions } from 'node:https';
import { createSecureContext, type TLSSocket } from 'node:tls';
import { ClientCas, causes, type Judgement } from '../pki/client-cas.js';
import { buildClientCert } from '../request/client-cert-field.js';
import type { PresentedCertificate } from '../request/client-certificate.js';
import { sha256Base64url } from '../support/digest.js';
import { hidesIntermediates, Intermediates } from './intermediates.js';
import { buildTlsOptions, endOf, type TlsOptions, withoutRequest } from './tls.js';
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
  readonly #cas: ClientCas;
  /** of connections that were accepted, so that no certificate is judged twice */
  readonly #judged = new WeakMap<TLSSocket, Judgement>();
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
    this.#createdAtMs = nowMs;
    const ends = [
      ...ca.map(endOf),
      ...crl.map(({ nextUpdateMs }) => nextUpdateMs ?? Number.POSITIVE_INFINITY),
    ];
    this.#endsAtMs = Math.min(...ends.filter((endsAtMs) => endsAtMs > nowMs));
    const isHeir = before !== undefined && this.isSameAs(before, nowMs);
    if (isHeir) this.#heirOf = before.#sessionContext;
    this.#intermediates = new Intermediates(isHeir ? before.#intermediates : undefined);
    this.serverOptions = buildTlsOptions(options, this.#sessionContext);
    this.unaskedOptions = withoutRequest(this.serverOptions);
    createSecureContext(this.serverOptions);
    this.#cas = new ClientCas(
      ca,
      crl.map(({ pem }) => pem),
    );
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
    let leaf: Buffer | undefined;
    try {
      session = sessionOf(socket);
      leaf = session?.certificate;
      // What OpenSSL cannot read again. It also clears OpenSSL's queue of errors.
      if (leaf !== undefined) new X509Certificate(leaf);
    } catch {
      return false; // An error here would end the process, and a stranger has chosen what is read.
    }
    if (session === undefined) return false;
    // The id of a context is random, and never sent in clear text.
    if (session.idContext !== this.#sessionContext && session.idContext !== this.#heirOf) return false;
    const judged = leaf && this.meaning === 'trust' ? this.#judge(socket, leaf, nowMs) : undefined;
    if (judged !== undefined) this.#judged.set(socket, judged);
    if (this.options.clientCertificates.mode !== 'required') return true;
    return leaf !== undefined && (this.meaning === 'possession' || judged?.trusted === true);
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
    const leaf = sessionOf(socket)?.certificate;
    if (leaf === undefined) return undefined;
    const thumbprint = sha256Base64url(leaf);
    if (this.meaning === 'possession') return { thumbprint, trusted: false, distrust: undefined };
    const judged = this.#judged.get(socket) ?? this.#judge(socket, leaf, nowMs);
    if (!judged.trusted) return { thumbprint, trusted: false, distrust: judged.cause };
    const { intermediates: others, notBeforeMs, notAfterMs } = judged;
    const fields = keepFields ? buildClientCert({ leaf, others }) : undefined;
    return { thumbprint, trusted: true, notBeforeMs, notAfterMs, fields };
  }

  /** Two verdicts, and both have to agree to trust: OpenSSL's in the handshake, and that of pki/ (J19). */
  #judge(socket: TLSSocket, leaf: Buffer, nowMs: number): Judgement {
    const { known } = this.#intermediates;
    if (!socket.authorized) {
      const cause = String(socket.authorizationError);
      if (cause !== 'UNSPECIFIED') return { trusted: false, cause };
      // Node has no word for what OpenSSL has found; ours may.
      const judged = this.#cas.judge(leaf, known, nowMs);
      return judged.trusted ? { trusted: false, cause } : judged;
    }
    if (hidesIntermediates(process.versions.node)) return this.#cas.judgeAlone(leaf, nowMs);
    const judged = this.#cas.judge(leaf, known, nowMs);
    if (judged.trusted && judged.notBeforeMs <= nowMs && nowMs < judged.notAfterMs) return judged;
    if (!judged.trusted && judged.cause !== causes.noIssuer) return judged;
    const sent = this.#intermediates.look(socket);
    if (sent.length === 0) return judged;
    const found = this.#cas.judge(leaf, [...known, ...sent], nowMs);
    if (found.trusted) this.#intermediates.remember(found.intermediates);
    return found;
  }
}

/** @returns undefined when the connection is gone */
function sessionOf(socket: TLSSocket): TlsSession | undefined {
  const session: Buffer | null | undefined = socket.getSession();
  return session ? parseTlsSession(session) : undefined;
}
