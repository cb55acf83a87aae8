import { addCells, type PackedCells, packCells } from "./cells.ts";
import { cellsOf, missingBin, NO_TARGET, type RowBlock, type RowFrame } from "./block.ts";
import { CELL, type Growth, groupOf, type LevelOptions, nodeOf, OPEN, openNodes } from "./growth.ts";
import { drawWeights, weightLimits } from "./sampling.ts";

/** What a level's nodes have of some rows. Sums of whole numbers: the parts may be added up in any order. */
export type LevelCounts = {
  /** By tree, [its counted nodes × cells]. */
  readonly cells: readonly PackedCells[];
  /** [open nodes] The smallest and the largest target, to tell nodes that are pure. */
  readonly least: Float64Array;
  readonly most: Float64Array;
};

/** Fills the histograms of the level that is to be split with one block's rows, as each tree has drawn them. */
export type CountLevel = (growth: Growth, frame: RowFrame, options: LevelOptions, block: RowBlock) => LevelCounts;

/** By column, the code of a missing value. */
export const missingCodes = (frame: RowFrame): Uint8Array =>
  Uint8Array.from({ length: frame.columns }, (_, column) => missingBin(frame, column));

export const countLevel: CountLevel = (growth, frame, options, block) => {
  const { columns, cellStart } = frame;
  const width = cellsOf(frame) * CELL;
  const least = new Float64Array(openNodes(growth)).fill(Number.POSITIVE_INFINITY);
  const most = new Float64Array(openNodes(growth)).fill(Number.NEGATIVE_INFINITY);
  const missing = missingCodes(frame);
  const limits = weightLimits(options);
  let place = 0;
  const cells = growth.trees.map((tree, index) => {
    const placeOf = new Int32Array(tree.column.length);
    const histogramOf = new Int32Array(tree.column.length).fill(-1);
    let counted = 0;
    tree.open.forEach((node, at) => {
      placeOf[node] = place++;
      if ((tree.parent[at] as number) < 0) histogramOf[node] = counted++;
    });
    const own = new Float64Array(counted * width);
    const weights = drawWeights(limits, options.seed, growth.first + index, block.first, block.rows);
    for (let row = 0; row < block.rows; row++) {
      const weight = weights[row] as number;
      const target = block.targets[row] as number;
      if (weight === 0 || target === NO_TARGET) continue;
      const node = nodeOf(tree, missing, block.codes, row * columns);
      if (tree.column[node] !== OPEN) continue;
      const at = placeOf[node] as number;
      least[at] = Math.min(least[at] as number, target);
      most[at] = Math.max(most[at] as number, target);
      const histogram = histogramOf[node] as number;
      if (histogram < 0) continue;
      for (let column = 0; column < columns; column++) {
        const code = block.codes[row * columns + column] as number;
        addRow(own, histogram * width + ((cellStart[column] as number) + code) * CELL, target, weight);
      }
    }
    return packCells(own);
  });
  return { cells, least, most };
};

/** What a block has counted, for each of `groups` parts of the growth. */
export function cutCounts(growth: Growth, groups: number, { cells, least, most }: LevelCounts): LevelCounts[] {
  let tree = 0;
  let open = 0;
  return Array.from({ length: groups }, (_, group) => {
    const own = groupOf(growth, groups, group);
    const [from, first] = [tree, open];
    tree += own.trees.length;
    open += openNodes(own);
    return { cells: cells.slice(from, tree), least: least.subarray(first, open), most: most.subarray(first, open) };
  });
}

/** Adds a row to the cell at `at`. */
export function addRow(cells: Float64Array, at: number, target: number, weight: number): void {
  cells[at] = (cells[at] as number) + target * weight;
  cells[at + 1] = (cells[at + 1] as number) + weight;
  cells[at + 2] = (cells[at + 2] as number) + 1;
}

/** A level's histograms of all rows, for each of its open nodes. */
export type LevelSums = Omit<LevelCounts, "cells"> & {
  /** [open nodes × cells × CELL], those of all trees one after the other. */
  readonly cells: Float64Array;
};

/**
 * Adds up what blocks have counted; a node that was not counted has what its sibling leaves of their parent, which is in `above`, the sums
 * of the level before.
 */
export function sumLevel(
  growth: Growth,
  frame: RowFrame,
  parts: readonly LevelCounts[],
  above: LevelSums | undefined,
): LevelSums {
  const width = cellsOf(frame) * CELL;
  const cells = new Float64Array(openNodes(growth) * width);
  let place = 0;
  growth.trees.forEach(({ parent }, tree) => {
    let counted = 0;
    for (const from of parent) {
      if (from < 0) {
        const own = cells.subarray(place * width, (place + 1) * width);
        for (const part of parts) addCells(own, part.cells[tree] as PackedCells, counted * cellsOf(frame));
        counted++;
      }
      place++;
    }
  });
  place = 0;
  for (const tree of growth.trees) {
    tree.parent.forEach((from, at) => {
      if (from < 0) return;
      if (above === undefined) throw new RangeError("the level above is needed");
      // Siblings stand side by side; the left one's number is even.
      const isLeft = (tree.id[tree.open[at] as number] as number) % 2 === 0;
      const own = (place + at) * width;
      const sibling = own + (isLeft ? width : -width);
      for (let cell = 0; cell < width; cell++) {
        cells[own + cell] = (above.cells[from * width + cell] as number) - (cells[sibling + cell] as number);
      }
    });
    place += tree.open.length;
  }
  const least = new Float64Array(place).fill(Number.POSITIVE_INFINITY);
  const most = new Float64Array(place).fill(Number.NEGATIVE_INFINITY);
  for (const part of parts) {
    for (let at = 0; at < place; at++) {
      least[at] = Math.min(least[at] as number, part.least[at] as number);
      most[at] = Math.max(most[at] as number, part.most[at] as number);
    }
  }
  return { cells, least, most };
}
