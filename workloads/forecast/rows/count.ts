import { drawRows } from "../forest/sample.ts";
import type { RowBlock, RowFrame } from "./block.ts";
import { CELL, type Growth, type LevelOptions, nodeOf, OPEN, openNodes } from "./growth.ts";

/** What a level's nodes have of some rows. Sums of whole numbers: the parts may be added up in any order. */
export type LevelCounts = {
  /** [nodes × cells × CELL], the open nodes of all trees one after the other. */
  readonly cells: Float64Array;
  /** [nodes] The smallest and the largest target, to tell nodes that are pure. */
  readonly least: Float64Array;
  readonly most: Float64Array;
};

/** Fills the histograms of the level that is to be split with one block's rows, as each tree has drawn them. */
export function countLevel(
  growth: Growth,
  frame: RowFrame,
  options: LevelOptions,
  block: RowBlock,
  allocate: (bytes: number) => Uint8Array = (bytes) => new Uint8Array(bytes),
): LevelCounts {
  const { columns, cellStart } = frame;
  const width = (cellStart[columns] as number) * CELL;
  const nodes = growth.trees.reduce((total, tree) => total + openNodes(tree), 0);
  const memory = allocate(nodes * width * 8);
  const cells = new Float64Array(memory.buffer, memory.byteOffset, nodes * width).fill(0);
  const least = new Float64Array(nodes).fill(Number.POSITIVE_INFINITY);
  const most = new Float64Array(nodes).fill(Number.NEGATIVE_INFINITY);
  let base = 0;
  growth.trees.forEach((tree, index) => {
    if (openNodes(tree) === 0) return;
    const times = drawRows(frame.rows, options, growth.first + index);
    for (let row = 0; row < block.targets.length; row++) {
      const weight = times[block.first + row] as number;
      if (weight === 0) continue;
      const node = nodeOf(tree, frame, block.bins, row * columns);
      if (tree.column[node] !== OPEN) continue;
      const slot = base + node - tree.open;
      const target = block.targets[row] as number;
      least[slot] = Math.min(least[slot] as number, target);
      most[slot] = Math.max(most[slot] as number, target);
      const from = slot * width;
      for (let column = 0; column < columns; column++) {
        const cell = from + ((cellStart[column] as number) + (block.bins[row * columns + column] as number)) * CELL;
        cells[cell] = (cells[cell] as number) + target * weight;
        cells[cell + 1] = (cells[cell + 1] as number) + weight;
        cells[cell + 2] = (cells[cell + 2] as number) + 1;
      }
    }
    base += openNodes(tree);
  });
  return { cells, least, most };
}

/** Adds up what blocks have counted. */
export function addCounts(parts: readonly LevelCounts[]): LevelCounts {
  const [first, ...rest] = parts;
  if (first === undefined) throw new RangeError("no block was counted");
  const cells = first.cells.slice();
  const least = first.least.slice();
  const most = first.most.slice();
  for (const part of rest) {
    for (let at = 0; at < cells.length; at++) cells[at] = (cells[at] as number) + (part.cells[at] as number);
    for (let at = 0; at < least.length; at++) {
      least[at] = Math.min(least[at] as number, part.least[at] as number);
      most[at] = Math.max(most[at] as number, part.most[at] as number);
    }
  }
  return { cells, least, most };
}
