/**
 * Times the CPU's prediction kernels on one thread: `node workloads/forecast/prediction/prediction.bench.ts [trees] [rows]`. Full trees of
 * synthetic weather predict its rows; the reference is the floor that WASM is held against.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { prepareTables } from "../data/prepared.ts";
import { readTable } from "../data/table.ts";
import { TreeList, UNLIMITED } from "../forest/forest.ts";
import { rowValues } from "../forest/training-set.ts";
import { wasmGrower } from "../forest/wasm-grower.ts";
import { syntheticWeather } from "../synthetic.ts";
import { wasmSumLeaves } from "./leaves-wasm.ts";
import { rankForest, rankRows } from "./ranks.ts";
import { sumLeavesJs } from "./sum-leaves.ts";

const [trees = 100, count = 10_107] = process.argv.slice(2).map(Number);
const ROUNDS = 5;

const text = new TextEncoder().encode(syntheticWeather(1).observed);
const { prepared } = prepareTables({
  observed: readTable(text, "synthetic", { date: "date" }, (header) => header),
  trainRows: 10_107,
  queries: {},
  predictors: ["rainfall", "temp", "wind"],
  target: "humidity",
  features: { harmonics: 0, horizon: null, lags: [], windows: [], lagColumns: "target", known: "none" },
});
const { training, features } = prepared;
const module = readFileSync(join(import.meta.dirname, "../kernel.wasm"));
const { instance } = await WebAssembly.instantiate(module, {});
const options = { seed: 1, maxDepth: UNLIMITED, minLeaf: 1, maxFeatures: features.length };
const grow = wasmGrower(instance.exports, training, options);
const list = new TreeList(trees, (bytes) => new Uint8Array(bytes));
for (let tree = 0; tree < trees; tree++) list.add(grow(tree));
const forest = list.forest(0, trees);
const values = rowValues(training);
const all = Float64Array.from({ length: count * features.length }, (_, at) => values[at % values.length] as number);
const rows = { features: all, columns: features.length, count };

/** Nanoseconds of processor time for a row and tree, the fastest of some rounds. */
function report(name: string, run: () => unknown): void {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    run();
    best = Math.min(best, process.cpuUsage(before).user);
  }
  console.log(`${name}: ${((best * 1000) / (trees * count)).toFixed(1)} ns a row and tree`);
}
report("js", () => sumLeavesJs(forest, rows));
report("wasm", () => wasmSumLeaves(instance.exports)(forest, rows));
report("ranks of forest and rows, for a GPU", () => rankRows(rankForest(forest, rows.columns), rows));
