import type { IssuedCertificate } from '../support/certificates.js';
import { authority } from '../support/sidecar.js';
import type { Case } from './cases.js';
import { type Cast, fronts, origins, pathPrefix } from './deployment.js';
import type { Told } from './front-fields.js';
import type { RequestMessage } from './message.js';

/** Who and what stands behind a request, read apart from the product: by the connection, or by what its front says. */
export interface Vouched {
  /** with which it came; undefined: none, or one that is not trusted */
  readonly certificate: IssuedCertificate | undefined;
  /** of the client; empty: not known */
  readonly address: string;
  readonly origin: string;
  /** what stands before the path in `htu` */
  readonly prefix: string;
  /** of the front; undefined: Holdfast makes one */
  readonly requestId: string | undefined;
}

export interface Testimony {
  readonly cast: Cast;
  readonly told: ReadonlyMap<string, Told>;
}

/** @returns why nothing may be forwarded; or what the request has to be taken for */
export function readVouched(message: RequestMessage, one: Case, known: Testimony): Vouched | string {
  const { listening, peer, certificateOf } = one;
  const isFront = listening === 'front' && fronts.has(peer);
  const single = (name: string): string | undefined | null => {
    const [value, ...more] = isFront ? message.all(name) : [];
    return more.length > 0 ? null : value;
  };
  const [proto, host, id] = ['x-forwarded-proto', 'x-forwarded-host', 'x-request-id'].map(single);
  if (proto === null || host === null) return 'the front contradicts itself';
  const addressed = (host ?? message.all('host')[0] ?? '').toLowerCase();
  const origin = origins[listening].find((candidate) => {
    const [scheme, name] = candidate.split('://');
    const port = scheme === 'https' ? 443 : 80;
    const isScheme = proto === undefined || proto.toLowerCase() === scheme;
    return isScheme && (addressed === name || addressed === `${name}:${port}`);
  });
  if (origin === undefined) return `nobody serves ${addressed}`;
  const own = known.cast.callers[certificateOf ?? -1]?.certificate;
  return {
    certificate: isFront ? readCertificate(message, peer, known) : own,
    address: isFront ? readAddress(message) : peer,
    origin,
    prefix: pathPrefix[listening],
    requestId: id && /^[\x21-\x7e]{1,128}$/.test(id) ? id : undefined,
  };
}

/** The last hop that is no front: whoever is left of it may have been made up. */
function readAddress({ all }: RequestMessage): string {
  const hops = all('x-forwarded-for')
    .join()
    .split(',')
    .map((hop) => hop.trim().replace(/^\[(.*)\](?::\d+)?$|^([\d.]+):\d+$/, '$1$2'));
  return hops.findLast((hop) => !fronts.has(hop)) ?? hops[0] ?? '';
}

function readCertificate(
  { all }: RequestMessage,
  peer: string,
  { cast, told }: Testimony,
): Vouched['certificate'] {
  const isXfcc = fronts.get(peer) === 'xfcc';
  const text = all(isXfcc ? 'x-forwarded-client-cert' : 'client-cert').join();
  if (isXfcc && told.has(text)) return told.get(text);
  // Of a field that was changed on the way: the first certificate of its last element that has one.
  const plain = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const encoded = isXfcc
    ? (/.*(?:Cert|^(?!.*Cert=).*Chain)="[^"]*?-----\n([^"-]*)/is.exec(plain)?.[1] ?? '')
    : plain;
  const der = Buffer.from(encoded.replaceAll(':', ''), 'base64');
  return cast.certificates.find((one) => one.der.equals(der));
}

/** @returns what the service is told of it */
export function hostOf({ origin }: Vouched): { readonly scheme: string; readonly host: string } {
  const [scheme = '', host = authority] = origin.split('://');
  return { scheme, host };
}
