import { type Forest, type ForestOptions, LEAF, leafOf, MISSING_LEFT } from "./forest.ts";
import { philoxRng } from "../../../shared/rng.ts";
import { drawRows } from "./sample.ts";
import { rowValues, type TrainingSet } from "./training-set.ts";

/** Keeps the draws from leaves apart from those of samples. */
const LEAF_DRAWS = 0x51ed270b;

/** What trees say of their training rows; all but `impurity` are sums of whole numbers, to be added up in any order. */
export type Inspection = {
  /** [trees × columns] How much the splits on each column lower the squared error, in squared units of the training set. */
  readonly impurity: Float64Array;
  /** [rows] Sum of the leaf values of the trees that did not draw the row, and the number of these trees. */
  readonly outOfBag: Float64Array;
  readonly outOfBagTrees: Uint32Array;
};

/** Draws each tree's sample again and lets all training rows run down the tree. */
export function inspect(forest: Forest, set: TrainingSet, options: ForestOptions): Inspection {
  const { rows, columns } = set;
  const features = rowValues(set);
  const rest = set.targets.slice();
  const impurity = new Float64Array(forest.sizes.length * columns);
  const outOfBag = new Float64Array(rows);
  const outOfBagTrees = new Uint32Array(rows);
  eachTree(forest, (root, size, index) => {
    const times = drawRows(rows, options, forest.first + index);
    const sums = new Float64Array(size);
    const weights = new Float64Array(size);
    const leaves = Uint32Array.from(times, (_, row) => leafOf(forest, root, features, row * columns));
    leaves.forEach((leaf, row) => {
      const weight = times[row] as number;
      sums[leaf - root] = (sums[leaf - root] as number) + weight * (rest[row] as number);
      weights[leaf - root] = (weights[leaf - root] as number) + weight;
      if (weight > 0) return;
      outOfBag[row] = (outOfBag[row] as number) + (forest.value[leaf] as number);
      outOfBagTrees[row] = (outOfBagTrees[row] as number) + 1;
    });
    addGains(forest, root, sums, weights, impurity.subarray(index * columns, (index + 1) * columns));
    if (options.stepSize === undefined) return;
    leaves.forEach((leaf, row) => {
      rest[row] = (rest[row] as number) - (forest.value[leaf] as number);
    });
  });
  return { impurity, outOfBag, outOfBagTrees };
}

/** Adds each split's gain to its column; `sums` and `weights` hold those of the leaves, and become those of all nodes. */
function addGains(forest: Forest, root: number, sums: Float64Array, weights: Float64Array, gains: Float64Array): void {
  const term = (node: number): number => ((sums[node] as number) * (sums[node] as number)) / (weights[node] as number);
  // Children have higher numbers than their parent.
  for (let node = sums.length - 1; node >= 0; node--) {
    const code = forest.column[root + node] as number;
    if (code === LEAF) continue;
    const left = forest.left[root + node] as number;
    sums[node] = (sums[left] as number) + (sums[left + 1] as number);
    weights[node] = (weights[left] as number) + (weights[left + 1] as number);
    const column = code & ~MISSING_LEFT;
    gains[column] = (gains[column] as number) + (term(left) + term(left + 1) - term(node));
  }
}

/**
 * [trees × rows] For each tree and each row of `features` the target, in units from the base, of one training row in the
 * row's leaf, drawn as often as the tree's sample has it. Quantiles over many trees estimate those of the target
 * (Meinshausen, "Quantile regression forests", 2006, in the form of the package ranger).
 */
export function drawFromLeaves(
  forest: Forest,
  set: TrainingSet,
  options: ForestOptions,
  features: Float64Array,
  rows: number,
): Float64Array {
  const training = rowValues(set);
  const drawn = new Float64Array(forest.sizes.length * rows);
  eachTree(forest, (root, size, index) => {
    const tree = forest.first + index;
    const rng = philoxRng((options.seed ^ LEAF_DRAWS) >>> 0, tree);
    const weights = new Float64Array(size);
    const targets = new Float64Array(size);
    drawRows(set.rows, options, tree).forEach((times, row) => {
      if (times === 0) return;
      const leaf = leafOf(forest, root, training, row * set.columns) - root;
      weights[leaf] = (weights[leaf] as number) + times;
      if (rng.unit() * (weights[leaf] as number) < times) targets[leaf] = set.targets[row] as number;
    });
    for (let row = 0; row < rows; row++) {
      const leaf = leafOf(forest, root, features, row * set.columns) - root;
      drawn[index * rows + row] = targets[leaf] as number;
    }
  });
  return drawn;
}

function eachTree(forest: Forest, visit: (root: number, size: number, index: number) => void): void {
  let root = 0;
  forest.sizes.forEach((size, index) => {
    visit(root, size, index);
    root += size;
  });
}
