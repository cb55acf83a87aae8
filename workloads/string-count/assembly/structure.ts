/** Finds the delimiters and line ends of a block of text. */
import { bits } from "./masks";
import { delimiter } from "./record";

const BLOCK_BYTES: usize = 4096;
const STEP: usize = 64;

/** Addresses (u32) of structural bytes in order; eight more may be written. */
export const structure = memory.data(4 * (4096 + 64 + 8), 64);
export let structureEnd: usize = 0;

/**
 * Lists the structural bytes from `at` on: of one block at most, none from `end` on (though 64 bytes more are read), and
 * none after the first quote or NUL.
 */
export function findStructure(at: usize, end: usize): void {
  const separators = i8x16.splat(delimiter);
  const lineEnds = i8x16.splat(10);
  const quotes = i8x16.splat(0x22);
  const zeros = i8x16.splat(0);
  const blockEnd = min(end, at + BLOCK_BYTES);
  let out = structure;
  for (; at < blockEnd; at += STEP) {
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const c = v128.load(at, 32);
    const d = v128.load(at, 48);
    let found = bits(
      v128.or(i8x16.eq(a, separators), i8x16.eq(a, lineEnds)),
      v128.or(i8x16.eq(b, separators), i8x16.eq(b, lineEnds)),
      v128.or(i8x16.eq(c, separators), i8x16.eq(c, lineEnds)),
      v128.or(i8x16.eq(d, separators), i8x16.eq(d, lineEnds)),
    );
    const specialA = v128.or(i8x16.eq(a, quotes), i8x16.eq(a, zeros));
    const specialB = v128.or(i8x16.eq(b, quotes), i8x16.eq(b, zeros));
    const specialC = v128.or(i8x16.eq(c, quotes), i8x16.eq(c, zeros));
    const specialD = v128.or(i8x16.eq(d, quotes), i8x16.eq(d, zeros));
    let isLast = false;
    if (v128.any_true(v128.or(v128.or(specialA, specialB), v128.or(specialC, specialD)))) {
      found &= below(ctz(bits(specialA, specialB, specialC, specialD)));
      isLast = true;
    }
    if (end - at < STEP) found &= below(<u64>(end - at));
    // Eight at a time without asking whether they are there: what is written too much is overwritten.
    const outEnd = out + <usize>(popcnt(found) << 2);
    for (; out < outEnd; out += 32) {
      store<u32>(out, <u32>at + <u32>ctz(found));
      found &= found - 1;
      store<u32>(out, <u32>at + <u32>ctz(found), 4);
      found &= found - 1;
      store<u32>(out, <u32>at + <u32>ctz(found), 8);
      found &= found - 1;
      store<u32>(out, <u32>at + <u32>ctz(found), 12);
      found &= found - 1;
      store<u32>(out, <u32>at + <u32>ctz(found), 16);
      found &= found - 1;
      store<u32>(out, <u32>at + <u32>ctz(found), 20);
      found &= found - 1;
      store<u32>(out, <u32>at + <u32>ctz(found), 24);
      found &= found - 1;
      store<u32>(out, <u32>at + <u32>ctz(found), 28);
      found &= found - 1;
    }
    out = outEnd;
    if (isLast) break;
  }
  structureEnd = out;
}

/** The bits below bit n, for n ≤ 63. */
// @ts-ignore: decorator
@inline
function below(n: u64): u64 {
  return (<u64>1 << n) - 1;
}
