import type { Config, ListenConfig } from './config.js';
import { overlaps } from './patterns.js';
import type { Report } from './report.js';

/** What one section says about another. Sections that have problems of their own are absent. */
export function checkAcross(config: Partial<Config>, report: Report): void {
  checkCertificatesPossible(config, report);
  checkCertificatesForwarded(config, report);
  checkRevocationReaches(config, report);
  checkExceptionsApply(config, report);
  checkExceptionsShow(config, report);
  checkSockets(config, report);
}

function checkCertificatesPossible({ listen, routes = [] }: Partial<Config>, report: Report): void {
  if (listen === undefined || hasClientCertificates(listen)) return;
  const own = listen.tls === undefined ? 'listen.tls is absent' : 'listen.tls.clientCertificates.mode is off';
  const reason = `${own}, and no trusted proxy passes on client certificates`;
  for (const [index, { proof }] of routes.entries()) {
    if (proof === 'mtls' || proof === 'both')
      report.problem(['routes', index, 'proof'], `${proof} can never be met: ${reason}`);
  }
}

/** Whether there is any way in which a client can prove possession of a certificate's key. */
export function hasClientCertificates({ tls, trustedProxies }: ListenConfig): boolean {
  return (
    (tls !== undefined && tls.clientCertificates.mode !== 'off') ||
    trustedProxies.some(({ clientCertificate }) => clientCertificate !== 'none')
  );
}

/** K06: only a certificate that chains to configured CAs is passed on. */
function checkCertificatesForwarded({ listen, identity }: Partial<Config>, report: Report): void {
  if (listen === undefined || identity?.clientCertificate !== 'rfc9440') return;
  const { tls, trustedProxies } = listen;
  const hasCas = [tls?.clientCertificates, ...trustedProxies].some((one) => (one?.ca.length ?? 0) > 0);
  if (!hasCas)
    report.warn(
      ['identity', 'clientCertificate'],
      'no certificate is ever passed on: none can be verified without client CAs',
    );
}

/** J15: lists that are checked in the handshake say nothing about certificates that come in a header. */
function checkRevocationReaches({ listen }: Partial<Config>, report: Report): void {
  if ((listen?.tls?.clientCertificates.crl.length ?? 0) === 0) return;
  for (const [index, { clientCertificate }] of (listen?.trustedProxies ?? []).entries()) {
    if (clientCertificate !== 'none')
      report.warn(
        ['listen', 'trustedProxies', index, 'clientCertificate'],
        'the revocation lists of listen.tls do not reach certificates that a proxy passes on: the proxy has to check them',
      );
  }
}

function checkExceptionsApply({ routes, exceptions = [] }: Partial<Config>, report: Report): void {
  if (routes === undefined) return;
  const guarded = routes.filter(({ proof }) => proof !== 'none');
  for (const [index, exception] of exceptions.entries()) {
    for (const [at, pattern] of exception.routes.entries()) {
      const opened = guarded.filter(({ path }) => overlaps(path, pattern));
      if (opened.length > 1)
        report.warn(
          ['exceptions', index, 'routes', at],
          `${pattern} takes the place of proof on several routes: ${opened.map(({ path }) => path).join(', ')}`,
        );
      if (opened.length > 0) continue;
      report.warn(
        ['exceptions', index, 'routes', at],
        `no guarded route takes a path that ${pattern} matches`,
      );
    }
  }
}

/** R06: the service must be able to tell a caller that proved nothing. */
function checkExceptionsShow({ identity, exceptions = [] }: Partial<Config>, report: Report): void {
  if (identity === undefined || identity.assertion !== undefined || exceptions.length === 0) return;
  const shows = identity.headers.some(
    ({ source }) => 'fact' in source && (source.fact === 'proof' || source.fact === 'exception'),
  );
  if (!shows)
    report.warn(
      ['identity', 'headers'],
      'the service cannot tell who passes under an exception: add $proof or $exception',
    );
}

function checkSockets({ listen, admin }: Partial<Config>, report: Report): void {
  if (listen === undefined || admin === undefined) return;
  const [one, other] = [listen.address, admin.address];
  const same =
    'socketPath' in one
      ? 'socketPath' in other && one.socketPath === other.socketPath
      : !('socketPath' in other) && one.port !== 0 && one.port === other.port && one.host === other.host;
  // S04: nothing of the admin socket may be reachable where clients are.
  if (same) report.illegal(['admin', 'address'], 'an address other than listen.address');
}
