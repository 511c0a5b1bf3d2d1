import type { Config } from '../config/config.js';
import { ClientCas } from '../pki/client-cas.js';
import type { CertificateJudge } from '../request/client-certificate.js';
import { FrontCertificates } from '../request/front-certificates.js';
import { TrustedProxies } from '../request/trusted-proxies.js';
import type { Clock } from '../support/clock.js';

/** CAs and revocation lists in PEM. */
export interface ClientTrust {
  readonly ca: readonly string[];
  readonly crl: readonly { readonly pem: string }[];
}

const none: ClientTrust = { ca: [], crl: [] };

/**
 * Makes the front proxies of the configuration.
 * @param listenerTrust - of the listener's own client certificates, as it is in force, undefined without TLS: it can be
 *   exchanged while it runs, and what a proxy passes on is then held against the new one
 */
export function createTrustedProxies(
  { listen, identity }: Pick<Config, 'listen' | 'identity'>,
  { listenerTrust, clock }: { listenerTrust: () => ClientTrust | undefined; clock: Clock },
): TrustedProxies {
  const keepFields = identity.clientCertificate === 'rfc9440';
  const judgeOfListener = judgeBy(() => listenerTrust() ?? none);
  return new TrustedProxies(
    listen.trustedProxies.map(({ from, clientCertificate: dialect, ca }) => {
      if (dialect === 'none') return { from, certificates: undefined };
      const own: ClientTrust = { ca, crl: [] };
      const judge = ca.length === 0 ? judgeOfListener : judgeBy(() => own);
      return { from, certificates: new FrontCertificates({ dialect, judge, keepFields, clock }) };
    }),
  );
}

/** @returns the judge by the CAs and lists that are in force, a new one when they are others; undefined where there are none */
function judgeBy(trust: () => ClientTrust): () => CertificateJudge | undefined {
  let current = none;
  let judge: CertificateJudge | undefined;
  return () => {
    const now = trust();
    if (now === current) return judge;
    const crl = now.crl.map(({ pem }) => pem);
    const cas = now.ca.length === 0 ? undefined : new ClientCas(now.ca, crl);
    judge = cas && ((leaf, others, nowMs) => cas.judge(leaf, others, nowMs));
    // Last: CAs that cannot be read are tried anew, and never judged by those before them.
    current = now;
    return judge;
  };
}
