import type { Tree } from "../forest/forest.ts";
import { cellsOf, type RowBlock, type RowFrame } from "./block.ts";
import { packWords } from "./cells.ts";
import { type CountLevel, missingCodes } from "./count.ts";
import { type GrowingTree, type Growth, HANDED, type LevelOptions, openNodes } from "./growth.ts";
import { bucketByNode, type Handed, handedIn, type HandOut, pieceRows, sentBytes } from "./hand-out.ts";
import { weightBits, weightLimits } from "./sampling.ts";
import { depthOf, type SendRows, type SentRows, type SubtreeGrower } from "./subtree.ts";

/** What ../assembly/rows exports; every argument is an unsigned 32-bit number or a double, pointers are byte offsets. */
interface RowsKernel {
  readonly memory: WebAssembly.Memory;
  reset(): void;
  allocate(bytes: number): number;
  loadFrame(
    columns: number,
    valueStart: number,
    values: number,
    uppers: number,
    limits: number,
    limitCount: number,
  ): void;
  loadBlock(first: number, rows: number, codes: number, targets: number): void;
  countTree(seed: number, tree: number, nodes: number, histograms: number, extremes: number, weights: number): void;
  sendRows(
    seed: number,
    first: number,
    trees: number,
    tops: number,
    bits: number,
    pieceRows: number,
    buckets: number,
  ): void;
  takeRows(
    sent: number,
    count: number,
    trees: number,
    index: number,
    bits: number,
    top: number,
    next: number,
    recordSize: number,
  ): void;
  beginSubtrees(rows: number, levels: number, size: number, records: number): void;
  growSubtree(
    seed: number,
    tree: number,
    id: number,
    depth: number,
    start: number,
    end: number,
    maxDepth: number,
    minLeaf: number,
    maxFeatures: number,
    minGain: number,
  ): number;
  readonly subtreeColumns: WebAssembly.Global;
  readonly subtreeValues: WebAssembly.Global;
  readonly subtreeLefts: WebAssembly.Global;
}

/** Bytes of a node as the kernel reads it, and what becomes of a row that ends in one. */
const NODE = 16;
const KINDS = { inner: 0, leaf: 1, noted: 2, counted: 3 } as const;
/** Bytes of a histogram's cell in the kernel. */
const CELL_BYTES = 16;
/** Words of a bucket that is sent to, and bytes before a piece's records. */
const BUCKET_WORDS = 6;
const PIECE_HEAD = 16;
/** A record's codes are read a word at a time, the last ones over its end. */
const SLACK = 8;
/** Bytes of a row that a subtree is grown from: its codes and a word. A multiple of 8, so that it is moved in few steps. */
const recordBytes = (columns: number): number => (columns + 4 + 7) & ~7;

type Bytes = Uint8Array | Uint32Array | Int32Array | Float64Array;

/** `countLevel` of ./count.ts, bit for bit. */
export const wasmCountLevel =
  (exports: WebAssembly.Exports): CountLevel =>
  (growth, frame, options, block) => {
    const kernel = begin(exports, frame, options);
    putBlock(kernel, block);
    const open = openNodes(growth);
    const extremes = kernel.allocate(open * 8);
    const view = new Int32Array(kernel.memory.buffer, extremes, open * 2);
    for (let at = 0; at < open; at++) view.set([0x7fffffff, -0x80000000], at * 2);
    // Histograms and nodes are those of one tree at a time.
    const countedIn = ({ parent }: GrowingTree): number => parent.filter((place) => place < 0).length;
    const bytes = cellsOf(frame) * CELL_BYTES;
    const histograms = kernel.allocate(Math.max(0, ...growth.trees.map(countedIn)) * bytes);
    const nodes = kernel.allocate(Math.max(...growth.trees.map(({ column }) => column.length)) * NODE);
    // Sixteen weights are drawn at a time, from up to three rows before the block.
    const weights = kernel.allocate(block.rows + 32);
    let place = 0;
    const cells = growth.trees.map((tree, index) => {
      const own = countedIn(tree) * bytes;
      new Uint8Array(kernel.memory.buffer, histograms, own).fill(0);
      let histogram = 0;
      const endings = new Map<number, Ending>();
      for (const [at, node] of tree.open.entries()) {
        const isCounted = (tree.parent[at] as number) < 0;
        const kind = isCounted ? KINDS.counted : KINDS.noted;
        endings.set(node, { kind, place: place++, histogram: isCounted ? histogram++ : 0 });
      }
      if (endings.size > 0) {
        putNodes(kernel, nodes, tree, frame, endings);
        kernel.countTree(options.seed, growth.first + index, nodes, histograms, extremes, weights);
      }
      return packWords(new Uint32Array(kernel.memory.buffer, histograms, own / 4));
    });
    const least = new Float64Array(open).fill(Number.POSITIVE_INFINITY);
    const most = new Float64Array(open).fill(Number.NEGATIVE_INFINITY);
    const seen = new Int32Array(kernel.memory.buffer, extremes, open * 2);
    for (let at = 0; at < open; at++) {
      if ((seen[at * 2] as number) > (seen[at * 2 + 1] as number)) continue;
      least[at] = seen[at * 2] as number;
      most[at] = seen[at * 2 + 1] as number;
    }
    return { cells, least, most };
  };

/** `sendRows` of ./subtree.ts, bit for bit; the pieces lie in the kernel's memory until its next task. */
export const wasmSendRows =
  (exports: WebAssembly.Exports): SendRows =>
  (growth, frame, options, out, block) => {
    const kernel = begin(exports, frame, options);
    putBlock(kernel, block);
    const bits = weightBits(weightLimits(options));
    const trees = growth.trees.slice(out.from, out.to);
    const tops = trees.map((tree, at) => putTop(kernel, tree, frame, bucketByNode(growth, out, out.from + at)));
    const buckets = put(kernel, new Uint32Array(out.buckets * BUCKET_WORDS));
    const topsAt = put(kernel, Uint32Array.from(tops));
    const size = sentBytes(frame.columns, trees.length, bits);
    const piece = pieceRows(out.buckets, size);
    kernel.sendRows(options.seed, growth.first + out.from, trees.length, topsAt, bits, piece, buckets);
    return Array.from({ length: out.buckets }, (_, bucket) =>
      piecesOf(kernel.memory.buffer, buckets + bucket * BUCKET_WORDS * 4, piece * size),
    );
  };

/** The pieces of a bucket, as ../assembly/rows/send.ts links them: all have so many bytes but the last, which may have fewer. */
function piecesOf(buffer: ArrayBuffer, bucket: number, bytes: number): SentRows {
  const words = new DataView(buffer);
  const wordAt = (at: number): number => words.getUint32(at, true);
  const [first, last, end] = [wordAt(bucket), wordAt(bucket + 4), wordAt(bucket + 8)];
  if (first === 0) return [];
  const pieces: Uint8Array[] = [];
  for (let at = first; at !== last; at = wordAt(at)) {
    pieces.push(new Uint8Array(buffer, at + PIECE_HEAD, bytes));
  }
  const from = last + PIECE_HEAD;
  return [...pieces, new Uint8Array(buffer, from, end - from)];
}

/** `subtreeGrower` of ./subtree.ts, bit for bit. */
export const wasmSubtreeGrower =
  (exports: WebAssembly.Exports): SubtreeGrower =>
  (growth, frame, options, out, bucket) => {
    const { seed, maxDepth, minLeaf, maxFeatures, minInfoGain = 0 } = options;
    const minGain = minInfoGain * frame.scale * frame.scale;
    const size = recordBytes(frame.columns);
    return (tree, sent) => {
      const handed = handedIn(growth, out, bucket, tree);
      if (handed.length === 0) return [];
      const kernel = begin(exports, frame, options);
      const room = handed.reduce((total, { rows }) => total + rows, 0);
      const records = kernel.allocate(room * size);
      const ranges = takeRows(kernel, records, growth, frame, options, out, tree, handed, sent);
      const top = Math.min(...handed.map(({ id }) => depthOf(id)));
      kernel.beginSubtrees(room, Math.max(0, maxDepth - top), size, records);
      const number = growth.first + tree;
      return handed.map(({ id }, place) => {
        const { start, end } = ranges[place] as RowRange;
        const limits = [maxDepth, minLeaf, maxFeatures, minGain] as const;
        return treeOf(kernel, kernel.growSubtree(seed, number, id, depthOf(id), start, end, ...limits));
      });
    };
  };

interface RowRange {
  readonly start: number;
  readonly end: number;
}

/** Brings the rows of a tree's handed nodes to `records`, those of a node side by side; tells where they are. */
function takeRows(
  kernel: RowsKernel,
  records: number,
  growth: Growth,
  frame: RowFrame,
  options: LevelOptions,
  out: HandOut,
  tree: number,
  handed: readonly Handed[],
  sent: readonly SentRows[],
): RowRange[] {
  const top = growth.trees[tree] as GrowingTree;
  const size = recordBytes(frame.columns);
  const starts: number[] = [];
  let row = 0;
  for (const { rows } of handed) {
    starts.push(row);
    row += rows;
  }
  const next = put(
    kernel,
    Uint32Array.from(starts, (start) => records + start * size),
  );
  const nodes = putTop(kernel, top, frame, new Map(handed.map(({ node }, place) => [node, place])));
  // No search where all that the tree has in the bucket is in one node.
  const from = handed.length === 1 ? nodes + (handed[0] as Handed).node * NODE : nodes;
  const trees = out.to - out.from;
  const bits = weightBits(weightLimits(options));
  const sentSize = sentBytes(frame.columns, trees, bits);
  const window = kernel.allocate(pieceRows(out.buckets, sentSize) * sentSize + SLACK);
  for (const piece of sent.flat()) {
    new Uint8Array(kernel.memory.buffer).set(piece, window);
    kernel.takeRows(window, piece.length / sentSize, trees, tree - out.from, bits, from, next, size);
  }
  const ends = new Uint32Array(kernel.memory.buffer, next, handed.length);
  return starts.map((start, place) => ({ start, end: ((ends[place] as number) - records) / size }));
}

/** Loads a tree's top whose handed nodes have their place from `placeOf`; gives where it is. */
function putTop(kernel: RowsKernel, top: GrowingTree, frame: RowFrame, placeOf: ReadonlyMap<number, number>): number {
  const nodes = kernel.allocate(top.column.length * NODE);
  const endings = [...placeOf].map(([node, place]) => [node, { kind: KINDS.noted, place, histogram: 0 }] as const);
  putNodes(kernel, nodes, top, frame, new Map(endings));
  return nodes;
}

function treeOf({ memory: { buffer }, subtreeColumns, subtreeValues, subtreeLefts }: RowsKernel, nodes: number): Tree {
  return {
    column: new Uint16Array(buffer, subtreeColumns.value as number, nodes).slice(),
    value: new Float64Array(buffer, subtreeValues.value as number, nodes).slice(),
    left: new Uint32Array(buffer, subtreeLefts.value as number, nodes).slice(),
  };
}

function begin(exports: WebAssembly.Exports, frame: RowFrame, options: LevelOptions): RowsKernel {
  const kernel = exports as unknown as RowsKernel;
  kernel.reset();
  const limits = weightLimits(options);
  const [valueStart, values, uppers] = [
    put(kernel, frame.valueStart),
    put(kernel, frame.values),
    put(kernel, frame.uppers),
  ];
  kernel.loadFrame(frame.columns, valueStart, values, uppers, put(kernel, limits), limits.length);
  return kernel;
}

function putBlock(kernel: RowsKernel, block: RowBlock): void {
  kernel.loadBlock(block.first, block.rows, put(kernel, block.codes), put(kernel, block.targets));
}

function put(kernel: RowsKernel, array: Bytes): number {
  const at = kernel.allocate(array.byteLength);
  new Uint8Array(kernel.memory.buffer).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
  return at;
}

/** What becomes of a row that ends in a node. */
interface Ending {
  readonly kind: number;
  readonly place: number;
  readonly histogram: number;
}

/** Loads a tree's nodes; where a row can reach no ending its way stops at once. */
function putNodes(
  kernel: RowsKernel,
  at: number,
  tree: GrowingTree,
  frame: RowFrame,
  endings: ReadonlyMap<number, Ending>,
): void {
  const missing = missingCodes(frame);
  const view = new DataView(kernel.memory.buffer, at, tree.column.length * NODE);
  const leads = tree.column.map(() => 0);
  // Children have larger numbers than their parents.
  for (let node = tree.column.length - 1; node >= 0; node--) {
    const from = node * NODE;
    const column = tree.column[node] as number;
    const left = tree.left[node] as number;
    const ending = endings.get(node);
    const isInner = column < HANDED && (leads[left] === 1 || leads[left + 1] === 1);
    leads[node] = isInner || ending !== undefined ? 1 : 0;
    view.setUint32(from, left, true);
    view.setUint16(from + 4, isInner ? column : 0, true);
    view.setUint8(from + 6, tree.border[node] as number);
    view.setUint8(from + 7, isInner ? (missing[column] as number) : 0);
    view.setUint8(from + 8, tree.missingLeft[node] as number);
    view.setUint8(from + 9, isInner ? KINDS.inner : (ending?.kind ?? KINDS.leaf));
    view.setUint16(from + 10, ending?.histogram ?? 0, true);
    view.setUint32(from + 12, ending?.place ?? 0, true);
  }
}
