/** What 64 bytes are, as masks of a bit for each: the bytes of a block, as four vectors. */

/** Where bytes have their uppermost bit. */
// @ts-ignore: decorator
@inline
export function bits(a: v128, b: v128, c: v128, d: v128): u64 {
  return (
    <u64>(<u32>i8x16.bitmask(a) | (<u32>i8x16.bitmask(b) << 16)) |
    (<u64>(<u32>i8x16.bitmask(c) | (<u32>i8x16.bitmask(d) << 16)) << 32)
  );
}

/** Where a block's bytes are the one that `byte` has in each place. */
// @ts-ignore: decorator
@inline
export function matches(a: v128, b: v128, c: v128, d: v128, byte: v128): u64 {
  return bits(i8x16.eq(a, byte), i8x16.eq(b, byte), i8x16.eq(c, byte), i8x16.eq(d, byte));
}

/** Where a block's digits are: with `toTop` added, nothing but '0' … '9' comes to lie above `belowDigits`. */
// @ts-ignore: decorator
@inline
export function digits(a: v128, b: v128, c: v128, d: v128, toTop: v128, belowDigits: v128): u64 {
  return bits(
    i8x16.gt_s(i8x16.add(a, toTop), belowDigits),
    i8x16.gt_s(i8x16.add(b, toTop), belowDigits),
    i8x16.gt_s(i8x16.add(c, toTop), belowDigits),
    i8x16.gt_s(i8x16.add(d, toTop), belowDigits),
  );
}

/** Whether the least byte of a block, or the least difference from a quote, is zero. */
// @ts-ignore: decorator
@inline
export function hasQuoteOrNul(a: v128, b: v128, c: v128, d: v128, quotes: v128): bool {
  return !i8x16.all_true(
    i8x16.min_u(
      i8x16.min_u(i8x16.min_u(a, b), i8x16.min_u(c, d)),
      i8x16.min_u(
        i8x16.min_u(v128.xor(a, quotes), v128.xor(b, quotes)),
        i8x16.min_u(v128.xor(c, quotes), v128.xor(d, quotes)),
      ),
    ),
  );
}
