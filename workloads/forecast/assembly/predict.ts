/** Lets rows run down trees: as sumLeaves of ../forest/forest.ts. */
import { LEAF, MISSING_LEFT } from "./tree";

/** A node's child for a row, or the node itself if it is a leaf. */
// @ts-ignore: decorator
@inline
function next(column: usize, value: usize, left: usize, node: u32, features: usize): u32 {
  const code = <u32>load<u16>(column + (<usize>node << 1));
  if (code == <u32>LEAF) return node;
  const feature = load<f64>(features + (<usize>(code & 0x7fff) << 3));
  const known = feature == feature;
  const goesLeft = known ? feature <= load<f64>(value + (<usize>node << 3)) : code >= <u32>MISSING_LEFT;
  return load<u32>(left + (<usize>node << 2)) + <u32>!goesLeft;
}

/**
 * Adds the leaf of one tree, whose three lists lie at the addresses, to the sum of each row. Four rows run down at a time: each
 * step waits for memory, and four wait together.
 */
export function addLeaves(
  column: usize,
  value: usize,
  left: usize,
  features: usize,
  columns: u32,
  rows: u32,
  sums: usize,
): void {
  const stride = <usize>columns << 3;
  let row: u32 = 0;
  for (; row + 4 <= rows; row += 4) {
    const a = features + <usize>row * stride;
    const b = a + stride;
    const c = b + stride;
    const d = c + stride;
    let n0: u32 = 0;
    let n1: u32 = 0;
    let n2: u32 = 0;
    let n3: u32 = 0;
    for (;;) {
      const m0 = next(column, value, left, n0, a);
      const m1 = next(column, value, left, n1, b);
      const m2 = next(column, value, left, n2, c);
      const m3 = next(column, value, left, n3, d);
      // A child's number is greater than its parent's.
      if (((m0 ^ n0) | (m1 ^ n1) | (m2 ^ n2) | (m3 ^ n3)) == 0) break;
      n0 = m0;
      n1 = m1;
      n2 = m2;
      n3 = m3;
    }
    const sum = sums + (<usize>row << 3);
    store<f64>(sum, load<f64>(sum) + load<f64>(value + (<usize>n0 << 3)));
    store<f64>(sum, load<f64>(sum, 8) + load<f64>(value + (<usize>n1 << 3)), 8);
    store<f64>(sum, load<f64>(sum, 16) + load<f64>(value + (<usize>n2 << 3)), 16);
    store<f64>(sum, load<f64>(sum, 24) + load<f64>(value + (<usize>n3 << 3)), 24);
  }
  for (; row < rows; row++) {
    const a = features + <usize>row * stride;
    let node: u32 = 0;
    for (;;) {
      const child = next(column, value, left, node, a);
      if (child == node) break;
      node = child;
    }
    const sum = sums + (<usize>row << 3);
    store<f64>(sum, load<f64>(sum) + load<f64>(value + (<usize>node << 3)));
  }
}
