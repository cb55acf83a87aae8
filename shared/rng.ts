import { mulHigh, philox4x32 } from "./math/philox.ts";

/** Chance as an argument: whatever draws takes an Rng, so that a seed repeats it. */
export interface Rng {
  /** Uniform in 0 … 2³² − 1. */
  uint32(): number;
  /** Uniform in 0 … bound − 1, for 1 ≤ bound ≤ 2³². The bias is below bound / 2³². */
  below(bound: number): number;
  /** Uniform in [0, 1), a multiple of 2⁻³². */
  unit(): number;
}

/** Stream number `stream` of the sequence of `seed` (both unsigned 32-bit): Philox with the key (seed, stream). */
export function philoxRng(seed: number, stream: number): Rng {
  const block = new Uint32Array(4);
  let index = 0;
  let used = 4;
  const uint32 = (): number => {
    if (used === 4) {
      philox4x32(block, 0, [index >>> 0, Math.floor(index / 2 ** 32), 0, 0], [seed, stream]);
      index++;
      used = 0;
    }
    return block[used++] as number;
  };
  return {
    uint32,
    below: (bound) => (bound === 2 ** 32 ? uint32() : mulHigh(uint32(), bound)),
    unit: () => uint32() / 2 ** 32,
  };
}
