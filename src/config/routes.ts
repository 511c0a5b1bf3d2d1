import * as z from 'zod';
import type { RouteConfig } from './config.js';
import type { Context } from './context.js';
import { covers, isPattern, patternLegal } from './patterns.js';
import { choice, flag, list, section, text } from './scalars.js';

const methodLegal = 'a method in upper case, such as GET; TRACE and CONNECT are never let through';

const claimValue = z.union([z.string(), z.number(), z.boolean()], { error: 'a text, number or boolean' });

const claimsLegal = 'a mapping of claim names to lists of accepted values';

const routeSchema = section({
  path: text(patternLegal, isPattern).describe(
    'Which requests: literal segments, `*` for one, `**` as the last for the rest, also none. Matched on the normalised path.',
  ),
  methods: list(text(methodLegal, isMethod), 'a list of methods')
    .prefault([])
    .describe('Which methods. Empty: all but TRACE and CONNECT. A path may be repeated with other methods.'),
  proof: choice(['any', 'dpop', 'mtls', 'both', 'none'])
    .prefault('any')
    .describe(
      'How possession is proven. `any`: by DPoP or certificate. `none`: a public route; no token is asked for, none forwarded.',
    ),
  issuers: list(text('an issuer identifier'), 'a list of issuer identifiers')
    .prefault([])
    .describe(
      'Issuers whose tokens are accepted. Empty: all. Mandatory where `clients`, `claims` or `audience` are given and there is more than one issuer.',
    ),
  audience: list(text('a resource identifier'), 'a list of resource identifiers')
    .prefault([])
    .describe(
      "Accepted `aud` values of this route: a token needs one that is in `issuers[].audience` of its issuer too. Empty: the issuer's.",
    ),
  scopes: list(text('one scope in visible ASCII', isScope), 'a list of scopes')
    .prefault([])
    .describe('Scopes a token needs, all of them.'),
  claims: z
    .record(z.string(), list(claimValue, 'a list of at least one accepted value', 1), { error: claimsLegal })
    .meta({ legal: claimsLegal })
    .prefault({})
    .describe('Claims a token needs, and the values that are accepted for each.'),
  clients: list(text('a client id'), 'a list of client ids')
    .prefault([])
    .describe('Accepted clients. Empty: all.'),
  websocket: flag()
    .prefault(false)
    .describe(
      'Whether a WebSocket may be opened here, by a request that passes the same checks as any other.',
    ),
  encodedSlashes: choice(['refuse', 'pass'])
    .prefault('refuse')
    .describe('`pass`: `%2F` is let through and stays a character of its segment.'),
  preflight: choice(['refuse', 'forward'])
    .prefault('refuse')
    .describe(
      '`forward`: a CORS preflight goes to the service without token and identity, and refusals can be read by browsers.',
    ),
});

export const routesSchema = list(routeSchema, 'a list of routes');

type RouteSettings = z.output<typeof routeSchema>;

/** What holds when no route is configured: possession must be proven, on every path. @see REQUIREMENTS S06 */
export const defaultRoutes = [{ path: '/**' }];

export function resolveRoutes(settings: readonly RouteSettings[], context: Context): RouteConfig[] {
  for (const [index, route] of settings.entries()) {
    checkPublic(route, index, context);
    checkWebsocket(route, index, context);
    checkRepetition(settings, index, context);
    checkOrder(settings, index, context);
  }
  return settings.map(({ claims, ...route }) => ({ ...route, claims: new Map(Object.entries(claims)) }));
}

function checkPublic(
  { proof, issuers, audience, scopes, claims, clients }: RouteSettings,
  index: number,
  { report }: Context,
): void {
  if (proof !== 'none') return;
  const given = {
    issuers: issuers.length,
    audience: audience.length,
    scopes: scopes.length,
    claims: Object.keys(claims).length,
    clients: clients.length,
  };
  for (const [option, count] of Object.entries(given)) {
    if (count > 0)
      report.problem(['routes', index, option], 'cannot be enforced on a public route (proof: none)');
  }
}

function checkWebsocket(
  { websocket, methods, proof }: RouteSettings,
  index: number,
  { report }: Context,
): void {
  if (!websocket) return;
  const path = ['routes', index, 'websocket'];
  if (methods.length > 0 && !methods.includes('GET'))
    report.problem(
      path,
      'can never be used: a WebSocket is opened by GET, which routes[].methods leaves out',
    );
  // RFC 6455 §10.2: a browser opens a WebSocket to any site, and sends that site's cookies along.
  if (proof === 'none')
    report.warn(
      path,
      'on a public route: any web page can open it with the cookies of its visitor, and no token ends it',
    );
}

function checkRepetition(routes: readonly RouteSettings[], index: number, { report }: Context): void {
  const route = routes[index];
  const first = routes.findIndex(
    (other, at) => at < index && other.path === route?.path && shareMethod(other, route),
  );
  if (first >= 0) report.problem(['routes', index], `the same path and method as routes[${first}]`);
}

function shareMethod(one: RouteSettings, other: RouteSettings): boolean {
  return (
    one.methods.length === 0 ||
    other.methods.length === 0 ||
    one.methods.some((method) => other.methods.includes(method))
  );
}

const strength = { none: 0, any: 1, dpop: 2, mtls: 2, both: 3 } as const;

function checkOrder(routes: readonly RouteSettings[], index: number, { report }: Context): void {
  const route = routes[index];
  if (route === undefined) return;
  for (const [at, earlier] of routes.slice(0, index).entries()) {
    if (earlier.path === route.path) continue;
    if (covers(earlier.path, route.path)) {
      report.warn(
        ['routes', index],
        `can never match: routes[${at}] (${earlier.path}) takes all of its paths`,
      );
      return;
    }
    if (covers(route.path, earlier.path) && strength[route.proof] < strength[earlier.proof]) {
      const weaker = `proof ${route.proof} here, ${earlier.proof} there`;
      report.warn(['routes', index], `broader and weaker than routes[${at}] (${earlier.path}): ${weaker}`);
    }
  }
}

function isMethod(value: string): boolean {
  return /^[A-Z][A-Z-]*$/.test(value) && value !== 'TRACE' && value !== 'CONNECT';
}

// RFC 6749 §3.3: visible ASCII without quote and backslash.
function isScope(value: string): boolean {
  return /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(value);
}
