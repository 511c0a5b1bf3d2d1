import type * as z from 'zod';
import type { Binding, SocketAddress } from '../support/bind.js';
import { formatSocketAddress, isLoopback, isOrigin, isPlainUrl, parseSocketAddress } from './addresses.js';
import type { ListenConfig, ListenTlsConfig } from './config.js';
import type { Context } from './context.js';
import type { Path } from './path.js';
import { readRevocationLists } from './revocation.js';
import {
  choice,
  choiceOrOff,
  duration,
  file,
  integer,
  list,
  section,
  size,
  text,
  written,
} from './scalars.js';
import { resolveTrustedProxies, trustedProxiesSchema } from './trusted-proxies.js';

const originLegal =
  'scheme://host[:port] in lower-case ASCII (an international name as its xn-- form), without path';

/** A TCP address or a unix socket to listen on. */
export function socketAddress() {
  const legal = 'host:port, [ipv6]:port or unix:/path.sock (at most 107 bytes)';
  return written<SocketAddress>({ legal }, /^[^\s]+$/, {
    parse: parseSocketAddress,
    format: formatSocketAddress,
  });
}

const defaultSocketMode = '0600';

/** The permission bits of a unix socket to listen on. */
export function socketMode() {
  const legal = 'four octal digits in quotes, "0600" at least and "0777" at most';
  return written<number>({ legal }, /^0[67][0-7]{2}$/, {
    parse: (digits) => Number.parseInt(digits, 8),
    format: (mode) => mode.toString(8).padStart(4, '0'),
  }).prefault(defaultSocketMode);
}

/** @param path - of the section that has both options */
export function checkSocketMode(path: Path, { address, socketMode }: Binding, { report }: Context): void {
  if ('host' in address && socketMode !== Number.parseInt(defaultSocketMode, 8))
    report.problem([...path, 'socketMode'], 'has no effect: the address is no unix socket');
}

const clientCertificatesSchema = section({
  mode: choiceOrOff(['off', 'optional', 'required'])
    .prefault('optional')
    .describe(
      'Whether clients are asked for a certificate; `required` refuses in the handshake those who send none.',
    ),
  ca: list(file('CA certificates in PEM'), 'a list of file names')
    .prefault([])
    .describe(
      'Empty: any certificate completes the handshake and proves possession by its thumbprint, nothing more. Set: only certificates that chain to these count.',
    ),
  crl: list(file('certificate revocation lists in PEM'), 'a list of file names')
    .prefault([])
    .describe(
      'Empty: revocation is not checked. Set: every CA of a chain, the root included, needs a list that is not out of date, or the certificate does not count. Holds over TLS, and for what trusted proxies without a `ca` of their own pass on. Complete lists of one CA only: delta, partitioned and indirect ones are refused. Only together with `ca`.',
    ),
});

const tlsSchema = section({
  certificate: file('a certificate chain in PEM, leaf first').describe('Certificate of the listener.'),
  key: file('an unencrypted private key in PEM').describe('Private key of the certificate.'),
  minVersion: choice(['TLSv1.2', 'TLSv1.3'])
    .prefault('TLSv1.2')
    .describe('Lowest TLS version that is spoken.'),
  clientCertificates: clientCertificatesSchema.prefault({}),
});

const limitsSchema = section({
  headerBytes: size({ min: '1KiB', max: '1MiB' }).prefault('16KiB').describe('Longest request head.'),
  headerCount: integer(10, 1000).prefault(100).describe('Most header fields in a request.'),
  targetBytes: size({ min: '128B', max: '64KiB' }).prefault('8KiB').describe('Longest request target.'),
  bodyBytes: size({ min: '0B', max: '1024GiB', unlimited: true })
    .prefault('unlimited')
    .describe('Longest request body.'),
  headersTimeout: duration({ min: '10ms', max: '5m' })
    .prefault('10s')
    .describe('Time for the whole request head.'),
  requestTimeout: duration({ min: '10ms', max: '24h', unlimited: true })
    .prefault('5m')
    .describe('Time for head and body to arrive; `unlimited` where uploads are slow.'),
  idleTimeout: duration({ min: '10ms', max: '1h' })
    .prefault('65s')
    .describe('How long a kept-alive connection may be silent between requests.'),
  connections: integer(1, 1_000_000).prefault(10_000).describe('Most connections at one time.'),
  connectionsPerAddress: integer(1, 1_000_000)
    .prefault(1000)
    .describe('The same for one client address; all of an IPv6 /64 count as one.'),
});

export const listenSchema = section({
  address: socketAddress()
    .prefault('0.0.0.0:8443')
    .describe(
      'Where to listen. Plain HTTP is allowed on loopback and unix sockets, and elsewhere with `trustedProxies`, who are then the only ones that are answered. Port 0 lets the system choose.',
    ),
  socketMode: socketMode().describe(
    'Permission bits of the file where `address` is a unix socket: who may write may connect. `"0660"` for a front proxy of another user in the group of the file.',
  ),
  origins: list(text(originLegal, isOrigin), 'a list of at least one origin', 1).describe(
    'The origins under which clients reach this gateway. `Host` and `htu` are held against them. `http://` only without `tls`. X-Forwarded-Host and X-Forwarded-Proto of a trusted proxy choose among them.',
  ),
  pathPrefix: text('empty, or a path such as /svc1 without trailing slash', isPathPrefix)
    .prefault('')
    .describe('Public path prefix that a proxy in front strips; part of `htu`.'),
  resource: text('an http(s) URL without query and fragment', isPlainUrl)
    .optional()
    .describe('Resource identifier (RFC 9728). Default: the first origin followed by `pathPrefix`.'),
  tls: tlsSchema.optional().describe('Absent: plain HTTP.'),
  trustedProxies: trustedProxiesSchema
    .prefault([])
    .describe(
      'Front proxies that are believed what they say about their clients: address, scheme, host, request id, certificate. The first entry that names a peer counts. What everybody else says of that kind is removed.',
    ),
  headerNames: choice(['drop', 'refuse'])
    .prefault('drop')
    .describe(
      'What happens to header fields with a name outside `A-Za-z0-9-`. One that a service could read as a protected name is always refused.',
    ),
  limits: limitsSchema.prefault({}),
});

type ListenSettings = z.output<typeof listenSchema>;

export type TlsSettings = z.output<typeof tlsSchema>;

export function resolveListen(settings: ListenSettings, context: Context): ListenConfig {
  checkListen(settings, context);
  const { headersTimeout, requestTimeout, idleTimeout, ...limits } = settings.limits;
  return {
    ...settings,
    resource: settings.resource ?? `${settings.origins[0]}${settings.pathPrefix}`,
    tls: settings.tls === undefined ? undefined : resolveTls(settings.tls, context),
    trustedProxies: resolveTrustedProxies(settings.trustedProxies, settings.address, context),
    frontsOnly: isPlainAndReachable(settings),
    limits: {
      ...limits,
      headersTimeoutMs: headersTimeout,
      requestTimeoutMs: requestTimeout,
      idleTimeoutMs: idleTimeout,
    },
  };
}

function isPlainAndReachable({ address, tls }: Pick<ListenSettings, 'address' | 'tls'>): boolean {
  return tls === undefined && 'host' in address && !isLoopback(address.host);
}

function checkListen(settings: ListenSettings, context: Context): void {
  const { report } = context;
  const { origins, tls, limits, trustedProxies } = settings;
  checkSocketMode(['listen'], settings, context);
  if (isPlainAndReachable(settings)) {
    const path = ['listen', 'address'];
    if (trustedProxies.length === 0)
      report.illegal(
        path,
        'a loopback address or unix socket while listen.tls is absent (plain HTTP) and listen.trustedProxies is empty',
      );
    else
      report.warn(
        path,
        'plain HTTP where others can reach it: whoever can read along between the trusted proxies and here sees the access tokens',
      );
  }
  for (const [index, origin] of origins.entries()) {
    const path = ['listen', 'origins', index];
    if (tls !== undefined && origin.startsWith('http:'))
      report.illegal(path, 'an https:// origin, as listen.tls is set');
    if (origins.indexOf(origin) < index) report.problem(path, 'listed twice');
  }
  if (limits.targetBytes > limits.headerBytes) {
    report.illegal(['listen', 'limits', 'targetBytes'], 'at most listen.limits.headerBytes');
  }
  if (limits.headersTimeout > limits.requestTimeout) {
    report.illegal(['listen', 'limits', 'headersTimeout'], 'at most listen.limits.requestTimeout');
  }
}

/** Reads every file behind `listen.tls`. Called at the start, and again when one of them has changed. */
export function resolveTls(
  { certificate, key, minVersion, clientCertificates }: TlsSettings,
  context: Context,
): ListenTlsConfig {
  const { files } = context;
  const path = ['listen', 'tls'];
  const clientPath = [...path, 'clientCertificates'];
  checkClientCertificates(clientCertificates, context);
  const ca = files.readClientCas([...clientPath, 'ca'], clientCertificates.ca);
  return {
    ...files.readPair(path, { certificate, key }),
    minVersion,
    clientCertificates: {
      mode: clientCertificates.mode,
      ca,
      crl: readRevocationLists([...clientPath, 'crl'], clientCertificates.crl, { ...context, ca }),
    },
  };
}

function checkClientCertificates(
  { mode, ca, crl }: TlsSettings['clientCertificates'],
  { report }: Context,
): void {
  const path = ['listen', 'tls', 'clientCertificates'];
  for (const [name, list] of Object.entries({ ca, crl })) {
    if (mode === 'off' && list.length > 0)
      report.problem([...path, name], 'has no effect with mode off; remove one of the two');
  }
  if (mode !== 'off' && ca.length === 0 && crl.length > 0)
    report.problem([...path, 'crl'], 'has no effect without ca: only certificates of a CA are revoked');
}

function isPathPrefix(value: string): boolean {
  const segments = value.split('/').slice(1);
  return (
    value === '' ||
    (/^(?:\/[A-Za-z0-9._~!$&'()*+,;=:@-]+)+$/.test(value) && !segments.some((one) => /^\.\.?$/.test(one)))
  );
}
