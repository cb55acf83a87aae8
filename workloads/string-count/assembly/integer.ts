/** Reads signed 64-bit decimal integers: an optional sign, then digits alone. */

const ASCII_ZEROS: u64 = 0x3030303030303030;

/** Whether the last call of parseInteger read an integer; and if not, whether it was one that does not fit. */
export let isInteger: bool = false;
export let isTooLarge: bool = false;

/** Up to eight digits in a word, by SIMD within a register. May read 8 bytes. */
// @ts-ignore: decorator
@inline
export function parseInteger(at: usize, length: usize): i64 {
  const isNegative = load<u8>(at) == 0x2d;
  const digits = length - <usize>isNegative;
  if (digits - 1 > 7) return parseSlowly(at, length);
  const word = digitsOf(at + <usize>isNegative, digits);
  if (!areDigits(word)) return parseSlowly(at, length);
  isInteger = true;
  const value = <i64>numberOf(word);
  return isNegative ? -value : value;
}

/** A word with up to eight digits from `at` on in its upper bytes, each as its value; the bytes below are zeros. */
// @ts-ignore: decorator
@inline
export function digitsOf(at: usize, digits: usize): u64 {
  const unused = (8 - <u64>digits) << 3;
  return (load<u64>(at) << unused) - (ASCII_ZEROS << unused);
}

// @ts-ignore: decorator
@inline
export function areDigits(word: u64): bool {
  return (((word + 0x7676767676767676) | word) & 0x8080808080808080) == 0;
}

/** The number that the word's digits make: pairs, then fours, then all eight. */
// @ts-ignore: decorator
@inline
export function numberOf(word: u64): u64 {
  const pairs = word * 10 + (word >> 8);
  return (
    ((pairs & 0x000000ff000000ff) * 0x000f424000000064 + ((pairs >> 16) & 0x000000ff000000ff) * 0x0000271000000001) >> 32
  );
}

function parseSlowly(at: usize, length: usize): i64 {
  const end = at + length;
  isInteger = false;
  isTooLarge = false;
  const sign = length > 0 ? load<u8>(at) : 0;
  if (sign == 0x2d || sign == 0x2b) ++at;
  if (at == end) return 0;
  const bound: u64 = sign == 0x2d ? 0x8000000000000000 : 0x7fffffffffffffff;
  let value: u64 = 0;
  let fits = true;
  for (; at < end; ++at) {
    const digit = <u64>load<u8>(at) - 0x30;
    if (digit > 9) return 0;
    if (value > (bound - digit) / 10) fits = false;
    else value = value * 10 + digit;
  }
  isInteger = fits;
  isTooLarge = !fits;
  return sign == 0x2d ? -(<i64>value) : <i64>value;
}
