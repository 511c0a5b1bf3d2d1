import { otherNames, shortNameOf } from './names.js';
import type { PathPattern } from './pattern.js';
import type { RouteOptions } from './route-options.js';
import type { TrieNode } from './segment-trie.js';
import type { Segments } from './segments.js';

/** Routes of one path pattern, told apart by their methods. The first group whose path matches decides. */
export interface RouteGroup {
  readonly pattern: PathPattern;
  readonly routes: readonly RouteOptions[];
}

export interface Ending {
  readonly group: RouteGroup;
  /** its place in the configuration */
  readonly at: number;
  /** the bit of its kind: groups that demand the same are of one kind */
  readonly kind: bigint;
}

/** A node of the trie of all patterns, whose literals are those that are left when letter case and accents do not count. */
export interface Node extends TrieNode<Node> {
  readonly ends: Ending[];
  readonly rests: Ending[];
  /** of all that end here or below: their kinds, and the place of the first */
  kinds: bigint;
  first: number;
}

/** A route and the groups than which it is weaker. */
export interface Contender {
  readonly at: number;
  /** of those groups */
  readonly kinds: bigint;
}

/** Too many literals stand where a segment is not plain to look at all of them. */
export const crowded = Symbol('crowded');

// Bounds the cost of a path (N10). One that needs more is refused; most that get this far would be anyway.
const maxVisits = 128;

/** Whether a pattern that matters to the route ends at the node or below. */
export function leadsTo({ kinds, first }: Node, contender: Contender, limit: number): boolean {
  return first < limit && (kinds & contender.kinds) !== 0n;
}

/**
 * Whether a service may read a path as one of a pattern: where the pattern has a literal, the segment either is that
 * literal, up to what services do not tell apart, or is not plain; and from a segment on that may be read as none or
 * as several everything may follow.
 *
 * A principle instead of a list of what servers do, because such a list is never complete: a path that is not plain may be
 * anything, one that is plain is itself.
 */
export class Search {
  readonly #segments: Segments;
  readonly #contender: Contender;
  readonly #limit: number;
  /** of all literals, so that not every dot of a long segment is looked at, which would be quadratic */
  readonly #longest: number;
  #visits = 0;
  #found: RouteGroup | undefined;

  constructor(
    segments: Segments,
    { contender, limit, longest }: { contender: Contender; limit: number; longest: number },
  ) {
    this.#segments = segments;
    this.#contender = contender;
    this.#limit = limit;
    this.#longest = longest;
  }

  run(root: Node): RouteGroup | typeof crowded | undefined {
    const { list, shiftsAt } = this.#segments;
    let nodes = [root];
    for (let depth = 0; nodes.length > 0 && this.#found === undefined; depth++) {
      if (this.#visits > maxVisits) return crowded;
      const shifts = shiftsAt <= depth;
      for (const node of nodes) {
        if (shifts) this.#checkAllBelow(node);
        else this.#check(node.rests);
        if (depth === list.length) this.#check(node.ends);
      }
      if (shifts || depth >= list.length) break;
      nodes = this.#step(nodes, depth);
    }
    return this.#found ?? (this.#visits > maxVisits ? crowded : undefined);
  }

  #step(nodes: readonly Node[], depth: number): Node[] {
    const { list, shiftsAt } = this.#segments;
    const segment = list[depth];
    const next: Node[] = [];
    if (segment === undefined) return next;
    const mayEnd = depth === list.length - 1 || shiftsAt === depth + 1;
    const folded = segment.text.toLowerCase();
    const names = segment.isPlain ? [folded, ...otherNames(folded)] : [];
    const mayBeShortFor = segment.isPlain ? shortNameOf(folded) : undefined;
    for (const { literals, any } of nodes) {
      for (const name of names) {
        const child = literals.get(name);
        if (child !== undefined && this.#isOfInterest(child)) next.push(child);
      }
      if (!segment.isPlain || mayBeShortFor !== undefined)
        for (const [literal, child] of literals)
          if (mayBeShortFor?.(literal) ?? true) this.#visit(child, next);
      if (any !== undefined && this.#isOfInterest(any)) next.push(any);
      if (mayEnd && segment.isPlain) this.#checkFormats(literals, folded);
    }
    return next;
  }

  /** `export.json` may be `export` in a format. */
  #checkFormats(literals: ReadonlyMap<string, Node>, folded: string): void {
    for (
      let dot = folded.indexOf('.', 1);
      dot > 0 && dot <= this.#longest;
      dot = folded.indexOf('.', dot + 1)
    ) {
      const child = literals.get(folded.slice(0, dot));
      if (child === undefined) continue;
      this.#check(child.ends);
      this.#check(child.rests);
    }
  }

  #visit(node: Node, next: Node[]): void {
    this.#visits++;
    if (this.#visits <= maxVisits && this.#isOfInterest(node)) next.push(node);
  }

  #isOfInterest(node: Node): boolean {
    return leadsTo(node, this.#contender, this.#limit);
  }

  #checkAllBelow(node: Node): void {
    if (this.#found !== undefined || ++this.#visits > maxVisits || !this.#isOfInterest(node)) return;
    this.#check(node.ends);
    this.#check(node.rests);
    for (const child of node.literals.values()) this.#checkAllBelow(child);
    if (node.any !== undefined) this.#checkAllBelow(node.any);
  }

  #check(endings: readonly Ending[]): void {
    if (endings.length === 0) return;
    const { at: own, kinds } = this.#contender;
    const rival = endings.find(({ at, kind }) => at < this.#limit && at !== own && (kind & kinds) !== 0n);
    this.#found ??= rival?.group;
  }
}
