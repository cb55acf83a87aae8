import type { ProbeSize } from "kindling";
import { philoxRng } from "../../../shared/rng.ts";
import { type Forest, joinTrees, LEAF, type Tree } from "../forest/forest.ts";
import type { Rows } from "./sum-leaves.ts";

const ROWS = { small: 64, large: 2 ** 15 };
const TREES = 20;
/** Inner nodes of a balanced tree. */
const SPLITS = 2 ** 7 - 1;
const COLUMNS = 4;

/** Balanced trees and rows of no meaning, to time kernels with. */
export function leavesProbe(size: ProbeSize): { readonly forest: Forest; readonly rows: Rows } {
  const rng = philoxRng(1, 0);
  const trees = Array.from({ length: TREES }, (): Tree => {
    const nodes = 2 * SPLITS + 1;
    return {
      column: Uint16Array.from({ length: nodes }, (_, node) => (node < SPLITS ? rng.below(COLUMNS) : LEAF)),
      value: Float64Array.from({ length: nodes }, (_, node) => (node < SPLITS ? rng.unit() : rng.below(1000))),
      left: Uint32Array.from({ length: nodes }, (_, node) => (node < SPLITS ? 2 * node + 1 : 0)),
    };
  });
  const features = Float64Array.from({ length: ROWS[size] * COLUMNS }, () => rng.unit());
  return {
    forest: joinTrees(0, trees, (bytes) => new Uint8Array(bytes)),
    rows: { features, columns: COLUMNS, count: ROWS[size] },
  };
}
