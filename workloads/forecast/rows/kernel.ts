import type { Tree } from "../forest/forest.ts";
import { cellsOf, type RowBlock, type RowFrame } from "./block.ts";
import { type CountLevel, missingCodes } from "./count.ts";
import {
  bucketsOf,
  CELL,
  countedNodes,
  type GrowingTree,
  HANDED,
  handedNodes,
  type LevelOptions,
  openNodes,
} from "./growth.ts";
import { weightLimits } from "./sampling.ts";
import { type GrowSubtree, recordBytes, type SendRows, type SentRows } from "./subtree.ts";

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
  loadBlock(first: number, rows: number, codes: number, targets: number, weights: number): void;
  countTree(seed: number, tree: number, nodes: number, histograms: number, extremes: number): void;
  writeCells(histogram: number, count: number, out: number): void;
  markTree(seed: number, tree: number, nodes: number, marks: number, counts: number): void;
  sendTree(marks: number, next: number, size: number): void;
  beginSubtrees(rows: number, levels: number, size: number, records: number): void;
  growSubtree(
    seed: number,
    tree: number,
    id: number,
    depth: number,
    rows: number,
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

type Bytes = Uint8Array | Uint32Array | Int32Array | Float64Array;

/** `countLevel` of ./count.ts, bit for bit. */
export const wasmCountLevel =
  (exports: WebAssembly.Exports): CountLevel =>
  (growth, frame, options, block, allocate) => {
    const kernel = begin(exports, frame, options);
    putBlock(kernel, block);
    const width = cellsOf(frame);
    const counted = countedNodes(growth);
    const open = openNodes(growth);
    const extremes = kernel.allocate(open * 8);
    const view = new Int32Array(kernel.memory.buffer, extremes, open * 2);
    for (let at = 0; at < open; at++) view.set([0x7fffffff, -0x80000000], at * 2);
    // Histograms and nodes are those of one tree at a time; cells in the form that tasks exchange are written over the histograms' end.
    const memory = allocate(counted * width * CELL * 8);
    const cells = new Float64Array(memory.buffer, memory.byteOffset, memory.byteLength / 8);
    const most = Math.max(0, ...growth.trees.map(({ parent }) => parent.filter((place) => place < 0).length));
    const histograms = kernel.allocate(most * width * CELL_BYTES);
    const out = kernel.allocate(most * width * CELL * 8);
    const nodes = kernel.allocate(Math.max(...growth.trees.map(({ column }) => column.length)) * NODE);
    let place = 0;
    let done = 0;
    growth.trees.forEach((tree, index) => {
      if (tree.open.length === 0) return;
      const own = tree.parent.filter((from) => from < 0).length;
      new Uint8Array(kernel.memory.buffer, histograms, own * width * CELL_BYTES).fill(0);
      let histogram = 0;
      const endings = new Map<number, Ending>();
      tree.open.forEach((node, at) => {
        const isCounted = (tree.parent[at] as number) < 0;
        const kind = isCounted ? KINDS.counted : KINDS.noted;
        endings.set(node, { kind, place: place + at, histogram: isCounted ? histogram++ : 0 });
      });
      putNodes(kernel, nodes, tree, frame, endings);
      kernel.countTree(options.seed, growth.first + index, nodes, histograms, extremes);
      kernel.writeCells(histograms, own * width, out);
      cells.set(new Float64Array(kernel.memory.buffer, out, own * width * CELL), done * width * CELL);
      place += tree.open.length;
      done += own;
    });
    const least = new Float64Array(open).fill(Number.POSITIVE_INFINITY);
    const largest = new Float64Array(open).fill(Number.NEGATIVE_INFINITY);
    const seen = new Int32Array(kernel.memory.buffer, extremes, open * 2);
    for (let at = 0; at < open; at++) {
      if ((seen[at * 2] as number) > (seen[at * 2 + 1] as number)) continue;
      least[at] = seen[at * 2] as number;
      largest[at] = seen[at * 2 + 1] as number;
    }
    return { cells, least, most: largest };
  };

/** `sendRows` of ./subtree.ts, bit for bit; the records lie in the kernel's memory until its next task. */
export const wasmSendRows =
  (exports: WebAssembly.Exports): SendRows =>
  (growth, frame, options, { from, to, buckets }, block) => {
    const kernel = begin(exports, frame, options);
    putBlock(kernel, block);
    const handed = handedNodes(growth, from, to);
    const size = recordBytes(frame.columns);
    const trees = growth.trees.slice(from, to);
    const marks = kernel.allocate(trees.length * block.rows * 4);
    const countsAt = put(kernel, new Uint32Array(handed.length));
    const nodes = kernel.allocate(Math.max(...trees.map(({ column }) => column.length)) * NODE);
    trees.forEach((tree, at) => {
      const endings = new Map<number, Ending>();
      handed.forEach((one, place) => {
        if (one.tree === from + at) endings.set(one.node, { kind: KINDS.noted, place, histogram: 0 });
      });
      putNodes(kernel, nodes, tree, frame, endings);
      kernel.markTree(options.seed, growth.first + from + at, nodes, marks + at * block.rows * 4, countsAt);
    });
    const counts = new Uint32Array(kernel.memory.buffer, countsAt, handed.length).slice();
    const total = counts.reduce((sum, count) => sum + count, 0);
    const next = kernel.allocate(handed.length * 4);
    const records = kernel.allocate(total * size);
    new Uint8Array(kernel.memory.buffer, records, total * size).fill(0);
    const pointers = new Uint32Array(kernel.memory.buffer, next, handed.length);
    let end = records;
    counts.forEach((count, place) => {
      pointers[place] = end;
      end += count * size;
    });
    trees.forEach((_, at) => {
      kernel.sendTree(marks + at * block.rows * 4, next, size);
    });
    const bucketOf = bucketsOf(handed, buckets);
    let start = records;
    return Array.from({ length: buckets }, (_, bucket): SentRows => {
      const own = counts.filter((_, place) => bucketOf[place] === bucket);
      const bytes = own.reduce((sum, count) => sum + count, 0) * size;
      start += bytes;
      return { counts: own, records: new Uint8Array(kernel.memory.buffer, start - bytes, bytes) };
    });
  };

/** `subtreeGrower` of ./subtree.ts, bit for bit. */
export function wasmSubtreeGrower(exports: WebAssembly.Exports, frame: RowFrame, options: LevelOptions): GrowSubtree {
  const { seed, maxDepth, minLeaf, maxFeatures, minInfoGain = 0 } = options;
  const minGain = minInfoGain * frame.scale * frame.scale;
  const size = recordBytes(frame.columns);
  return ({ tree, id, depth }, parts) => {
    const kernel = begin(exports, frame, options);
    const bytes = parts.reduce((total, part) => total + part.byteLength, 0);
    const records = kernel.allocate(bytes);
    let at = records;
    for (const part of parts) {
      new Uint8Array(kernel.memory.buffer).set(part, at);
      at += part.byteLength;
    }
    kernel.beginSubtrees(bytes / size, Math.max(0, maxDepth - depth), size, records);
    const nodes = kernel.growSubtree(seed, tree, id, depth, bytes / size, maxDepth, minLeaf, maxFeatures, minGain);
    return treeOf(kernel, nodes);
  };
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
  const codes = put(kernel, block.codes);
  const targets = put(kernel, block.targets);
  // Sixteen weights are drawn at a time, from up to three rows before the block.
  kernel.loadBlock(block.first, block.rows, codes, targets, kernel.allocate(block.rows + 32));
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

function putNodes(
  kernel: RowsKernel,
  at: number,
  tree: GrowingTree,
  frame: RowFrame,
  endings: ReadonlyMap<number, Ending>,
): void {
  const missing = missingCodes(frame);
  const view = new DataView(kernel.memory.buffer, at, tree.column.length * NODE);
  tree.column.forEach((column, node) => {
    const from = node * NODE;
    const isInner = column < HANDED;
    const ending = endings.get(node);
    view.setUint32(from, tree.left[node] as number, true);
    view.setUint16(from + 4, isInner ? column : 0, true);
    view.setUint8(from + 6, tree.border[node] as number);
    view.setUint8(from + 7, isInner ? (missing[column] as number) : 0);
    view.setUint8(from + 8, tree.missingLeft[node] as number);
    view.setUint8(from + 9, isInner ? KINDS.inner : (ending?.kind ?? KINDS.leaf));
    view.setUint16(from + 10, ending?.histogram ?? 0, true);
    view.setUint32(from + 12, ending?.place ?? 0, true);
  });
}
