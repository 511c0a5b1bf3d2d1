import { Denial } from '../denial/denial.js';
import { isPreflight } from '../request/cors.js';
import { neverForwarded, type RequestFacts } from '../request/facts.js';
import { findAlternatives } from './alternatives.js';
import { hidesDotSegment } from './hidden-dots.js';
import { PathIndex } from './path-index.js';
import { compilePattern, mayLeave, type PathPattern } from './pattern.js';
import { crowded, type RouteGroup } from './rival-search.js';
import { Rivals } from './rivals.js';
import type { RouteOptions } from './route-options.js';
import { readSegments, type Segments } from './segments.js';
import { weakerIn } from './strictness.js';

/** What changes a path into another one: needed for nothing that is plain, so looked for before it is worked out. */
const odd = /[%;:(]|\/\/|\.[A-Za-z]+(?:\/|$)/;

/**
 * The routes of the configuration. The first path that matches wins; routes that repeat a path are told apart by
 * method. A method that the path does not list is refused rather than handed to a later, perhaps weaker route.
 *
 * Fails closed: no match is a 404 that is not forwarded, and a path which a service may read as one of a stricter route,
 * or of none, is refused. Which routes are stricter than which is worked out once, at start.
 * @see REQUIREMENTS S06, B06, A20, N03, N08, N10
 */
export class RouteTable {
  readonly #index: PathIndex<RouteGroup>;
  readonly #rivals: Rivals;
  /** whether every path is one of a route */
  readonly #isComplete: boolean;

  constructor(routes: readonly RouteOptions[]) {
    const byPath = new Map<string, RouteOptions[]>();
    for (const route of routes) {
      const group = byPath.get(route.path);
      if (group === undefined) byPath.set(route.path, [route]);
      else group.push(route);
    }
    const groups = [...byPath].map(([path, group]) => ({ pattern: compilePattern(path), routes: group }));
    this.#index = new PathIndex(groups.map((group) => ({ pattern: group.pattern, value: group })));
    this.#rivals = new Rivals(groups);
    this.#isComplete = groups.some(({ pattern }) => pattern.hasRest && pattern.segments.length === 0);
  }

  /** @throws Denial route_not_found, path_ambiguous, method_not_allowed, upgrade_not_allowed */
  match(facts: RequestFacts): RouteOptions {
    const { target } = facts;
    const group = this.#index.find(target.path);
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
    const leaves = mayLeave(own, segments);
    if (leaves && !this.#isComplete)
      throw new Denial('path_ambiguous', 'also readable as a path of no route');
    if (!this.#rivals.has(route)) return;
    // Later routes get only what may be read as none of the route's own paths.
    refuseRival(route, this.#rivals.find(route, segments, leaves || own.endsInSlash ? 'all' : 'earlier'));
    const alternatives = isOdd ? findAlternatives(segments) : [];
    if (alternatives === undefined)
      throw new Denial('path_ambiguous', 'several scripts or session ids in the path');
    for (const alternative of alternatives) refuseRival(route, this.#rivals.find(route, alternative, 'all'));
  }
}

/** @throws Denial path_ambiguous, whose detail says in the log which two routes differ, and in what */
function refuseRival(route: RouteOptions, rival: RouteGroup | typeof crowded | undefined): void {
  if (rival === undefined) return;
  if (rival === crowded)
    throw new Denial(
      'path_ambiguous',
      `many routes are stricter than routes[].path ${route.path}, and a service may read this path as one of them`,
    );
  const demands =
    [...new Set(rival.routes.flatMap((other) => weakerIn(route, other)))].join(', ') || 'methods';
  throw new Denial(
    'path_ambiguous',
    `routes[].path ${route.path} is weaker than ${rival.pattern.text} (${demands}), and a service may read this path as one of that`,
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
