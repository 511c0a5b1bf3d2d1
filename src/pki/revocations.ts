import { type Certificate, usages } from './certificate.js';
import type { Path } from './path.js';
import { byAge, parseRevocationList, type RevocationList } from './revocation-list.js';
import { isSignedBy } from './signature.js';

/** Within what time the lists that were looked at are the ones to look at; or what is wrong by them. */
export type RevocationFinding =
  | { readonly fault?: undefined; readonly notBeforeMs: number; readonly notAfterMs: number }
  | { readonly fault: string };

/** Whether this CA, by its name, its key and its key usage, has signed the list. @see RFC 5280 §6.3.3 (f), (g) */
export function isListOf({ issuer, signed }: RevocationList, ca: Certificate): boolean {
  return (
    issuer === ca.subject && ca.keyFault === undefined && maySignLists(ca) && isSignedBy(signed, ca.key())
  );
}

export function maySignLists({ keyUsage }: Certificate): boolean {
  return keyUsage === undefined || (keyUsage & usages.crlSign) !== 0;
}

/**
 * The revocation lists of the configuration.
 *
 * Fails closed: once there is a list, every certificate of a path needs one of its issuer that is in force, the root's
 * included, as with OpenSSL.
 * @see RFC 5280 §6.3; REQUIREMENTS J15, J18
 */
export class Revocations {
  readonly #byIssuer = new Map<string, RevocationList[]>();
  /** lists by the certificate of the CA that signed them: verified once */
  readonly #verified = new WeakMap<Certificate, RevocationList[]>();

  /** @param lists - DER that the configuration has found usable */
  constructor(lists: readonly Buffer[]) {
    for (const list of lists.map(parseRevocationList).toSorted(byAge))
      this.#byIssuer.set(list.issuer, [...(this.#byIssuer.get(list.issuer) ?? []), list]);
  }

  /** @returns undefined where revocation is not checked */
  check(path: Path, nowMs: number): RevocationFinding | undefined {
    if (this.#byIssuer.size === 0) return undefined;
    let [notBeforeMs, notAfterMs] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (const [depth, certificate] of path.entries()) {
      const lists = this.#listsOf(path[depth + 1] ?? certificate);
      const coming = lists.findLast(({ thisUpdateMs }) => thisUpdateMs > nowMs);
      const list = lists.find(({ thisUpdateMs }) => thisUpdateMs <= nowMs) ?? coming;
      if (list === undefined) return { fault: 'UNABLE_TO_GET_CRL' };
      if (list.nextUpdateMs <= nowMs) return { fault: 'CRL_HAS_EXPIRED' };
      const equals = lists.filter((one) => byAge(one, list) === 0);
      if (equals.some(({ serials }) => serials.has(certificate.serial))) return { fault: 'CERT_REVOKED' };
      notBeforeMs = Math.max(notBeforeMs, list.thisUpdateMs);
      const next = coming === list ? undefined : coming?.thisUpdateMs;
      notAfterMs = Math.min(notAfterMs, list.nextUpdateMs, next ?? Number.POSITIVE_INFINITY);
    }
    return { notBeforeMs, notAfterMs };
  }

  #listsOf(ca: Certificate): RevocationList[] {
    let lists = this.#verified.get(ca);
    if (lists === undefined) {
      lists = (this.#byIssuer.get(ca.subject) ?? []).filter((list) => isListOf(list, ca));
      this.#verified.set(ca, lists);
    }
    return lists;
  }
}
