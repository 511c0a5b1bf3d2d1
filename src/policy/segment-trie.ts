/** What a trie of path segments is made of; what stands at the nodes is theirs to say. */
export interface TrieNode<Self> {
  readonly literals: Map<string, Self>;
  /** of `*` */
  any: Self | undefined;
}

/** @param literal - undefined: `*`. @returns the node behind it, made if there is none yet */
export function childOf<Self extends TrieNode<Self>>(
  node: Self,
  literal: string | undefined,
  make: () => Self,
): Self {
  if (literal === undefined) {
    node.any ??= make();
    return node.any;
  }
  const child = node.literals.get(literal) ?? make();
  node.literals.set(literal, child);
  return child;
}
