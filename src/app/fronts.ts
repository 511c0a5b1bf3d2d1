import type { Config } from '../config/config.js';
import { ClientCas } from '../proof/certificate-path.js';
import type { CertificateJudge } from '../request/client-certificate.js';
import { FrontCertificates } from '../request/front-certificates.js';
import { TrustedProxies } from '../request/trusted-proxies.js';

/**
 * Makes the front proxies of the configuration.
 * @param listenerCas - PEM, of the listener's own client certificates, as they are in force: they can be exchanged while
 *   it runs, and what a proxy passes on is then held against the new ones
 */
export function createTrustedProxies(
  { listen, identity }: Pick<Config, 'listen' | 'identity'>,
  listenerCas: () => readonly string[],
): TrustedProxies {
  const keepFields = identity.clientCertificate === 'rfc9440';
  const judgeOfListener = judgeBy(listenerCas);
  return new TrustedProxies(
    listen.trustedProxies.map(({ from, clientCertificate: dialect, ca }) => {
      if (dialect === 'none') return { from, certificates: undefined };
      const judge = ca.length === 0 ? judgeOfListener : judgeBy(() => ca);
      return { from, certificates: new FrontCertificates({ dialect, judge, keepFields }) };
    }),
  );
}

/** @returns the judge by the CAs that are in force, a new one when they are others; undefined where there are none */
function judgeBy(cas: () => readonly string[]): () => CertificateJudge | undefined {
  let current: readonly string[] = [];
  let judge: CertificateJudge | undefined;
  return () => {
    const now = cas();
    if (now === current) return judge;
    const anchors = now.length === 0 ? undefined : new ClientCas(now);
    judge = anchors && ((leaf, others) => anchors.judge(leaf, others));
    // Last: CAs that cannot be read are tried anew, and never judged by those before them.
    current = now;
    return judge;
  };
}
