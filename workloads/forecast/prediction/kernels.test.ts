import { expect, test } from "vitest";
import { type Forest, LEAF } from "../forest/forest.ts";
import wasm from "../kernel.wasm";
import { wasmSumLeaves } from "./leaves-wasm.ts";
import { leavesProbe } from "./probe.ts";
import { NODE_WORDS, rankForest, rankRows, treeGroups } from "./ranks.ts";
import { type Rows, sumLeavesJs } from "./sum-leaves.ts";
import { randomForest, randomRows } from "./testing.ts";

const { instance } = await WebAssembly.instantiate(wasm, {});
/** What a GPU does with ranks. */
function sumByRanks(forest: Forest, rows: Rows, mostNodes: number): Float64Array {
  const ranked = rankForest(forest, rows.columns);
  const ranks = rankRows(ranked, rows);
  const sums = new Float64Array(rows.count);
  for (const { firstNode, roots } of treeGroups(forest.sizes, mostNodes) ?? []) {
    const at = (node: number, word: number) => ranked.nodes[(firstNode + node) * NODE_WORDS + word] as number;
    for (const root of roots) {
      for (let row = 0; row < rows.count; row++) {
        let node = root;
        while (at(node, 0) !== LEAF) {
          const rank = ranks[row * rows.columns + at(node, 0)] as number;
          node = root + at(node, 3) + (rank >= at(node, 1) && rank <= at(node, 2) ? 0 : 1);
        }
        sums[row] = (sums[row] as number) + (forest.value[firstNode + node] as number);
      }
    }
  }
  return sums;
}

const SHAPES = Array.from({ length: 24 }, (_, seed) => ({
  seed,
  columns: [1, 2, 5, 40][seed % 4] ?? 1,
  trees: 1 + (seed % 7),
  rows: [0, 1, 3, 4, 65, 400][seed % 6] ?? 1,
}));

test.each(SHAPES)("forest $seed: WASM and ranks give the reference's sums", ({ seed, columns, trees, rows: count }) => {
  const forest = randomForest(seed, columns, trees);
  const rows = randomRows(seed, columns, count);
  const expected = sumLeavesJs(forest, rows);
  expect(wasmSumLeaves(instance.exports)(forest, rows)).toEqual(expected);
  expect(sumByRanks(forest, rows, 200)).toEqual(expected);
});

test("more rows than one batch", () => {
  const { forest, rows } = leavesProbe("large");
  expect(wasmSumLeaves(instance.exports)(forest, rows)).toEqual(sumLeavesJs(forest, rows));
});

test("a group has whole trees; a tree that is too large for one is told", () => {
  const sizes = Uint32Array.of(3, 5, 1, 7);
  expect(treeGroups(sizes, 8)).toEqual([
    { firstNode: 0, nodes: 8, roots: [0, 3] },
    { firstNode: 8, nodes: 8, roots: [0, 1] },
  ]);
  expect(treeGroups(sizes, 6)).toBeUndefined();
  expect(treeGroups(new Uint32Array(), 6)).toEqual([]);
});
