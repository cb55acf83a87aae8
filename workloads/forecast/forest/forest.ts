/** In place of a node's column: the node is a leaf. */
export const LEAF = 0xffff;
/** Added to a node's column: a missing value goes left. */
export const MISSING_LEFT = 0x8000;

/** In place of a largest depth. */
export const UNLIMITED = 0xffffffff;

/** How trees are grown. The same seed and number always give the same tree, whatever else is grown beside it. */
export type ForestOptions = {
  /** Unsigned 32-bit. */
  readonly seed: number;
  /** Levels below the root, or UNLIMITED. */
  readonly maxDepth: number;
  /** A leaf holds at least so many distinct rows of the sample. */
  readonly minLeaf: number;
  /** How many columns, not constant in the node, a node tries. */
  readonly maxFeatures: number;
  /** Rows that a tree draws, as a share of all: 1 when absent. */
  readonly subsamplingRate?: number;
  /** Rows are drawn with replacement when absent, and without when false. */
  readonly bootstrap?: false;
  /** One threshold is drawn for each column that a node tries, in place of the best one (extremely randomised trees). */
  readonly randomThresholds?: true;
  /** A split lowers the node's variance by at least so much, in squared units of the target; 0 when absent. */
  readonly minInfoGain?: number;
  /** Columns with more distinct values are cut into so many bins; every distinct value is one when absent. */
  readonly maxBins?: number;
  /** Gradient boosting: each tree is grown on what the ones before it left, and its leaves count so much. */
  readonly stepSize?: number;
};

export type Grown = {
  readonly options: ForestOptions;
  /** The share of true values that a prediction's interval is to hold; `null` without intervals. */
  readonly intervals: number | null;
};

/**
 * Some consecutive trees, their nodes one tree after the other. A tree's root is its node 0. A prediction is
 * base + (sum of all trees' leaves) / models / scale, with the base and scale of the training set.
 */
export type Forest = {
  /** The number of the first tree. */
  readonly first: number;
  /** The models whose mean is predicted: in a forest each tree is one, in boosting all trees of a part are one. */
  readonly models: number;
  /** How the trees were grown, where something is asked of them that needs their samples. */
  readonly grown?: Grown;
  /** Nodes of each tree. */
  readonly sizes: Uint32Array;
  /** Per node: its column with MISSING_LEFT, or LEAF. */
  readonly column: Uint16Array;
  /** Per node: the threshold (a value up to it goes left), or a leaf's value in the training set's whole numbers. */
  readonly value: Float64Array;
  /** Per node: its left child within the tree; the right one follows it. 0 in a leaf. */
  readonly left: Uint32Array;
};

/** One tree as a kernel gives it: the same three arrays. */
export type Tree = Pick<Forest, "column" | "value" | "left">;

/** What is reserved beyond the mean tree so far: trees of one forest differ in size by a few per cent. */
const SPARE = 1.1;

/**
 * Trees that are put together as they are grown: each is copied once, to where it stays, so that a kernel may write the next one
 * over it. Memory that was never written costs nothing, so room is taken for all trees by the size of the first ones.
 */
export class TreeList {
  readonly #expected: number;
  readonly #allocate: (bytes: number) => Uint8Array;
  readonly #sizes: number[] = [];
  #nodes = 0;
  #arrays: Tree = { column: new Uint16Array(), value: new Float64Array(), left: new Uint32Array() };

  /** For about `expected` trees; `allocate` gives memory that can leave the task without a copy. */
  constructor(expected: number, allocate: (bytes: number) => Uint8Array) {
    this.#expected = expected;
    this.#allocate = allocate;
  }

  add(tree: Tree): void {
    const nodes = this.#nodes + tree.column.length;
    const trees = this.#sizes.length + 1;
    if (nodes > this.#arrays.column.length) {
      this.reserve(Math.ceil(Math.max(nodes, (nodes / trees) * this.#expected) * SPARE));
    }
    copyTrees(tree, this.#arrays, this.#nodes);
    this.#sizes.push(tree.column.length);
    this.#nodes = nodes;
  }

  /** Takes room for so many nodes, those that are there included. */
  reserve(nodes: number): void {
    const held = this.#held();
    this.#arrays = {
      value: new Float64Array(...span(this.#allocate(nodes * 8), nodes)),
      left: new Uint32Array(...span(this.#allocate(nodes * 4), nodes)),
      column: new Uint16Array(...span(this.#allocate(nodes * 2), nodes)),
    };
    copyTrees(held, this.#arrays, 0);
  }

  /** All trees added, the first of which has the number `first`. */
  forest(first: number, models: number): Forest {
    return { first, models, sizes: Uint32Array.from(this.#sizes), ...this.#held() };
  }

  #held(): Tree {
    const { column, value, left } = this.#arrays;
    const nodes = this.#nodes;
    return { column: column.subarray(0, nodes), value: value.subarray(0, nodes), left: left.subarray(0, nodes) };
  }
}

function copyTrees(from: Tree, to: Tree, at: number): void {
  to.column.set(from.column, at);
  to.value.set(from.value, at);
  to.left.set(from.left, at);
}

/** The arguments of a view on allocated bytes. */
const span = (bytes: Uint8Array, length: number): [ArrayBufferLike, number, number] => [
  bytes.buffer,
  bytes.byteOffset,
  length,
];

/** Puts trees together; `allocate` gives memory that can leave the task without a copy. */
export function joinTrees(
  first: number,
  trees: readonly Tree[],
  allocate: (bytes: number) => Uint8Array,
  models = trees.length,
): Forest {
  const list = new TreeList(trees.length, allocate);
  list.reserve(trees.reduce((total, tree) => total + tree.column.length, 0));
  for (const tree of trees) list.add(tree);
  return list.forest(first, models);
}

/**
 * Adds each tree's leaf value for every row of `features` (row-major, NaN where missing) to `sums`. The sums are whole
 * numbers, exact: parts of a forest may be summed apart and in any order.
 */
export function sumLeaves(forest: Forest, features: Float64Array, columns: number, sums: Float64Array): void {
  let root = 0;
  for (const size of forest.sizes) {
    for (let row = 0; row < sums.length; row++) {
      const leaf = leafOf(forest, root, features, row * columns);
      sums[row] = (sums[row] as number) + (forest.value[leaf] as number);
    }
    root += size;
  }
}

/** The leaf, as a position in the forest's lists, of the tree at `root` that the row at `at` of `features` falls into. */
export function leafOf({ column, value, left }: Forest, root: number, features: Float64Array, at: number): number {
  let node = root;
  for (;;) {
    const code = column[node] as number;
    if (code === LEAF) return node;
    const feature = features[at + (code & ~MISSING_LEFT)] as number;
    const goesLeft = feature === feature ? feature <= (value[node] as number) : code >= MISSING_LEFT;
    node = root + (left[node] as number) + (goesLeft ? 0 : 1);
  }
}
