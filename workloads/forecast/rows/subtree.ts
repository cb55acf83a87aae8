import { LEAF, MISSING_LEFT, type Tree } from "../forest/forest.ts";
import { cellsOf, NO_TARGET, type RowBlock, type RowFrame, TARGET_LIMIT } from "./block.ts";
import { addRow, missingCodes } from "./count.ts";
import { CELL, type Growth, type LevelOptions, nodeOf } from "./growth.ts";
import { bucketByNode, type HandOut, handedIn, pieceRows, sentBytes } from "./hand-out.ts";
import { drawWeights, weightBits, weightLimits } from "./sampling.ts";
import { bestSplit, leafValue, placeSplit, sumOf } from "./split.ts";

/**
 * Rows of one block on their way to a task that grows subtrees, in pieces of `pieceRows` records, the last one of fewer. A row is sent to a
 * bucket once, for all trees of the hand-out. A record has its codes, the word (target + TARGET_LIMIT), and for each tree the weight, or 0 where
 * the tree did not draw the row or has it elsewhere: `weightBits` bits each, all little-endian.
 */
export type SentRows = readonly Uint8Array[];

/** Sends each row of a block that a handed node has to the task that grows what is below: one result for each bucket. */
export type SendRows = (
  growth: Growth,
  frame: RowFrame,
  options: LevelOptions,
  out: HandOut,
  block: RowBlock,
) => SentRows[];

export const sendRows: SendRows = (growth, frame, options, out, block) => {
  const { columns } = frame;
  const limits = weightLimits(options);
  const bits = weightBits(limits);
  const missing = missingCodes(frame);
  const trees = growth.trees.slice(out.from, out.to);
  const size = sentBytes(columns, trees.length, bits);
  const weights = trees.map((_, at) =>
    drawWeights(limits, options.seed, growth.first + out.from + at, block.first, block.rows),
  );
  const buckets = trees.map((_, at) => bucketByNode(growth, out, out.from + at));
  const records = Array.from({ length: out.buckets }, (): Uint8Array[] => []);
  for (let row = 0; row < block.rows; row++) {
    const target = block.targets[row] as number;
    if (target === NO_TARGET) continue;
    const sent = new Map<number, Uint8Array>();
    trees.forEach((tree, at) => {
      const weight = weights[at]?.[row] as number;
      const bucket = buckets[at]?.get(nodeOf(tree, missing, block.codes, row * columns));
      if (weight === 0 || bucket === undefined) return;
      let record = sent.get(bucket);
      if (record === undefined) {
        record = new Uint8Array(size);
        record.set(block.codes.subarray(row * columns, (row + 1) * columns));
        new DataView(record.buffer).setUint32(columns, target + TARGET_LIMIT, true);
        sent.set(bucket, record);
        records[bucket]?.push(record);
      }
      putWeight(record.subarray(columns + 4), at * bits, weight);
    });
  }
  return records.map((own) => inPieces(own, size, pieceRows(out.buckets, size)));
};

/** Weights have at most 6 bits: they lie in one or two bytes. */
function putWeight(bytes: Uint8Array, bit: number, weight: number): void {
  const word = weight << (bit & 7);
  const at = bit >>> 3;
  bytes[at] = (bytes[at] as number) | word;
  if (word > 0xff) bytes[at + 1] = (bytes[at + 1] as number) | (word >>> 8);
}

const weightAt = (bytes: Uint8Array, bit: number, bits: number): number =>
  (((bytes[bit >>> 3] as number) | ((bytes[(bit >>> 3) + 1] ?? 0) << 8)) >>> (bit & 7)) & ((1 << bits) - 1);

function inPieces(records: readonly Uint8Array[], size: number, rows: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(records.length / rows) }, (_, piece) => {
    const own = records.slice(piece * rows, (piece + 1) * rows);
    const bytes = new Uint8Array(own.length * size);
    own.forEach((record, at) => {
      bytes.set(record, at * size);
    });
    return bytes;
  });
}

/** Grows what is below the handed nodes that one tree of a growth has in a bucket, in their order, from what all blocks sent. */
export type GrowSubtrees = (tree: number, sent: readonly SentRows[]) => Tree[];

/** Makes the grower of one bucket of a hand-out. */
export type SubtreeGrower = (
  growth: Growth,
  frame: RowFrame,
  options: LevelOptions,
  out: HandOut,
  bucket: number,
) => GrowSubtrees;

export const depthOf = (id: number): number => 31 - Math.clz32(id);

interface DrawnRow {
  readonly codes: Uint8Array;
  readonly target: number;
  readonly weight: number;
}

/** The grower that every kernel must match, bit for bit. */
export const subtreeGrower: SubtreeGrower = (growth, frame, options, out, bucket) => {
  const { columns } = frame;
  const bits = weightBits(weightLimits(options));
  const size = sentBytes(columns, out.to - out.from, bits);
  const missing = missingCodes(frame);
  return (tree, sent) => {
    const top = growth.trees[tree];
    if (top === undefined) throw new RangeError(`there is no tree ${tree}`);
    const drawn = new Map<number, DrawnRow[]>();
    for (const piece of sent.flat()) {
      for (let at = 0; at < piece.length; at += size) {
        const record = piece.subarray(at, at + size);
        const weight = weightAt(record.subarray(columns + 4), (tree - out.from) * bits, bits);
        if (weight === 0) continue;
        const codes = record.subarray(0, columns);
        const target = new DataView(record.buffer, record.byteOffset).getUint32(columns, true) - TARGET_LIMIT;
        const node = nodeOf(top, missing, codes, 0);
        const rows = drawn.get(node) ?? [];
        rows.push({ codes, target, weight });
        drawn.set(node, rows);
      }
    }
    return handedIn(growth, out, bucket, tree).map(({ node, id }) =>
      growSubtree(growth.first + tree, id, drawn.get(node) ?? [], frame, options),
    );
  };
};

function growSubtree(tree: number, id: number, all: readonly DrawnRow[], frame: RowFrame, options: LevelOptions): Tree {
  const { columns, cellStart } = frame;
  const missing = missingCodes(frame);
  const column: number[] = [0];
  const value: number[] = [0];
  const left: number[] = [0];
  const grow = (node: number, own: number, depth: number, rows: readonly DrawnRow[]): void => {
    const cells = new Float64Array(cellsOf(frame) * CELL);
    for (const { codes, target, weight } of rows) {
      for (let at = 0; at < columns; at++) {
        addRow(cells, ((cellStart[at] as number) + (codes[at] as number)) * CELL, target, weight);
      }
    }
    const total = sumOf(cells, cellStart[1] as number);
    const pure = rows.every(({ target }) => target === rows[0]?.target);
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
    const goesLeft = ({ codes }: DrawnRow): boolean => {
      const code = codes[best.column] as number;
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
  grow(0, id, depthOf(id), all);
  return { column: Uint16Array.from(column), value: Float64Array.from(value), left: Uint32Array.from(left) };
}
