import { X509Certificate } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { Denial } from '../denial/denial.js';
import type { Clock } from '../support/clock.js';
import { sha256Base64url } from '../support/digest.js';
import { buildClientCert, parseClientCert } from './client-cert-field.js';
import type { CertificateChain, CertificateJudge, PresentedCertificate } from './client-certificate.js';
import { parseEscapedPem } from './escaped-pem.js';
import { type RequestHead, valuesOf } from './head.js';
import { parseXfcc } from './xfcc.js';

/** How a front proxy writes down the certificate of its client. */
export type CertificateDialect = 'rfc9440' | 'xfcc' | 'nginx-escaped-pem' | 'alb';

export interface FrontCertificatesOptions {
  readonly dialect: CertificateDialect;
  /** of the CAs that are in force now, another one whenever they change; undefined: none, possession is all that counts */
  readonly judge: () => CertificateJudge | undefined;
  /** whether the service is to be told of trusted certificates (RFC 9440) */
  readonly keepFields: boolean;
  readonly clock: Clock;
}

/** What a header was found to say. */
interface Known {
  readonly certificate: PresentedCertificate;
  /** whether it was trusted, and that was true at the time: once it no longer is, there may be another path or list */
  readonly wasInForce: boolean;
}

// A front sends the same certificate with every request of a client. Whoever has many certificates makes reading them
// slower, not impossible.
const maxKnown = 256;
const maxCharacters = 32 * 1024;
const maxCertificates = 8;

/**
 * Reads client certificates from the header of one kind of trusted front proxy. That the front speaks the truth about
 * the handshake is what trusting it means; that the certificate is one, and chains to the configured CAs, is checked
 * here again, because fronts are often told to let any certificate through.
 *
 * Fails closed: a header that is not exactly one certificate in this dialect refuses the request. Taken for absent
 * it would let a front that was set up wrongly go unnoticed, and guessed at it could be somebody's template.
 */
export class FrontCertificates {
  readonly #options: FrontCertificatesOptions;
  readonly #known = new LRUCache<string, Known>({ max: maxKnown });
  /** whose verdicts those are */
  #judge: CertificateJudge | undefined;

  constructor(options: FrontCertificatesOptions) {
    this.#options = options;
  }

  /**
   * @returns undefined when the front says that its client had none: no field, or an empty one
   * @throws Denial client_certificate_header_malformed
   */
  read(head: RequestHead): PresentedCertificate | undefined {
    const { leaf, chain } = fieldsOf[this.#options.dialect];
    const sent = valuesOf(head, leaf);
    // Empty lines count: a front that adds its own to what the client sent has not overwritten it.
    if (sent.length > 1) throw malformed(`${sent.length} ${leaf} fields`);
    const value = sent[0] === '' ? undefined : sent[0];
    const lines = chain === undefined ? [] : valuesOf(head, chain);
    const beside = lines.some((line) => line !== '') ? lines : [];
    if (value === undefined && beside.length === 0) return undefined;
    const key = beside.length === 0 ? (value ?? '') : `${value ?? ''}\n${beside.join('\n')}`;
    const judge = this.#options.judge();
    if (judge !== this.#judge) this.#known.clear();
    this.#judge = judge;
    const known = this.#known.get(key);
    const nowMs = this.#options.clock.nowMs();
    if (known !== undefined && (!known.wasInForce || isInForce(known.certificate, nowMs)))
      return known.certificate;
    if (key.length > maxCharacters) throw malformed(`${key.length} characters`);
    const certificate = this.#study(parse[this.#options.dialect](value, beside), judge, nowMs);
    this.#known.set(key, { certificate, wasInForce: isInForce(certificate, nowMs) });
    return certificate;
  }

  #study(
    chain: CertificateChain | undefined,
    judge: CertificateJudge | undefined,
    nowMs: number,
  ): PresentedCertificate {
    const { dialect, keepFields } = this.#options;
    if (chain === undefined) throw malformed(`not one certificate as ${dialect} has it`);
    if (chain.others.length >= maxCertificates) throw malformed(`more than ${maxCertificates} certificates`);
    for (const der of [chain.leaf, ...chain.others]) checkIsCertificate(der);
    const thumbprint = sha256Base64url(chain.leaf);
    if (judge === undefined) return { thumbprint, trusted: false, distrust: undefined };
    const judged = judge(chain.leaf, chain.others, nowMs);
    if (!judged.trusted) return { thumbprint, trusted: false, distrust: judged.cause };
    const { intermediates: others, notBeforeMs, notAfterMs } = judged;
    // L10: of what was sent, the path that was judged, and nothing else.
    const fields = keepFields ? { fields: buildClientCert({ leaf: chain.leaf, others }) } : {};
    return { thumbprint, trusted: true, notBeforeMs, notAfterMs, ...fields };
  }
}

function isInForce(certificate: PresentedCertificate, nowMs: number): boolean {
  return certificate.trusted && certificate.notBeforeMs <= nowMs && nowMs < certificate.notAfterMs;
}

/** Where each dialect has the certificate, and what it has beside it. One name each: a second one is a second way in. */
const fieldsOf: Readonly<Record<CertificateDialect, { leaf: string; chain?: string }>> = {
  rfc9440: { leaf: 'client-cert', chain: 'client-cert-chain' },
  xfcc: { leaf: 'x-forwarded-client-cert' },
  // The name that the ingress controller of nginx uses, and that servers behind nginx look for.
  'nginx-escaped-pem': { leaf: 'ssl-client-cert' },
  // Verify mode names the leaf, passthrough mode sends the whole chain in the other field.
  alb: { leaf: 'x-amzn-mtls-clientcert-leaf', chain: 'x-amzn-mtls-clientcert' },
};

type Parse = (value: string | undefined, beside: readonly string[]) => CertificateChain | undefined;

const parse: Readonly<Record<CertificateDialect, Parse>> = {
  rfc9440: (value, chain) => (value === undefined ? undefined : parseClientCert(value, chain)),
  xfcc: (value = '') => parseXfcc(value),
  'nginx-escaped-pem': (value = '') => single(parseEscapedPem(value, { plain: false })),
  alb: parseAlb,
};

/** A load balancer is in one mode: both fields at once mean that one of them came from the client. */
function parseAlb(leaf: string | undefined, chains: readonly string[]): CertificateChain | undefined {
  const [chain] = chains;
  if (leaf !== undefined)
    return chain === undefined ? single(parseEscapedPem(leaf, { plain: true })) : undefined;
  if (chain === undefined || chains.length > 1) return undefined;
  const [first, ...others] = parseEscapedPem(chain, { plain: true }) ?? [];
  return first && { leaf: first, others };
}

function single(certificates: readonly Buffer[] | undefined): CertificateChain | undefined {
  const [leaf, ...more] = certificates ?? [];
  return leaf === undefined || more.length > 0 ? undefined : { leaf, others: [] };
}

function checkIsCertificate(der: Buffer): void {
  let certificate: X509Certificate | undefined;
  try {
    certificate = new X509Certificate(der);
  } catch {
    throw malformed('no X.509 certificate');
  }
  // OpenSSL takes PEM where DER is meant, and overlooks what follows the certificate; the thumbprint would not.
  if (!certificate.raw.equals(der)) throw malformed('not exactly one certificate in DER');
}

function malformed(detail: string): Denial {
  return new Denial('client_certificate_header_malformed', detail);
}
