import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { isIssuer } from '../proof/certificate-path.js';

// A CA hierarchy has a handful; what is more than this is not remembered.
const maxKnown = 256;
// Each look costs the memory of what the client has sent, up to half a megabyte, for good.
const maxLooks = 64;
const maxPathLength = 8;

/**
 * The intermediates below the configured CAs. A client sends them along with its certificate, and Node's only safe call to
 * see them never frees them (trust.ts). So they are looked at once: in the first handshake whose certificate nobody known
 * has issued. Only a holder of a trusted certificate comes that far, and only with an intermediate that is new.
 *
 * Bounded: 256 intermediates and 64 looks in the life of a trust.
 */
export class Intermediates {
  readonly #anchors: readonly X509Certificate[];
  readonly #known: X509Certificate[];
  #looks: number;

  /** @param before - of a trust in the same CAs, which goes on in this one */
  constructor(anchors: readonly X509Certificate[], before?: Intermediates) {
    this.#anchors = anchors;
    this.#known = before === undefined ? [] : [...before.#known];
    this.#looks = before === undefined ? 0 : before.#looks;
  }

  /**
   * @param socket - of a handshake in which OpenSSL has found a path from the leaf to a CA
   * @param nowMs - a known intermediate that is out of date by then does not keep its successor from being learned
   */
  learn(leaf: X509Certificate, socket: TLSSocket, nowMs: number): void {
    if (this.#looks === maxLooks || this.#pathOf(leaf, nowMs) !== undefined) return;
    this.#looks++;
    const sent: X509Certificate[] = [];
    let next = socket.getPeerX509Certificate()?.issuerCertificate;
    for (; next !== undefined && sent.length < maxPathLength; next = next.issuerCertificate) sent.push(next);
    // From the one next to a CA down: each is believed for the one before.
    for (const one of sent.reverse()) {
      const isNew = !this.#known.some(({ raw }) => raw.equals(one.raw));
      if (isNew && this.#known.length < maxKnown && this.#pathOf(one, nowMs) !== undefined)
        this.#known.push(one);
    }
  }

  /**
   * The intermediates between the leaf and the first configured CA, each of which has signed the one before. Empty also
   * where they are not known: after 64 looks, or where Node does not tell them (cli/runtime.ts warns at start).
   */
  pathOf(leaf: X509Certificate, nowMs: number): readonly X509Certificate[] {
    return this.#pathOf(leaf, nowMs) ?? [];
  }

  #pathOf(leaf: X509Certificate, nowMs: number): X509Certificate[] | undefined {
    const path: X509Certificate[] = [];
    let last = leaf;
    while (!this.#anchors.some((anchor) => isIssuer(anchor, last))) {
      const issuer = this.#known.find((one) => isIssuer(one, last) && isInForce(one, nowMs));
      if (issuer === undefined || path.length === maxPathLength) return undefined;
      path.push(issuer);
      last = issuer;
    }
    return path;
  }
}

function isInForce({ validFrom, validTo }: X509Certificate, nowMs: number): boolean {
  return Date.parse(validFrom) <= nowMs && nowMs < Date.parse(validTo);
}
