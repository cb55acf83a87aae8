import { type GpuContext, gpuUnsuited, type WebGlSource } from "kindling";
import type { Forest } from "../forest/forest.ts";
import leaves from "./leaves.wgsl";
import { NODE_WORDS, rankForest, type RankedForest, rankRows, type TreeGroup, treeGroups } from "./ranks.ts";
import type { Rows, SumLeaves } from "./sum-leaves.ts";

/** Leaves that one call gives. */
const MOST_LEAVES = 2 ** 21;
/** Ranks that one call reads. */
const MOST_RANKS = 2 ** 22;
const WORKGROUP = 256;

/** WebGPU finds the leaves from ranks; this thread adds them up. */
export const webGpuSumLeaves =
  ({ webgpu }: Pick<GpuContext, "webgpu">): SumLeaves =>
  (forest, rows) =>
    webgpu(async (gpu) => {
      const ranked = rankForest(forest, rows.columns);
      const allRanks = rankRows(ranked, rows);
      const sums = new Float64Array(rows.count);
      const program = await gpu.program("forecast/leaves", leaves);
      for (const group of groupsOf(forest, Math.floor(gpu.maxWords / NODE_WORDS))) {
        const nodes = gpu.buffer(nodesOf(ranked, group));
        const roots = gpu.buffer(Uint32Array.from(group.roots));
        for (const [from, to] of batches(rows, group)) {
          const shape = gpu.buffer(Uint32Array.of(to - from, rows.columns));
          const ranks = gpu.buffer(allRanks.subarray(from * rows.columns, to * rows.columns));
          const found = gpu.buffer(group.roots.length * (to - from));
          const buffers = [shape, nodes, roots, ranks, found];
          gpu.run([{ program, buffers, groups: Math.ceil(found.words / WORKGROUP) }]);
          addLeaves(forest, group, await gpu.read(found), sums.subarray(from, to));
          gpu.free(shape, ranks, found);
        }
        gpu.free(nodes, roots);
      }
      return sums;
    });

/** As leaves.wgsl; all its numbers are below 2²⁴, where floats are whole numbers. */
const PROGRAM: WebGlSource = {
  name: "forecast/leaves",
  kernel: `function (nodes, roots, ranks, columns) {
    const root = roots[this.thread.y];
    const row = this.thread.x * columns;
    let node = root;
    let column = nodes[node * 4];
    for (let step = 0; step < 65536; step++) {
      if (column === 65535) break;
      const rank = ranks[row + column];
      const at = node * 4;
      let child = root + nodes[at + 3];
      if (rank < nodes[at + 1] || rank > nodes[at + 2]) {
        child = child + 1;
      }
      node = child;
      column = nodes[node * 4];
    }
    return node;
  }`,
};
/** A tree is as deep as its number of splits at most. */
const MOST_WEBGL_NODES = 2 ** 17;
/** Ranks are floats on the way. */
const MOST_WEBGL_RANKS = 2 ** 24 - 1;

/** WebGL2 (gpu.js) finds the leaves from ranks; this thread adds them up. */
export const webGlSumLeaves =
  ({ webgl }: Pick<GpuContext, "webgl">): SumLeaves =>
  (forest, rows) =>
    webgl(async (gl) => {
      const ranked = rankForest(forest, rows.columns);
      if (ranked.thresholds.some(({ length }) => length >= MOST_WEBGL_RANKS)) {
        throw gpuUnsuited(`a column has more than ${MOST_WEBGL_RANKS} thresholds`);
      }
      const allRanks = rankRows(ranked, rows);
      const sums = new Float64Array(rows.count);
      const program = gl.program(PROGRAM);
      for (const group of groupsOf(forest, MOST_WEBGL_NODES)) {
        const nodes = Float32Array.from(nodesOf(ranked, group));
        const roots = Float32Array.from(group.roots);
        for (const [from, to] of batches(rows, group)) {
          const ranks = Float32Array.from(allRanks.subarray(from * rows.columns, to * rows.columns));
          const found = program({ columns: to - from, rows: group.roots.length }, nodes, roots, ranks, rows.columns);
          const target = sums.subarray(from, to);
          for (const leavesOfTree of found) addTree(forest, group, leavesOfTree, target);
        }
      }
      return sums;
    });

function groupsOf(forest: Forest, mostNodes: number): readonly TreeGroup[] {
  const groups = treeGroups(forest.sizes, mostNodes);
  if (groups === undefined) throw gpuUnsuited(`a tree has more than ${mostNodes} nodes`);
  return groups;
}

const nodesOf = ({ nodes }: RankedForest, { firstNode, nodes: count }: TreeGroup): Uint32Array =>
  nodes.subarray(firstNode * NODE_WORDS, (firstNode + count) * NODE_WORDS);

/** Ranges of rows. */
function* batches({ columns, count }: Rows, { roots }: TreeGroup): Generator<readonly [from: number, to: number]> {
  const most = Math.min(Math.floor(MOST_LEAVES / roots.length), Math.floor(MOST_RANKS / Math.max(1, columns)));
  if (most === 0) throw gpuUnsuited(`${roots.length} trees of ${columns} columns are too many at once`);
  for (let from = 0; from < count; from += most) yield [from, Math.min(count, from + most)];
}

/** `found` has the leaves of all trees for the first row … the last row, tree by tree. */
function addLeaves(forest: Forest, group: TreeGroup, found: Uint32Array, sums: Float64Array): void {
  for (let at = 0; at < found.length; at += sums.length) {
    addTree(forest, group, found.subarray(at, at + sums.length), sums);
  }
}

function addTree({ value }: Forest, { firstNode }: TreeGroup, leaves: ArrayLike<number>, sums: Float64Array): void {
  for (let row = 0; row < sums.length; row++) {
    sums[row] = (sums[row] as number) + (value[firstNode + (leaves[row] as number)] as number);
  }
}
