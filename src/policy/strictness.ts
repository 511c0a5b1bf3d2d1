import type { RouteOptions } from './route-options.js';

/** What a route demands or permits, its path and methods aside: those say where it holds. */
export type Demand = Exclude<keyof RouteOptions, 'path' | 'methods'>;

type AtLeastAsStrict = (one: RouteOptions, other: RouteOptions) => boolean;

/** For each demand: whether `one` asks for all that `other` asks for. A demand without a rule does not compile. */
const rules: { readonly [Name in Demand]: AtLeastAsStrict } = {
  proof: (one, other) => satisfies[one.proof].includes(other.proof),
  issuers: (one, other) => isNarrowed(one.issuers, other.issuers),
  // What an empty list stands for, the issuer's own, is asked of every token anyway.
  audience: (one, other) => isNarrowed(one.audience, other.audience),
  scopes: (one, other) => other.scopes.every((scope) => one.scopes.includes(scope)),
  claims: (one, other) =>
    [...other.claims].every(([name, accepted]) => {
      const own = one.claims.get(name);
      return own?.every((value) => accepted.includes(value)) ?? false;
    }),
  clients: (one, other) => isNarrowed(one.clients, other.clients),
  websocket: (one, other) => !one.websocket || other.websocket,
  encodedSlashes: (one, other) => one.encodedSlashes === 'refuse' || other.encodedSlashes === 'pass',
  preflight: (one, other) => one.preflight === 'refuse' || other.preflight === 'forward',
};

/** The requirements that a proof as the first one demands it meets as well. */
const satisfies: Readonly<Record<RouteOptions['proof'], readonly RouteOptions['proof'][]>> = {
  none: ['none'],
  any: ['any', 'none'],
  dpop: ['dpop', 'any', 'none'],
  mtls: ['mtls', 'any', 'none'],
  both: ['both', 'dpop', 'mtls', 'any', 'none'],
};

const demands = Object.keys(rules) as Demand[];

/**
 * In what a route is not provably at least as strict as another; incomparable counts as weaker.
 * @returns empty: whatever passes there passes on the other route, too
 * @see REQUIREMENTS N08
 */
export function weakerIn(route: RouteOptions, other: RouteOptions): readonly Demand[] {
  return demands.filter((name) => !rules[name](route, other));
}

/**
 * The same for all routes of another path: a method that they do not list is refused there, which nothing is as
 * strict as.
 */
export function isWeaker(route: RouteOptions, others: readonly RouteOptions[]): boolean {
  const isRefused = (method: string) =>
    others.every(({ methods }) => methods.length > 0 && !methods.includes(method));
  if (
    route.methods.length === 0
      ? others.every(({ methods }) => methods.length > 0)
      : route.methods.some(isRefused)
  )
    return true;
  return others.some((other) => sharesMethod(route, other) && weakerIn(route, other).length > 0);
}

/** Whether there is a method that both list. */
export function sharesMethod(
  one: Pick<RouteOptions, 'methods'>,
  other: Pick<RouteOptions, 'methods'>,
): boolean {
  return (
    one.methods.length === 0 ||
    other.methods.length === 0 ||
    one.methods.some((method) => other.methods.includes(method))
  );
}

/** An empty list stands for all. */
function isNarrowed(one: readonly string[], other: readonly string[]): boolean {
  return other.length === 0 || (one.length > 0 && one.every((value) => other.includes(value)));
}
