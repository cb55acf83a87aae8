import { LEAF, MISSING_LEFT, type Tree } from "../forest/forest.ts";
import { cellsOf, NO_TARGET, type RowBlock, type RowFrame, TARGET_LIMIT } from "./block.ts";
import { addRow, missingCodes } from "./count.ts";
import { CELL, type Growth, handedNodes, bucketsOf, type LevelOptions, nodeOf } from "./growth.ts";
import { drawWeights, weightLimits } from "./sampling.ts";
import { bestSplit, leafValue, placeSplit, sumOf } from "./split.ts";

/** Drawn rows of one block on their way to a task that grows subtrees. */
export type SentRows = {
  /** Of each subtree of the task, in the order of their nodes. */
  readonly counts: Uint32Array;
  /** [rows × recordBytes] The codes, then (target + TARGET_LIMIT) × 64 + weight as a little-endian word; those of a subtree together. */
  readonly records: Uint8Array;
};

/** Bytes of a row that is sent: its codes, and four more. A multiple of 8, so that it is moved in few steps. */
export const recordBytes = (columns: number): number => (columns + 4 + 7) & ~7;

/** Which trees of a growth are handed out together, and to how many tasks. */
export type HandOut = { readonly from: number; readonly to: number; readonly buckets: number };

/** Sends each row of a block that a handed node has to the task that grows what is below: one result for each bucket. */
export type SendRows = (
  growth: Growth,
  frame: RowFrame,
  options: LevelOptions,
  out: HandOut,
  block: RowBlock,
) => SentRows[];

export const sendRows: SendRows = (growth, frame, options, { from, to, buckets }, block) => {
  const { columns } = frame;
  const handed = handedNodes(growth, from, to);
  const missing = missingCodes(frame);
  const limits = weightLimits(options);
  const size = recordBytes(columns);
  const rows = handed.map((): Uint8Array[] => []);
  for (let tree = from; tree < to; tree++) {
    const growing = growth.trees[tree];
    if (growing === undefined) throw new RangeError(`there is no tree ${tree}`);
    const placeOf = new Map(handed.flatMap((one, at) => (one.tree === tree ? [[one.node, at] as const] : [])));
    const weights = drawWeights(limits, options.seed, growth.first + tree, block.first, block.rows);
    for (let row = 0; row < block.rows; row++) {
      const weight = weights[row] as number;
      if (weight === 0 || block.targets[row] === NO_TARGET) continue;
      const place = placeOf.get(nodeOf(growing, missing, block.codes, row * columns));
      if (place === undefined) continue;
      const record = new Uint8Array(size);
      record.set(block.codes.subarray(row * columns, (row + 1) * columns));
      const word = ((block.targets[row] as number) + TARGET_LIMIT) * 64 + weight;
      new DataView(record.buffer).setUint32(size - 4, word, true);
      rows[place]?.push(record);
    }
  }
  const bucketOf = bucketsOf(handed, buckets);
  return Array.from({ length: buckets }, (_, bucket) => {
    const own = rows.filter((_, at) => bucketOf[at] === bucket);
    const records = new Uint8Array(own.reduce((total, list) => total + list.length, 0) * size);
    own.flat().forEach((record, at) => {
      records.set(record, at * size);
    });
    return { counts: Uint32Array.from(own, (list) => list.length), records };
  });
};

/** Where a subtree begins. */
export type SubtreeRoot = { readonly tree: number; readonly id: number; readonly depth: number };

/** Grows one subtree from the records of its rows, in any order: they decide nothing but sums. */
export type GrowSubtree = (root: SubtreeRoot, records: readonly Uint8Array[]) => Tree;

export const depthOf = (id: number): number => 31 - Math.clz32(id);

/** The grower that every kernel must match, bit for bit. */
export function subtreeGrower(frame: RowFrame, options: LevelOptions): GrowSubtree {
  const { columns, cellStart } = frame;
  const size = recordBytes(columns);
  const missing = missingCodes(frame);
  return ({ tree, id, depth }, parts) => {
    const records = parts.flatMap((part) =>
      Array.from({ length: part.length / size }, (_, at) => part.subarray(at * size, (at + 1) * size)),
    );
    const wordOf = (record: Uint8Array): number =>
      new DataView(record.buffer, record.byteOffset).getUint32(size - 4, true);
    const targetOf = (record: Uint8Array): number => (wordOf(record) >>> 6) - TARGET_LIMIT;
    const column: number[] = [0];
    const value: number[] = [0];
    const left: number[] = [0];
    const grow = (node: number, own: number, depth: number, rows: readonly Uint8Array[]): void => {
      const cells = new Float64Array(cellsOf(frame) * CELL);
      for (const row of rows) {
        const [target, weight] = [targetOf(row), wordOf(row) & 63];
        for (let at = 0; at < columns; at++) {
          addRow(cells, ((cellStart[at] as number) + (row[at] as number)) * CELL, target, weight);
        }
      }
      const total = sumOf(cells, cellStart[1] as number);
      const pure = rows.every((row) => targetOf(row) === targetOf(rows[0] as Uint8Array));
      const best = pure || depth >= options.maxDepth ? undefined : bestSplit(cells, total, tree, own, frame, options);
      if (best === undefined) {
        column[node] = LEAF;
        value[node] = leafValue(total);
        left[node] = 0;
        return;
      }
      const { threshold, border } = placeSplit(frame, best);
      const child = column.length;
      column[node] = best.missingLeft ? best.column | MISSING_LEFT : best.column;
      value[node] = threshold;
      left[node] = child;
      column.push(0, 0);
      value.push(0, 0);
      left.push(0, 0);
      const goesLeft = (row: Uint8Array): boolean => {
        const code = row[best.column] as number;
        return code === missing[best.column] ? best.missingLeft : code <= border;
      };
      grow(child, 2 * own, depth + 1, rows.filter(goesLeft));
      grow(
        child + 1,
        2 * own + 1,
        depth + 1,
        rows.filter((row) => !goesLeft(row)),
      );
    };
    grow(0, id, depth, records);
    return { column: Uint16Array.from(column), value: Float64Array.from(value), left: Uint32Array.from(left) };
  };
}
