import * as z from 'zod';
import { type Demand, sharesMethod, weakerIn } from '../policy/strictness.js';
import type { RouteConfig } from './config.js';
import type { Context } from './context.js';
import { covers, firstLiteral, isPattern, patternLegal } from './patterns.js';
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
  const routes = settings.map(({ claims, ...route }) => ({
    ...route,
    claims: new Map(Object.entries(claims)),
  }));
  for (const [index, route] of settings.entries()) {
    checkPublic(route, index, context);
    checkWebsocket(route, index, context);
    checkRepetition(routes, index, context);
    checkOrder(routes, index, context);
  }
  return routes;
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

function checkRepetition(routes: readonly RouteConfig[], index: number, { report }: Context): void {
  const route = routes[index];
  if (route === undefined) return;
  const first = routes.findIndex(
    (other, at) => at < index && other.path === route.path && sharesMethod(other, route),
  );
  if (first >= 0) report.problem(['routes', index], `the same path and method as routes[${first}]`);
}

/** Warns of a route that is never reached, and of what a weaker one behind a stricter one costs. @see REQUIREMENTS N08 */
function checkOrder(routes: readonly RouteConfig[], index: number, { report }: Context): void {
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
    const weaker = sharesMethod(route, earlier) ? weakerIn(route, earlier) : [];
    if (covers(route.path, earlier.path) && weaker.length > 0)
      report.warn(
        ['routes', index],
        `broader and weaker than routes[${at}] (${earlier.path}) in ${weaker.map((name) => `${name}${difference(name, route, earlier)}`).join(', ')}${costOf(earlier.path)}`,
      );
  }
}

function difference(name: Demand, route: RouteConfig, earlier: RouteConfig): string {
  return name === 'proof' ? ` (${route.proof} here, ${earlier.proof} there)` : '';
}

/** What a stricter route takes from a weaker one: its plain literals have to be told apart. */
function costOf(stricter: string): string {
  const depth = firstLiteral(stricter);
  if (depth === undefined) return '';
  const { literal, before } = depth;
  const example = `/${[...before.map(() => 'x'), 'caf%C3%A9'].join('/')}`;
  return `; so paths whose segment in the place of "${literal}" holds encodings or parameters, such as ${example}, are refused here (path_ambiguous)`;
}

function isMethod(value: string): boolean {
  return /^[A-Z][A-Z-]*$/.test(value) && value !== 'TRACE' && value !== 'CONNECT';
}

// RFC 6749 §3.3: visible ASCII without quote and backslash.
function isScope(value: string): boolean {
  return /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(value);
}
