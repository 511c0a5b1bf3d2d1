import { contentOf, parseElements, tags } from '../pki/der.js';

/** What a TLS session tells about the handshake that made it, which may be an earlier one. */
export interface TlsSession {
  /** the client's own certificate in DER; undefined when it showed none */
  readonly certificate: Buffer | undefined;
  /** of the context in which the handshake was made */
  readonly idContext: string;
}

// The members of SSL_SESSION that are read here, each with an explicit tag (OpenSSL, ssl/ssl_asn1.c).
const peerTag = 0xa3;
const idContextTag = 0xa4;

/**
 * Reads the client's certificate from the session instead of asking Node for it. Node has two calls for that, and a
 * stranger can use both against the process: `getPeerCertificate` ends it with SIGSEGV on Node 24 and 26 for a key on a
 * curve without a NIST name, and follows issuers by name without end; `getPeerX509Certificate` never frees the other
 * certificates that the client has sent.
 *
 * @param session - from `TLSSocket.getSession()`: made by OpenSSL, not by the client
 * @throws RangeError when OpenSSL writes sessions in another form than it does today
 * @see REQUIREMENTS J01, J17
 */
export function parseTlsSession(session: Buffer): TlsSession {
  const [whole] = parseElements(session);
  const members = parseElements(contentOf(whole, tags.sequence));
  const [idContext] = parseElements(
    contentOf(
      members.find(({ tag }) => tag === idContextTag),
      idContextTag,
    ),
  );
  return {
    certificate: members.find(({ tag }) => tag === peerTag)?.content,
    idContext: contentOf(idContext, tags.octetString).toString('latin1'),
  };
}
