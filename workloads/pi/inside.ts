import { philox4x32 } from "../../shared/math/philox.ts";

/** Samples [start, start + count) of the sequence of `seed`. */
export type SampleRange = { readonly seed: number; readonly start: number; readonly count: number };

/** The WASM kernel takes eight samples at a time. */
export const GROUP = 8;
/** Coordinates are integers of 26 bits, the radius is 2²⁶: x² + y² ≤ 2⁵³ is then exact in a double. */
const COORDINATE_BITS = 26;
const RADIUS_SQUARED = 2 ** 52;

/**
 * How many samples of the range lie inside the quarter circle: x² + y² < 2⁵². Sample i takes x from word 2i and y from
 * word 2i + 1 of the Philox sequence of (seed, 0), the upper 26 bits of each.
 */
export function countInside({ seed, start, count }: SampleRange): number {
  const block = new Uint32Array(4);
  let inside = 0;
  for (let sample = start; sample < start + count; sample++) {
    const index = Math.floor(sample / 2);
    if (sample % 2 === 0 || sample === start) {
      philox4x32(block, 0, [index >>> 0, Math.floor(index / 2 ** 32), 0, 0], [seed, 0]);
    }
    const at = (sample % 2) * 2;
    const x = (block[at] as number) >>> (32 - COORDINATE_BITS);
    const y = (block[at + 1] as number) >>> (32 - COORDINATE_BITS);
    if (x * x + y * y < RADIUS_SQUARED) inside++;
  }
  return inside;
}
