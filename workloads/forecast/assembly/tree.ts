/** Writes one tree out: what ../forest/grow.ts makes of leaves and splits. */
import { allocate } from "./memory";
import { MISSING, rows, upperOf, valueOf } from "./sample";

/** In place of a column's number: the node is a leaf. */
export const LEAF: u16 = 0xffff;
/** Added to a column's number: missing values go left. */
export const MISSING_LEFT: u16 = 0x8000;
/** A border between known and missing values: every known value is below. */
const ALL_KNOWN: f64 = f64.MAX_VALUE;

/** Each node's column or LEAF (u16), threshold or leaf value (f64), left child (u32); 2 rows − 1 nodes at most. */
export let columnOut: usize = 0;
export let valueOut: usize = 0;
export let leftOut: usize = 0;
export let nodeCount: u32 = 0;

let stepSize: f64 = 1;
/** A split must raise the score by so much for each unit of weight. */
let minGain: f64 = 0;

/** Allocates the tree; a leaf is `step` times its mean, and a split lowers the variance by `gain`, in squared target units. */
export function allocateTree(step: f64, gain: f64): void {
  stepSize = step;
  minGain = gain;
  columnOut = allocate(<usize>rows * 2 * 2);
  valueOut = allocate(<usize>rows * 2 * 8);
  leftOut = allocate(<usize>rows * 2 * 4);
}

export function begin(): void {
  nodeCount = 1;
}

/** Numbers both children of a node; gives the left one. */
export function childOf(): u32 {
  nodeCount += 2;
  return nodeCount - 2;
}

/** Whether the best split of a node gains less than is wanted. */
export function tooLittle(score: f64, total: v128): bool {
  if (minGain == 0) return false;
  const sum = f64x2.extract_lane(total, 0);
  const weight = f64x2.extract_lane(total, 1);
  return score - (sum * sum) / weight < minGain * weight;
}

/** The mean target, times the step, rounded to an integer. */
export function writeLeaf(node: u32, total: v128): f64 {
  const value = Math.floor(stepSize * (f64x2.extract_lane(total, 0) / f64x2.extract_lane(total, 1)) + 0.5);
  store<u16>(columnOut + (node << 1), LEAF);
  store<f64>(valueOut + (node << 3), value);
  store<u32>(leftOut + (node << 2), 0);
  return value;
}

/** A split between two ranks, whose left child is the next node to be numbered. */
export function writeSplit(
  node: u32,
  column: u32,
  below: u32,
  above: u32,
  drawn: bool,
  threshold: f64,
  missingLeft: bool,
): void {
  store<u16>(columnOut + (node << 1), <u16>column | (missingLeft ? MISSING_LEFT : 0));
  store<f64>(valueOut + (node << 3), drawn ? threshold : above == MISSING ? ALL_KNOWN : between(column, below, above));
  store<u32>(leftOut + (node << 2), nodeCount);
}

/** The threshold: halfway, or the lower value where that is no number strictly below the upper one. */
function between(column: u32, below: u32, above: u32): f64 {
  const low = upperOf(column, below);
  const high = valueOf(column, above);
  const half = low / 2 + high / 2;
  return half >= low && half < high ? half : low;
}
