import { type ForestOptions, LEAF, MISSING_LEFT, type Tree } from "../forest/forest.ts";
import type { RowFrame } from "./block.ts";

/** Numbers of a histogram's cell: the sum of the weighted targets, the weight, and the rows. All are whole numbers. */
export const CELL = 3;

/** Trees that grow level by level, each as lists by node; nodes are numbered by level, and from left to right in one. */
export type Growth = {
  /** The number of the first tree. */
  readonly first: number;
  readonly trees: readonly GrowingTree[];
};

export type GrowingTree = {
  /** By node: its column, LEAF, or OPEN. */
  readonly column: Uint16Array;
  /** The last bin that goes left. */
  readonly border: Uint16Array;
  readonly missingLeft: Uint8Array;
  readonly left: Uint32Array;
  /** A threshold, or a leaf's value. */
  readonly value: Float64Array;
  /** The first node of the level that is still to be split. */
  readonly open: number;
};

/** In place of a column: whether the node is split is not yet known. */
export const OPEN = 0xfffe;

export const beginGrowth = (first: number, count: number): Growth => ({
  first,
  trees: Array.from({ length: count }, () => ({
    column: Uint16Array.of(OPEN),
    border: new Uint16Array(1),
    missingLeft: new Uint8Array(1),
    left: new Uint32Array(1),
    value: new Float64Array(1),
    open: 0,
  })),
});

/** Nodes of the level that is still to be split, those that are leaves already among them. */
export const openNodes = ({ column, open }: GrowingTree): number => column.length - open;

/** The node of the last level that a row is in, or the leaf above it. */
export function nodeOf(tree: GrowingTree, { cellStart }: RowFrame, bins: Uint16Array, at: number): number {
  let node = 0;
  for (;;) {
    const column = tree.column[node] as number;
    if (column >= OPEN) return node;
    const bin = bins[at + column] as number;
    const missing = (cellStart[column + 1] as number) - (cellStart[column] as number) - 1;
    const goesLeft = bin === missing ? tree.missingLeft[node] === 1 : bin <= (tree.border[node] as number);
    node = (tree.left[node] as number) + (goesLeft ? 0 : 1);
  }
}

/** The tree as all others are. */
export const finishTree = ({ column, missingLeft, left, value }: GrowingTree): Tree => ({
  column: column.map((code, node) => (code === LEAF || missingLeft[node] === 0 ? code : code | MISSING_LEFT)),
  value,
  left,
});

/** The options that count when trees grow by levels. */
export type LevelOptions = Omit<ForestOptions, "randomThresholds" | "maxBins" | "stepSize">;
