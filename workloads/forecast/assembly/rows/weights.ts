/** How often a tree draws each row: ../../rows/sampling.ts, sixteen rows at a time. */
import { limitCount, limits } from "./frame";

// @ts-ignore: decorator
@inline
function highHalves(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(i64x2.extmul_low_i32x4_u(a, b), i64x2.extmul_high_i32x4_u(a, b), 1, 3, 5, 7);
}

/** How many limits each lane's word does not exceed. */
// @ts-ignore: decorator
@inline
function times(word: v128): v128 {
  let drawn = i32x4.splat(0);
  for (let at = limits; at < limits + (<usize>limitCount << 2); at += 4) {
    const reached = i32x4.le_u(word, v128.load32_splat(at));
    drawn = i32x4.sub(drawn, reached);
    if (!v128.any_true(reached)) break;
  }
  return drawn;
}

/** Fills u8[`count`, rounded up to 16] from row `first` on, which is a multiple of 4. */
export function drawWeights(seed: u32, tree: u32, first: u32, count: u32, out: usize): void {
  const multiplier0 = i32x4.splat(<i32>0xd2511f53);
  const multiplier1 = i32x4.splat(<i32>0xcd9e8d57);
  let block = i32x4.add(i32x4.splat(<i32>(first >>> 2)), i32x4(0, 1, 2, 3));
  const end = out + count;
  for (; out < end; out += 16) {
    let c0 = block;
    let c1 = i32x4.splat(0);
    let c2 = i32x4.splat(2);
    let c3 = i32x4.splat(0);
    let k0 = seed;
    let k1 = tree;
    for (let round = 0; round < 10; round++) {
      const high0 = highHalves(c0, multiplier0);
      const low0 = i32x4.mul(c0, multiplier0);
      const high1 = highHalves(c2, multiplier1);
      const low1 = i32x4.mul(c2, multiplier1);
      c0 = v128.xor(v128.xor(high1, c1), i32x4.splat(<i32>k0));
      c1 = low1;
      c2 = v128.xor(v128.xor(high0, c3), i32x4.splat(<i32>k1));
      c3 = low0;
      k0 += 0x9e3779b9;
      k1 += 0xbb67ae85;
    }
    // Word j of a lane's block is for its row j: a byte each.
    const low = v128.or(times(c0), i32x4.shl(times(c1), 8));
    const high = v128.or(i32x4.shl(times(c2), 16), i32x4.shl(times(c3), 24));
    v128.store(out, v128.or(low, high));
    block = i32x4.add(block, i32x4.splat(4));
  }
}
