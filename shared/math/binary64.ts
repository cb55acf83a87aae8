/** The parts of an IEEE 754 double, read and written the same way on every machine. */

const view = new DataView(new ArrayBuffer(8));

/** Sign, exponent and the upper 20 bits of the fraction. */
export function highWord(x: number): number {
  view.setFloat64(0, x);
  return view.getUint32(0);
}

/** `x` with its upper word replaced. */
export function withHighWord(x: number, high: number): number {
  view.setFloat64(0, x);
  view.setUint32(0, high);
  return view.getFloat64(0);
}

/** x · 2ᵏ for a normal x near 1 and −1991 ≤ k ≤ 2046, rounded once. */
export function scaleByPowerOfTwo(x: number, k: number): number {
  if (k > 1023) return x * 2 ** 1023 * power(k - 1023);
  // The first factor keeps x normal, so that the rounding to a subnormal number is left to the second.
  if (k < -1022) return x * 2 ** -969 * power(k + 969);
  return x * power(k);
}

/** 2ᵏ for −1022 ≤ k ≤ 1023. */
const power = (k: number): number => withHighWord(0, (k + 1023) << 20);
