import { type ForestOptions, LEAF, MISSING_LEFT, type Tree } from "../forest/forest.ts";

/** Numbers of a histogram's cell: the sum of the weighted targets, the weight, and the rows. All are whole numbers. */
export const CELL = 3;

/** In place of a column: the node is to be split on all blocks' histograms. */
export const OPEN = 0xfffe;
/** In place of a column: so few rows are in the node that one task grows what is below it. */
export const HANDED = 0xfffd;

/** Trees that grow level by level. */
export type Growth = {
  /** The number of the first tree. */
  readonly first: number;
  readonly trees: readonly GrowingTree[];
};

/** Lists by node; nodes are numbered by level, and from left to right in one. */
export type GrowingTree = {
  /** A column, LEAF, OPEN or HANDED. */
  readonly column: Uint16Array;
  /** The last bin that goes left. */
  readonly border: Uint8Array;
  readonly missingLeft: Uint8Array;
  readonly left: Uint32Array;
  /** A threshold, or a leaf's value. */
  readonly value: Float64Array;
  /** The node's number in a full tree: 1 for the root, 2 n and 2 n + 1 for the children of n. */
  readonly id: Uint32Array;
  /** Drawn rows. */
  readonly rows: Uint32Array;
  /** The nodes that are to be split. */
  readonly open: Uint32Array;
  /**
   * For each of them −1 where its rows are counted; else its place in the level above, from whose counts those of its
   * sibling are taken off.
   */
  readonly parent: Int32Array;
};

/** The options that count when trees grow by levels. */
export type LevelOptions = Omit<ForestOptions, "randomThresholds" | "maxBins" | "stepSize">;

export const beginGrowth = (first: number, count: number, rows: number, small: number): Growth => ({
  first,
  trees: Array.from({ length: count }, () => {
    const isOpen = rows > small;
    return {
      column: Uint16Array.of(isOpen ? OPEN : HANDED),
      border: new Uint8Array(1),
      missingLeft: new Uint8Array(1),
      left: new Uint32Array(1),
      value: new Float64Array(1),
      id: Uint32Array.of(1),
      rows: Uint32Array.of(rows),
      open: Uint32Array.from(isOpen ? [0] : []),
      parent: Int32Array.from(isOpen ? [-1] : []),
    };
  }),
});

/** One of `groups` parts of a growth, of about as many trees each. */
export function groupOf({ first, trees }: Growth, groups: number, group: number): Growth {
  const start = Math.floor((group * trees.length) / groups);
  return { first: first + start, trees: trees.slice(start, Math.floor(((group + 1) * trees.length) / groups)) };
}

/** The nodes of all trees that are to be split. */
export const openNodes = ({ trees }: Growth): number => trees.reduce((total, { open }) => total + open.length, 0);

/** The handed or open node of the tree that a row is in, or its leaf. `codes` has the row from `at` on. */
export function nodeOf(tree: GrowingTree, missing: Uint8Array, codes: Uint8Array, at: number): number {
  let node = 0;
  for (;;) {
    const column = tree.column[node] as number;
    if (column >= HANDED) return node;
    const code = codes[at + column] as number;
    const goesLeft = code === missing[column] ? tree.missingLeft[node] === 1 : code <= (tree.border[node] as number);
    node = (tree.left[node] as number) + (goesLeft ? 0 : 1);
  }
}

/** The tree as all others are, with the subtrees of its handed nodes in their order. */
export function finishTree(top: GrowingTree, subtrees: readonly Tree[]): Tree {
  const column = [...top.column].map((code, node) =>
    code < HANDED && top.missingLeft[node] ? code | MISSING_LEFT : code,
  );
  const value = [...top.value];
  const left = [...top.left];
  let next = 0;
  for (let node = 0; node < top.column.length; node++) {
    if (top.column[node] !== HANDED) continue;
    const subtree = subtrees[next++];
    if (subtree === undefined) throw new RangeError(`node ${node} has no subtree`);
    // Its root stands where the handed node was; its other nodes follow all that are there.
    const shift = column.length - 1;
    subtree.column.forEach((code, at) => {
      const place = at === 0 ? node : shift + at;
      column[place] = code;
      value[place] = subtree.value[at] as number;
      left[place] = code === LEAF ? 0 : (subtree.left[at] as number) + shift;
    });
  }
  return { column: Uint16Array.from(column), value: Float64Array.from(value), left: Uint32Array.from(left) };
}
