import type * as z from 'zod';
import type { SocketAddress } from '../support/bind.js';
import { isCidr } from './addresses.js';
import type { TrustedProxyConfig } from './config.js';
import type { Context } from './context.js';
import { choice, file, list, section, text } from './scalars.js';

const peerLegal = 'a CIDR such as 10.0.0.0/8 (not /0, and IPv4 written as IPv4), or unix';

const trustedProxySchema = section({
  from: list(text(peerLegal, isPeer), 'a list of at least one CIDR, or unix', 1).describe(
    'Where its connections come from. `unix`: whoever may connect to the unix socket in `listen.address`; guard it by the permissions of its folder.',
  ),
  clientCertificate: choice(['none', 'rfc9440', 'xfcc', 'nginx-escaped-pem', 'alb'])
    .prefault('none')
    .describe(
      'How it passes on the certificate of its client: `rfc9440` Client-Cert and Client-Cert-Chain; `xfcc` X-Forwarded-Client-Cert of Envoy; `nginx-escaped-pem` ssl-client-cert with `$ssl_client_escaped_cert`; `alb` X-Amzn-Mtls-Clientcert or -Leaf of AWS. `none`: its clients have none, and its own does not count as theirs.',
    ),
  ca: list(file('CA certificates in PEM'), 'a list of file names')
    .prefault([])
    .describe(
      'What such a certificate has to chain to. Empty: `listen.tls.clientCertificates.ca`; where that is empty too, its thumbprint is all that counts.',
    ),
});

export const trustedProxiesSchema = list(trustedProxySchema, 'a list of trusted proxies');

export function resolveTrustedProxies(
  settings: z.output<typeof trustedProxiesSchema>,
  address: SocketAddress,
  { files, report }: Context,
): TrustedProxyConfig[] {
  const isUnix = 'socketPath' in address;
  return settings.map(({ from, clientCertificate, ca }, index) => {
    const path = ['listen', 'trustedProxies', index];
    for (const [at, peer] of from.entries()) {
      if ((peer === 'unix') !== isUnix)
        report.illegal(
          [...path, 'from', at],
          isUnix ? 'unix, as listen.address is a unix socket' : 'a CIDR, as listen.address is no unix socket',
        );
    }
    if (clientCertificate === 'none' && ca.length > 0)
      report.problem([...path, 'ca'], 'has no effect with clientCertificate none; remove one of the two');
    return {
      from,
      clientCertificate,
      ca: files.readClientCas([...path, 'ca'], ca),
    };
  });
}

// Mapped into IPv6, an IPv4 range would look smaller than it is: ::ffff:0:0/96 is everybody.
function isPeer(value: string): boolean {
  return value === 'unix' || (isCidr(value) && !/^[0:]*:ffff:/i.test(value) && !/:.*\./.test(value));
}
