import type * as z from 'zod';
import { formatUpstreamUrl, isLoopback, parseUpstreamUrl } from './addresses.js';
import type { UpstreamConfig } from './config.js';
import type { Context } from './context.js';
import { choice, duration, file, flag, integer, section, text, written } from './scalars.js';

const urlLegal = 'http://host[:port] or https://host[:port] without path, or unix:/path.sock';

const tlsSchema = section({
  ca: file('CA certificates in PEM')
    .optional()
    .describe('Who may vouch for the service. Absent: the roots of Node.'),
  certificate: file('a certificate chain in PEM, leaf first')
    .optional()
    .describe('Our certificate towards the service.'),
  key: file('an unencrypted private key in PEM').optional().describe('Private key of `certificate`.'),
  serverName: text('a host name')
    .optional()
    .describe('Name that the certificate of the service must have. Default: the host of `url`.'),
});

export const upstreamSchema = section({
  url: written<UpstreamConfig['target']>({ legal: urlLegal }, /^(?:https?:\/\/|unix:\/)\S+$/, {
    parse: parseUpstreamUrl,
    format: formatUpstreamUrl,
  }).describe('The service. `upstream: URL` is short for this option alone.'),
  allowCleartext: flag()
    .prefault(false)
    .describe('Allows `http://` to a host that is not loopback. Warned about at every start.'),
  tls: tlsSchema.prefault({}),
  connectTimeout: duration({ min: '10ms', max: '5m' })
    .prefault('5s')
    .describe('Time for a connection to the service.'),
  responseTimeout: duration({ min: '10ms', max: '24h' })
    .prefault('60s')
    .describe('Time until the head of the answer, not the whole answer.'),
  idleTimeout: duration({ min: '10ms', max: '24h' })
    .prefault('60s')
    .describe('Longest silence in the middle of a body.'),
  streamIdleTimeout: duration({ min: '10ms', max: '24h' })
    .prefault('1h')
    .describe('The same for `text/event-stream`, and the longest silence of a WebSocket in both directions.'),
  expiryGrace: duration({ min: '0s', max: '24h', unlimited: true })
    .prefault('0s')
    .describe(
      'How long an answer or WebSocket may go on after its token (with the leeway), exception or trusted client certificate has ended. `unlimited`: it is never cut off.',
    ),
  bodyOnGet: choice(['separate', 'refuse'])
    .prefault('separate')
    .describe(
      'A body on GET, HEAD, DELETE, OPTIONS or another method that gives it no meaning. `separate`: the request goes out on a connection of its own that is closed afterwards. `refuse`: 400.',
    ),
  bodies: choice(['pooled', 'separate'])
    .prefault('pooled')
    .describe(
      'Every other body of a caller who has shown a token. `separate`, for a service that does not read all of a body before it answers: on a connection of its own as well. Bodies on public routes always are.',
    ),
  poolIdleTimeout: duration({ min: '10ms', max: '1h' })
    .prefault('4s')
    .describe('When an unused connection is closed: sooner than the service closes it.'),
  connections: integer(1, 65_535)
    .prefault(256)
    .describe('Most requests at the service at one time, shared out among callers (operations.md).'),
  queue: section({
    length: integer(0, 1_000_000)
      .prefault(1024)
      .describe(
        'Requests that may wait for one of `connections`, shared out in the same way. Beyond: 503 with `Retry-After`.',
      ),
    wait: duration({ min: '0s', max: '5m' }).prefault('5s').describe('How long each may wait.'),
  }).prefault({}),
});

type UpstreamSettings = z.output<typeof upstreamSchema>;

export function resolveUpstream(settings: UpstreamSettings, context: Context): UpstreamConfig {
  checkCleartext(settings, context);
  return {
    target: settings.url,
    tls: resolveTls(settings, context),
    connectTimeoutMs: settings.connectTimeout,
    responseTimeoutMs: settings.responseTimeout,
    idleTimeoutMs: settings.idleTimeout,
    streamIdleTimeoutMs: settings.streamIdleTimeout,
    expiryGraceMs: settings.expiryGrace,
    bodyOnGet: settings.bodyOnGet,
    bodies: settings.bodies,
    poolIdleTimeoutMs: settings.poolIdleTimeout,
    connections: settings.connections,
    queue: { length: settings.queue.length, waitMs: settings.queue.wait },
  };
}

// RFC 9700 §4.13: what the gateway has established must not travel where somebody else can write it (B17).
function checkCleartext({ url, allowCleartext }: UpstreamSettings, { report }: Context): void {
  if ('socketPath' in url || url.scheme === 'https' || isLoopback(url.host)) return;
  const path = ['upstream', 'url'];
  if (allowCleartext) {
    report.warn(
      path,
      'clear text to a host that is not loopback: whoever is on the way can read and change requests and identity',
    );
  } else {
    report.illegal(
      path,
      'https://, a loopback host or a unix socket; clear text elsewhere needs upstream.allowCleartext: true',
    );
  }
}

function resolveTls({ url, tls }: UpstreamSettings, { files, report }: Context): UpstreamConfig['tls'] {
  const path = ['upstream', 'tls'];
  const { ca, certificate, key, serverName } = tls;
  const encrypted = 'scheme' in url && url.scheme === 'https';
  if (!encrypted && Object.keys(tls).length > 0)
    report.problem(path, 'has no effect unless upstream.url is https://');
  if ((certificate === undefined) !== (key === undefined)) {
    report.problem(
      [...path, certificate === undefined ? 'certificate' : 'key'],
      'required; certificate and key go together',
    );
  }
  return {
    ...(ca === undefined ? {} : { ca: [files.readCertificates([...path, 'ca'], ca)] }),
    ...(certificate === undefined || key === undefined ? {} : files.readPair(path, { certificate, key })),
    ...(serverName === undefined ? {} : { serverName }),
  };
}
