/**
 * Philox4x32-10 (Salmon et al., SC'11), four blocks at a time: lane j of `word0 … word3` holds the words of block
 * `first + j`. The counter of block b is (low 32 bits of b, high 32 bits of b, 0, 0), the key is (seed, 0): the same
 * sequence as `philoxRng(seed, 0)` in shared/rng.ts.
 */
export let word0: v128 = i32x4.splat(0);
export let word1: v128 = i32x4.splat(0);
export let word2: v128 = i32x4.splat(0);
export let word3: v128 = i32x4.splat(0);

/** The low (even) or high (odd) halves of four 64-bit products held in two vectors. */
// @ts-ignore: decorator
@inline
export function lows(a: v128, b: v128): v128 {
  return v128.shuffle<u32>(a, b, 0, 2, 4, 6);
}
// @ts-ignore: decorator
@inline
export function highs(a: v128, b: v128): v128 {
  return v128.shuffle<u32>(a, b, 1, 3, 5, 7);
}

/** The upper 32 bits of each lane's product. */
// @ts-ignore: decorator
@inline
export function mulHigh(a: v128, b: v128): v128 {
  return highs(i64x2.extmul_low_i32x4_u(a, b), i64x2.extmul_high_i32x4_u(a, b));
}

/** Fills word0 … word3 with blocks first … first + 3. */
export function fourBlocks(first: u64, seed: u32): void {
  const multiplier0 = i32x4.splat(0xd2511f53);
  const multiplier1 = i32x4.splat(0xcd9e8d57);
  let c0 = i32x4(<i32>first, <i32>(first + 1), <i32>(first + 2), <i32>(first + 3));
  let c1 = i32x4(
    <i32>(first >> 32),
    <i32>((first + 1) >> 32),
    <i32>((first + 2) >> 32),
    <i32>((first + 3) >> 32),
  );
  let c2 = i32x4.splat(0);
  let c3 = i32x4.splat(0);
  let k0 = i32x4.splat(seed);
  let k1 = i32x4.splat(0);
  for (let round = 0; round < 10; ++round) {
    const a = i64x2.extmul_low_i32x4_u(c0, multiplier0);
    const b = i64x2.extmul_high_i32x4_u(c0, multiplier0);
    const c = i64x2.extmul_low_i32x4_u(c2, multiplier1);
    const d = i64x2.extmul_high_i32x4_u(c2, multiplier1);
    c0 = v128.xor(v128.xor(highs(c, d), c1), k0);
    c1 = lows(c, d);
    c2 = v128.xor(v128.xor(highs(a, b), c3), k1);
    c3 = lows(a, b);
    k0 = i32x4.add(k0, i32x4.splat(0x9e3779b9));
    k1 = i32x4.add(k1, i32x4.splat(0xbb67ae85));
  }
  word0 = c0;
  word1 = c1;
  word2 = c2;
  word3 = c3;
}
