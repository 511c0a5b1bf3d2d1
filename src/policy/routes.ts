import { Denial } from '../denial/denial.js';
import { isPreflight } from '../request/cors.js';
import { neverForwarded, type RequestFacts } from '../request/facts.js';
import { mayLeave, mayReach } from './interpretations.js';
import { compilePattern, type PathPattern } from './pattern.js';
import type { RouteOptions } from './route-options.js';
import { findAlternatives, hidesDotSegment, readSegments, type Segments } from './segments.js';
import { isWeaker } from './strictness.js';

/** Routes of one path pattern, told apart by their methods. The first group whose path matches decides. */
interface RouteGroup {
  readonly pattern: PathPattern;
  readonly routes: readonly RouteOptions[];
}

/** Those of the other paths than which a route is weaker, in two lists because most requests need only the first. */
interface Rivals {
  /** tried before the route's own path: a path that is read otherwise may be theirs */
  readonly earlier: readonly PathPattern[];
  /** tried after it: only a path that may be read as none of the route's own can be theirs */
  readonly later: readonly PathPattern[];
}

/** What changes a path into another one: needed for nothing that is plain, so looked for before it is worked out. */
const odd = /[%;:(]|\/\/|\.[A-Za-z]+\//;

/**
 * The routes of the configuration. The first path that matches wins; routes that repeat a path are told apart by
 * method. A method that the path does not list is refused rather than handed to a later, perhaps weaker route.
 *
 * Fails closed: no match is a 404 that is not forwarded, and a path which a service may read as one of a stricter route,
 * or of none, is refused. Which routes are stricter than which is worked out once, at start.
 * @see REQUIREMENTS S06, B06, A20, N03, N08
 */
export class RouteTable {
  readonly #groups: readonly RouteGroup[];
  readonly #rivals: ReadonlyMap<RouteOptions, Rivals>;
  /** whether every path is one of a route */
  readonly #isComplete: boolean;

  constructor(routes: readonly RouteOptions[]) {
    const byPath = new Map<string, RouteOptions[]>();
    for (const route of routes) {
      const group = byPath.get(route.path);
      if (group === undefined) byPath.set(route.path, [route]);
      else group.push(route);
    }
    this.#groups = [...byPath].map(([path, group]) => ({ pattern: compilePattern(path), routes: group }));
    this.#isComplete = this.#groups.some(({ pattern }) => pattern.hasRest && pattern.segments.length === 0);
    this.#rivals = new Map(
      this.#groups.flatMap((own, at) =>
        own.routes.map((route) => [route, findRivals(route, at, this.#groups)] as const),
      ),
    );
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
    const isOdd = odd.test(target.path);
    if (isOdd && hidesDotSegment(target.path)) {
      throw new Denial(
        'path_ambiguous',
        'dot segment, control character or overlong utf-8 in another reading',
      );
    }
    this.#checkRivals(group.pattern, route, { segments: readSegments(target, slashesPass), isOdd });
    if (facts.upgrade !== undefined && !route.websocket) throw new Denial('upgrade_not_allowed');
    return route;
  }

  #checkRivals(
    own: PathPattern,
    route: RouteOptions,
    { segments, isOdd }: { segments: Segments; isOdd: boolean },
  ): void {
    const { earlier, later } = this.#rivals.get(route) ?? noRivals;
    refuseReachable(route, earlier, segments);
    const leaves = mayLeave(own, segments);
    if (leaves && !this.#isComplete)
      throw new Denial('path_ambiguous', 'also readable as a path of no route');
    if (leaves || own.endsInSlash) refuseReachable(route, later, segments);
    if (!isOdd || earlier.length + later.length === 0) return;
    const alternatives = findAlternatives(segments);
    if (alternatives === undefined)
      throw new Denial('path_ambiguous', 'several scripts or session ids in the path');
    for (const alternative of alternatives) {
      refuseReachable(route, earlier, alternative);
      refuseReachable(route, later, alternative);
    }
  }
}

const noRivals: Rivals = { earlier: [], later: [] };

function findRivals(route: RouteOptions, at: number, groups: readonly RouteGroup[]): Rivals {
  const stricter = (others: readonly RouteGroup[]) =>
    others.filter(({ routes }) => isWeaker(route, routes)).map(({ pattern }) => pattern);
  return { earlier: stricter(groups.slice(0, at)), later: stricter(groups.slice(at + 1)) };
}

function refuseReachable(route: RouteOptions, rivals: readonly PathPattern[], segments: Segments): void {
  const rival = rivals.find((pattern) => mayReach(pattern, segments));
  if (rival === undefined) return;
  throw new Denial(
    'path_ambiguous',
    `routes[].path ${route.path} is weaker than ${rival.text}, and a service may read this path as one of that`,
  );
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
