import {
  type Contender,
  type crowded,
  type Ending,
  leadsTo,
  type Node,
  type RouteGroup,
  Search,
} from './rival-search.js';
import type { RouteOptions } from './route-options.js';
import { childOf } from './segment-trie.js';
import type { Segments } from './segments.js';
import { isWeaker } from './strictness.js';

/**
 * The groups that a service may take a path for, and than which the deciding route is weaker. Which kinds of routes are
 * stricter than which is worked out once, at start; all patterns stand in one trie.
 * @see REQUIREMENTS N08, N10
 */
export class Rivals {
  readonly #root = makeNode();
  readonly #contenders = new Map<RouteOptions, Contender>();
  readonly #longest: number;

  constructor(groups: readonly RouteGroup[]) {
    const kinds = new Map<string, { kind: bigint; routes: readonly RouteOptions[] }>();
    for (const [at, group] of groups.entries()) {
      const key = describeKind(group);
      const { kind } = kinds.get(key) ?? { kind: 1n << BigInt(kinds.size) };
      kinds.set(key, { kind, routes: group.routes });
      insert(this.#root, { group, at, kind });
    }
    const literals = groups.flatMap(({ pattern }) =>
      pattern.segments.map((literal) => literal?.folded ?? ''),
    );
    this.#longest = Math.max(0, ...literals.map(({ length }) => length));
    for (const [at, { routes }] of groups.entries())
      for (const route of routes) {
        let weakerThan = 0n;
        for (const { kind, routes: others } of kinds.values())
          if (isWeaker(route, others)) weakerThan |= kind;
        this.#contenders.set(route, { at, kinds: weakerThan });
      }
  }

  /**
   * @param route - one of the table
   * @param which - `earlier`: only groups that are tried before the route's own
   */
  find(
    route: RouteOptions,
    segments: Segments,
    which: 'earlier' | 'all',
  ): RouteGroup | typeof crowded | undefined {
    const contender = this.#contenders.get(route);
    if (contender === undefined) throw new TypeError('not a route of the table');
    const limit = which === 'earlier' ? contender.at : Number.POSITIVE_INFINITY;
    if (!leadsTo(this.#root, contender, limit)) return undefined;
    return new Search(segments, { contender, limit, longest: this.#longest }).run(this.#root);
  }

  /** Whether the route is weaker than any other. */
  has(route: RouteOptions): boolean {
    const contender = this.#contenders.get(route);
    return contender !== undefined && leadsTo(this.#root, contender, Number.POSITIVE_INFINITY);
  }
}

function makeNode(): Node {
  return {
    literals: new Map(),
    any: undefined,
    ends: [],
    rests: [],
    kinds: 0n,
    first: Number.POSITIVE_INFINITY,
  };
}

function insert(root: Node, ending: Ending): void {
  const { pattern } = ending.group;
  let node = root;
  mark(node, ending);
  for (const literal of pattern.segments) {
    node = childOf(node, literal?.folded, makeNode);
    mark(node, ending);
  }
  (pattern.hasRest ? node.rests : node.ends).push(ending);
}

function mark(node: Node, { at, kind }: Ending): void {
  node.kinds |= kind;
  node.first = Math.min(node.first, at);
}

/** Equal for groups that differ in their path only. */
function describeKind({ routes }: RouteGroup): string {
  return JSON.stringify(routes.map(({ path: _, claims, ...demands }) => [demands, [...claims]]));
}
