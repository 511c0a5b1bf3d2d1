import type { Config, IssuerConfig, ListenConfig, RouteConfig } from './config.js';
import { overlaps } from './patterns.js';
import type { Report } from './report.js';

/** What one section says about another. Sections that have problems of their own are absent. */
export function checkAcross(config: Partial<Config>, report: Report): void {
  checkCertificatesPossible(config, report);
  checkRouteIssuers(config, report);
  checkIssuersServe(config, report);
  checkCertificatesForwarded(config, report);
  checkRevocationReaches(config, report);
  checkExceptionsApply(config, report);
  checkExceptionsShow(config, report);
  checkIssuersShow(config, report);
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

/** Whether tokens of the issuer can pass on the route. */
export function acceptsIssuer({ proof, issuers }: RouteConfig, issuer: string): boolean {
  return proof !== 'none' && (issuers.length === 0 || issuers.includes(issuer));
}

/** The issuers whose tokens can pass on one route at least. */
export function issuersInUse({ issuers, routes }: Pick<Config, 'issuers' | 'routes'>): string[] {
  return issuers
    .filter(({ issuer }) => routes.some((route) => acceptsIssuer(route, issuer)))
    .map(({ issuer }) => issuer);
}

/**
 * D21, D22: a client id, an audience, and the value of a claim are names that one issuer gives. What a route says by them
 * must not hold for other issuers, where they may be somebody else's.
 */
function checkRouteIssuers({ routes = [], issuers }: Partial<Config>, report: Report): void {
  if (issuers === undefined) return;
  const known = new Set(issuers.map(({ issuer }) => issuer));
  for (const [index, route] of routes.entries()) {
    const named = (['clients', 'claims', 'audience'] as const).filter((option) => countOf(route[option]) > 0);
    if (issuers.length > 1 && route.issuers.length === 0 && named.length > 0 && route.proof !== 'none')
      report.illegalOrMissing(
        ['routes', index, 'issuers'],
        `the issuers for whose tokens ${named.join(', ')} of this route hold: one says nothing about the names of another`,
        false,
      );
    for (const [at, issuer] of route.issuers.entries()) {
      if (!known.has(issuer))
        report.illegal(['routes', index, 'issuers', at], 'an issuer exactly as in issuers[].issuer');
    }
    checkRouteAudience(route, issuers, { index, report });
  }
}

function countOf(demand: readonly unknown[] | ReadonlyMap<string, unknown>): number {
  return Array.isArray(demand) ? demand.length : 'size' in demand ? demand.size : 0;
}

function checkRouteAudience(
  route: RouteConfig,
  issuers: readonly IssuerConfig[],
  { index, report }: { index: number; report: Report },
): void {
  const accepted = issuers.filter(({ issuer }) => acceptsIssuer(route, issuer));
  for (const [at, audience] of route.audience.entries()) {
    if (accepted.length > 0 && !accepted.some((one) => one.audience.includes(audience)))
      report.problem(
        ['routes', index, 'audience', at],
        `can never be met: no issuer of this route has ${JSON.stringify(audience)} in issuers[].audience`,
      );
  }
}

/** An issuer of which no token can pass is a mistake in one place or the other. */
function checkIssuersServe({ routes, issuers = [] }: Partial<Config>, report: Report): void {
  if (routes === undefined) return;
  const guarded = routes.filter(({ proof }) => proof !== 'none');
  if (guarded.length === 0) return;
  for (const [index, { issuer, audience }] of issuers.entries()) {
    const serves = guarded.some(
      (route) =>
        acceptsIssuer(route, issuer) &&
        (route.audience.length === 0 || route.audience.some((value) => audience.includes(value))),
    );
    if (!serves) report.warn(['issuers', index], 'no route takes its tokens');
  }
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

/** J15: the lists of the listener's CAs say nothing about certificates below a proxy's own CAs. */
function checkRevocationReaches({ listen }: Partial<Config>, report: Report): void {
  if ((listen?.tls?.clientCertificates.crl.length ?? 0) === 0) return;
  for (const [index, { clientCertificate, ca }] of (listen?.trustedProxies ?? []).entries()) {
    if (clientCertificate !== 'none' && ca.length > 0)
      report.warn(
        ['listen', 'trustedProxies', index, 'ca'],
        'the revocation lists of listen.tls do not reach certificates of these CAs: the proxy has to check them',
      );
  }
}

function checkExceptionsApply({ routes, exceptions = [] }: Partial<Config>, report: Report): void {
  if (routes === undefined) return;
  const guarded = routes.filter(({ proof }) => proof !== 'none');
  for (const [index, exception] of exceptions.entries()) {
    for (const [at, pattern] of exception.routes.entries()) {
      const opened = guarded.filter(
        (route) => acceptsIssuer(route, exception.issuer) && overlaps(route.path, pattern),
      );
      if (opened.length > 1)
        report.warn(
          ['exceptions', index, 'routes', at],
          `${pattern} takes the place of proof on several routes: ${opened.map(({ path }) => path).join(', ')}`,
        );
      if (opened.length > 0) continue;
      report.warn(
        ['exceptions', index, 'routes', at],
        `no guarded route takes a path that ${pattern} matches, and tokens of ${exception.issuer}`,
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

/** D21: with several issuers the names of client and subject are not enough to tell a caller. */
function checkIssuersShow({ identity, issuers = [] }: Partial<Config>, report: Report): void {
  if (identity === undefined || issuers.length < 2) return;
  const sources = identity.headers.map(({ source }) => ('fact' in source ? `$${source.fact}` : source.claim));
  const names = sources.filter((source) =>
    ['$client', '$user', 'sub', ...issuers.map(({ clientClaim }) => clientClaim)].includes(source),
  );
  if (names.length > 0 && !sources.includes('$issuer') && !sources.includes('iss'))
    report.warn(
      ['identity', 'headers'],
      `the service cannot tell whose ${names.join(', ')} it gets, with several issuers: add $issuer`,
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
