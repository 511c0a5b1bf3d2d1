import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

// A CA hierarchy has a handful; what is more than this is not remembered.
const maxKnown = 256;
// Each look costs the memory of what the client has sent, up to half a megabyte, for good.
const maxLooks = 64;
const maxPathLength = 8;

/**
 * Whether this release of Node does not tell a server which intermediates came with a client certificate: that one of them
 * has expired is then noticed with the next connection, not with the next request. Nor does it free what came with one that
 * is trusted: up to 1.5 MB for each handshake.
 * @param version - `process.versions.node`
 * @see https://github.com/nodejs/node/issues/65579
 */
export function hidesIntermediates(version: string): boolean {
  return /^(?:24\.21\.0|26\.8\.[0-9]+)$/.test(version);
}

/**
 * The intermediates below the configured CAs. A client sends them along with its certificate, and Node's only safe call to
 * see them never frees them (trust.ts). So they are looked at once: in the first handshake whose certificate nobody known
 * has issued. Only a holder of a certificate that OpenSSL trusts comes that far, and only with an intermediate that is new.
 *
 * Bounded: 256 intermediates and 64 looks in the life of a trust.
 */
export class Intermediates {
  readonly #known: Buffer[];
  #looks: number;

  /** @param before - of a trust in the same CAs, which goes on in this one */
  constructor(before?: Intermediates) {
    this.#known = before === undefined ? [] : [...before.#known];
    this.#looks = before === undefined ? 0 : before.#looks;
  }

  /** DER, each of which was judged to lead to a configured CA */
  get known(): readonly Buffer[] {
    return this.#known;
  }

  /**
   * What came with a certificate, in DER; nothing after 64 looks, or where Node does not tell.
   * @param socket - of a handshake in which OpenSSL has found a path from the leaf to a CA
   */
  look(socket: TLSSocket): readonly Buffer[] {
    if (this.#looks === maxLooks) return [];
    this.#looks++;
    const sent: Buffer[] = [];
    let next: X509Certificate | undefined = socket.getPeerX509Certificate()?.issuerCertificate;
    for (; next !== undefined && sent.length < maxPathLength; next = next.issuerCertificate)
      sent.push(next.raw);
    return sent;
  }

  /** @param path - intermediates of a certificate that was trusted */
  remember(path: readonly Buffer[]): void {
    for (const one of path) {
      if (this.#known.length < maxKnown && !this.#known.some((der) => der.equals(one))) this.#known.push(one);
    }
  }
}
