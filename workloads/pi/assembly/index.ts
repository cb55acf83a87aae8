import { fourBlocks, word0, word1, word2, word3 } from "../../common/assembly/philox";

/** Coordinates have 26 bits, so that x² + y² is an exact double in the JavaScript reference. */
const DROPPED_BITS: i32 = 6;
const RADIUS_SQUARED: i64 = 1 << 52;

/** Adds, per 64-bit lane, how many of four points lie inside. */
// @ts-ignore: decorator
@inline
function insideOf(count: v128, wordsX: v128, wordsY: v128): v128 {
  const x = i32x4.shr_u(wordsX, DROPPED_BITS);
  const y = i32x4.shr_u(wordsY, DROPPED_BITS);
  const low = i64x2.add(i64x2.extmul_low_i32x4_u(x, x), i64x2.extmul_low_i32x4_u(y, y));
  const high = i64x2.add(i64x2.extmul_high_i32x4_u(x, x), i64x2.extmul_high_i32x4_u(y, y));
  const radius = i64x2.splat(RADIUS_SQUARED);
  // A true lane is −1.
  return i64x2.sub(i64x2.sub(count, i64x2.lt_s(low, radius)), i64x2.lt_s(high, radius));
}

/** Points inside the quarter circle among samples [8·group, 8·(group + groups)). */
export function countGroups(seed: u32, group: f64, groups: u32): u32 {
  let count = i64x2.splat(0);
  let block = <u64>group * 4;
  for (let i: u32 = 0; i < groups; ++i) {
    fourBlocks(block, seed);
    count = insideOf(count, word0, word1);
    count = insideOf(count, word2, word3);
    block += 4;
  }
  return <u32>(i64x2.extract_lane(count, 0) + i64x2.extract_lane(count, 1));
}
