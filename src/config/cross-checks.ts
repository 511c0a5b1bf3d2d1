import type { Config } from './config.js';
import { overlaps } from './patterns.js';
import type { Report } from './problems.js';

/** What one section says about another. Sections that have problems of their own are absent. */
export function checkAcross(config: Partial<Config>, report: Report): void {
  checkCertificatesPossible(config, report);
  checkExceptionsApply(config, report);
  checkExceptionsShow(config, report);
  checkSockets(config, report);
}

function checkCertificatesPossible({ listen, routes = [] }: Partial<Config>, report: Report): void {
  if (listen === undefined) return;
  const reason =
    listen.tls === undefined ? 'listen.tls is absent' : 'listen.tls.clientCertificates.mode is off';
  if (listen.tls !== undefined && listen.tls.clientCertificates.mode !== 'off') return;
  for (const [index, { proof }] of routes.entries()) {
    if (proof === 'mtls' || proof === 'both')
      report.problem(['routes', index, 'proof'], `${proof} can never be met: ${reason}`);
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
