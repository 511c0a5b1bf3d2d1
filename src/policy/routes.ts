import { Denial } from '../denial/denial.js';
import { isPreflight } from '../request/cors.js';
import { neverForwarded, type RequestFacts } from '../request/facts.js';
import type { RequestTarget } from '../request/target.js';
import { compilePattern, type PathPattern } from './pattern.js';
import { otherReadings } from './readings.js';

/** How possession must be proven on a route. `none`: a public route, no token asked and none forwarded. */
export type ProofRequirement = 'any' | 'dpop' | 'mtls' | 'both' | 'none';

export interface RouteOptions {
  readonly path: string;
  /** empty: every method but TRACE and CONNECT */
  readonly methods: readonly string[];
  readonly proof: ProofRequirement;
  /** issuers whose tokens are accepted; empty: all */
  readonly issuers: readonly string[];
  /** accepted `aud` values, of those of the issuer; empty: all of those */
  readonly audience: readonly string[];
  /** scopes that are needed, all of them */
  readonly scopes: readonly string[];
  /** claim name to accepted values */
  readonly claims: ReadonlyMap<string, readonly unknown[]>;
  /** accepted client ids; empty: all */
  readonly clients: readonly string[];
  /** whether a client may upgrade to a WebSocket here, after the same checks as for any request */
  readonly websocket: boolean;
  readonly encodedSlashes: 'refuse' | 'pass';
  readonly preflight: 'refuse' | 'forward';
}

/** Routes of one path pattern, told apart by their methods. The first group whose path matches decides. */
interface RouteGroup {
  readonly pattern: PathPattern;
  readonly routes: readonly RouteOptions[];
}

/**
 * The routes of the configuration. The first path that matches wins; routes that repeat a path are told apart by
 * method. A method that the path does not list is refused rather than handed to a later, perhaps weaker route.
 *
 * Fails closed: no match is a 404 that is not forwarded; a path that another reading would give to another route, or
 * to none, is refused.
 * @see REQUIREMENTS S06, B06, A20, N03
 */
export class RouteTable {
  readonly #groups: readonly RouteGroup[];

  constructor(routes: readonly RouteOptions[]) {
    const byPath = new Map<string, RouteOptions[]>();
    for (const route of routes) {
      const group = byPath.get(route.path);
      if (group === undefined) byPath.set(route.path, [route]);
      else group.push(route);
    }
    this.#groups = [...byPath].map(([path, group]) => ({ pattern: compilePattern(path), routes: group }));
  }

  /** @throws Denial route_not_found, path_ambiguous, method_not_allowed, upgrade_not_allowed */
  match(facts: RequestFacts): RouteOptions {
    const { target } = facts;
    const group = this.#groups.find(({ pattern }) => pattern.matches(target.path));
    if (group === undefined) throw new Denial('route_not_found');
    const route = selectMethod(group, facts);
    const slashesPass = route.encodedSlashes === 'pass';
    if (target.path.includes('%2F') && !slashesPass) {
      throw new Denial('path_ambiguous', 'encoded slash; see routes[].encodedSlashes');
    }
    for (const reading of readingsOf(target, slashesPass)) this.#checkReading(reading, group);
    if (facts.upgrade !== undefined && !route.websocket) throw new Denial('upgrade_not_allowed');
    return route;
  }

  #checkReading(reading: string, group: RouteGroup): void {
    const trimmed = withoutTrailingSlashes(reading);
    for (const variant of trimmed === reading ? [reading] : [reading, trimmed]) {
      for (const match of ['matches', 'matchesFolded'] as const) {
        const other = this.#groups.find(({ pattern }) => pattern[match](variant));
        // A route that ends on a slash: without it the path belongs to nobody else, so it is the same resource.
        const isOnlyTrimmed = other === undefined && variant !== reading;
        if (other === group || isOnlyTrimmed) continue;
        throw new Denial('path_ambiguous', `also readable as route ${other?.pattern.text ?? 'none'}`);
      }
    }
  }
}

/** @throws Denial path_ambiguous for a dot segment or disputed octets in any reading */
function readingsOf({ path, rawPath }: RequestTarget, slashesPass: boolean): string[] {
  // A service that decodes nothing reads the bytes as sent, where `%70ublic` is not `public`.
  const sent =
    rawPath === path ? path : rawPath.replace(/%[0-9a-f]{2}/gi, (encoded) => encoded.toUpperCase());
  const starts = sent === path ? [path] : [path, sent];
  return starts.flatMap((start) => {
    // Dot segments count behind any slash; slashes that the operator declared to be characters divide no segments.
    const others = otherReadings(start);
    const counted = slashesPass ? otherReadings(start.replaceAll('%2F', '_')) : others;
    if (others === undefined || counted === undefined)
      throw new Denial(
        'path_ambiguous',
        'dot segment, control character or overlong utf-8 in another reading',
      );
    return [start, ...counted];
  });
}

// A loop, because `/\/+$/` tries the run of slashes anew from each of them: quadratic in what the client sends.
function withoutTrailingSlashes(path: string): string {
  let end = path.length;
  while (end > 1 && path.charCodeAt(end - 1) === 0x2f) end--;
  return path.slice(0, end);
}

function selectMethod({ routes }: RouteGroup, facts: RequestFacts): RouteOptions {
  const route = routes.find(({ methods }) => methods.length === 0 || methods.includes(facts.method));
  if (route !== undefined) return route;
  const forwarding = routes.find(({ preflight }) => preflight === 'forward');
  if (forwarding !== undefined && isPreflight(facts)) return forwarding;
  const allow = [...new Set(routes.flatMap(({ methods }) => methods))].filter(
    (method) => !neverForwarded.has(method),
  );
  throw new Denial('method_not_allowed', facts.method, { allow });
}
